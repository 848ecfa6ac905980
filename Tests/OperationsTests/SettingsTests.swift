import Retraining
import Testing

@testable import Operations

/// Protects that every key reaches the place that the worker reads.
@Suite struct SettingsTests {
    private func load(_ yaml: String) throws -> Configuration {
        try Configuration.load(yaml: Array(yaml.utf8), name: "f.yaml")
    }

    /// SOURCE section 9, each key with a value that is not its default.
    @Test func sourceKeysReachTheirPlaces() throws {
        let configuration = try load(
            """
            drift_check_interval_mins: 10
            drift_threshold_critical: 0.11
            drift_threshold_warning: 0.09
            prediction_window_size: 500
            quiet_load_threshold: 0.25
            min_quiet_duration_hours: 2.5
            load_prediction_lookback_days: 14
            min_hours_between_training: 12
            max_days_without_training: 20
            max_trainings_per_week: 2
            training_window_days: 60
            epochs_per_training: 3
            log_dir: /var/log/driftgate
            alert_email: ops@example.com
            drift_metrics_retention_days: 30
            """)
        let engine = configuration.engine
        #expect(engine.drift.checkInterval == 10 * .minute)
        #expect(engine.drift.criticalThreshold == 0.11)
        #expect(engine.drift.warningThreshold == 0.09)
        #expect(engine.drift.windowSize == 500)
        #expect(engine.quiet.loadThreshold == 0.25)
        #expect(engine.quiet.minimumDuration == 150 * .minute)
        #expect(engine.quiet.lookback == 14 * .day)
        #expect(engine.safeguards.minimumInterval == 12 * .hour)
        #expect(engine.safeguards.maximumAge == 20 * .day)
        #expect(engine.safeguards.maximumPerWeek == 2)
        #expect(engine.training.window == 60 * .day)
        #expect(engine.training.epochs == 3)
        #expect(configuration.output.logDirectory == "/var/log/driftgate")
        #expect(configuration.delivery.email == "ops@example.com")
        #expect(configuration.output.logRetention == 30 * .day)
        #expect(configuration.origins.count == Settings.source.count)
    }

    /// The defaults of SOURCE section 9; only the address, a placeholder there, has none.
    @Test func sourceDefaults() {
        let defaults = Configuration()
        let values = Dictionary(uniqueKeysWithValues: Settings.source.map { ($0.key, $0.read(defaults).json) })
        #expect(
            values == [
                "drift_check_interval_mins": "5", "drift_threshold_critical": "0.1", "drift_threshold_warning": "0.08",
                "prediction_window_size": "1000", "quiet_load_threshold": "0.3", "min_quiet_duration_hours": "1.5",
                "load_prediction_lookback_days": "30", "min_hours_between_training": "6",
                "max_days_without_training": "30", "max_trainings_per_week": "3", "training_window_days": "30",
                "epochs_per_training": "1", "log_dir": "\"./logs/adaptive_retraining\"", "alert_email": "null",
                "drift_metrics_retention_days": "90",
            ])
    }

    @Test func nestedKeysReachTheirPlaces() throws {
        let configuration = try load(
            """
            mode: observe
            scoring: plain
            window: count
            error_measure: wape
            decisions: changes
            on_invalid: skip
            default_model: tft
            log_level: debug
            quiet: absolute
            expected_ranges:
              cpu: {min: 0, max: 100}
              mem: {min: 0}
            drift: {horizon_bucket_hours: [1, 2.5], persistence_hours: 5}
            safeguards: {max_trigger_lag_mins: null, sla_breach_threshold: 0.2}
            training: {status: none}
            limits: {record_bytes: 2048, far_future_mins: 5, reject_share: 0.5}
            worker: {first_start_lookback_days: 7, shutdown_deadline_secs: 5}
            topics: {training_status: answers}
            contracts: {predictions: {entity: /host/name, values: /m}}
            kafka:
              bootstrap_servers: a:1,b:2
              session_timeout_secs: 10
              additional: {fetch.min.bytes: 1024, socket.keepalive.enable: true}
            models:
              a: {error_measure: smape, pool: gpu, expected_ranges: {cpu: {max: 50}}}
            """)
        let engine = configuration.engine
        #expect(engine.mode == .observe)
        #expect(engine.drift.scoring == .plain)
        #expect(engine.drift.window == .count)
        #expect(engine.drift.errorMeasure == .wape)
        #expect(configuration.output.decisions == .changes)
        #expect(configuration.input.onInvalid == .skip)
        #expect(engine.defaultModel == "tft")
        #expect(configuration.logLevel == .debug)
        #expect(engine.quiet.rule == .absolute)
        #expect(engine.drift.expectedRanges == ["cpu": .init(minimum: 0, maximum: 100), "mem": .init(minimum: 0)])
        #expect(engine.drift.horizonBuckets == [.hour, 150 * .minute])
        #expect(engine.drift.persistence == 5 * .hour)
        #expect(engine.safeguards.maximumTriggerLag == nil)
        #expect(engine.safeguards.breachThreshold == 0.2)
        #expect(engine.training.status == .none)
        #expect(engine.training.replyTopic == "answers")
        #expect(configuration.input.maximumRecordBytes == 2048)
        #expect(configuration.input.farFuture == 5 * .minute)
        #expect(configuration.worker.firstStartLookback == 7 * .day)
        #expect(configuration.worker.shutdownDeadline == 5_000)
        #expect(configuration.contracts.predictions == ["entity": "/host/name", "values": "/m"])
        #expect(configuration.kafka.bootstrapServers == ["a:1", "b:2"])
        #expect(configuration.kafka.sessionTimeoutMilliseconds == 10_000)
        #expect(
            configuration.kafka.additional == ["fetch.min.bytes": "1024", "socket.keepalive.enable": "true"])
        #expect(engine.models["a"]?.errorMeasure == .smape)
        #expect(engine.models["a"]?.pool == "gpu")
        #expect(engine.models["a"]?.expectedRanges == ["cpu": .init(maximum: 50)])
    }

    /// What the table reads from the defaults must be what it accepts: a default out of its own range is a mistake.
    @Test func everyDefaultIsAccepted() throws {
        let defaults = Configuration()
        for setting in Settings.all {
            let value = setting.read(defaults)
            let reloaded = try Configuration.load(file: nil, overrides: ["\(setting.key)=\(value.given)"])
            #expect(setting.read(reloaded) == value, "\(setting.key)")
        }
    }

    @Test func tableIsConsistent() {
        for setting in Settings.all {
            let parents = setting.key.split(separator: ".").dropLast()
            #expect(parents.isEmpty || Settings.sectionKeys.contains(parents.joined(separator: ".")), "\(setting.key)")
            #expect(setting.summary.hasSuffix("."), "\(setting.key)")
        }
        for section in Settings.sectionKeys {
            #expect(Settings.all.contains { $0.key.hasPrefix(section + ".") }, "\(section)")
        }
    }

    /// A section with all its keys commented out is no mistake.
    @Test func emptySections() throws {
        let configuration = try load("kafka:\nmodels:\nexpected_ranges:\nmode: act\n")
        #expect(configuration.kafka == KafkaSettings())
    }

    @Test(arguments: ["", " ~", " null", #" """#, " ''"]) func settingsThatMayBeEmpty(nothing: String) throws {
        let configuration = try load("http:\n  address:\(nothing)\nlog_dir:\(nothing)\n")
        #expect(configuration.http.address == nil)
        #expect(configuration.output.logDirectory == nil)
    }

    @Test func anchorsStandForTheirValues() throws {
        let configuration = try load("models:\n  a: &x {mode: observe}\n  b: *x\n")
        #expect(configuration.engine.models["b"]?.mode == .observe)
    }

    @Test func securityBecomesConnectionProperties() throws {
        let directory = try TemporaryDirectory()
        try directory.write("secret\n", to: "password")
        let configuration = try load(
            """
            kafka:
              tls: {enabled: true, ca_file: ca.pem, verify_hostname: false}
              sasl: {mechanism: SCRAM-SHA-256, username: u, password_file: \(directory.path)/password}
              additional: {fetch.min.bytes: 1}
            """)
        #expect(
            try configuration.kafka.connectionProperties() == [
                "security.protocol": "sasl_ssl", "ssl.ca.location": "ca.pem",
                "ssl.endpoint.identification.algorithm": "none", "sasl.mechanisms": "SCRAM-SHA-256",
                "sasl.username": "u", "sasl.password": "secret", "fetch.min.bytes": "1",
            ])
    }

    @Test func secretsThatCannotBeRead() throws {
        let directory = try TemporaryDirectory()
        try directory.write("\n", to: "empty")
        #expect(throws: SecretError(path: "\(directory.path)/empty", message: "is empty")) {
            try Secret.read(file: "\(directory.path)/empty")
        }
        #expect(throws: SecretError(path: "\(directory.path)/none", message: "does not exist")) {
            try Secret.read(file: "\(directory.path)/none")
        }
    }
}

extension SettingValue {
    /// As one would write it behind `--set key=`.
    fileprivate var given: String {
        switch self {
        case .null: ""
        case .text(let text): text
        default: json
        }
    }
}
