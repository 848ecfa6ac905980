import Retraining
import Testing

@testable import Operations

/// Protects the order of the layers, and that each problem names the layer that holds it.
@Suite struct LayerTests {
    private let yaml = Array("kafka:\n  group_id: file\n  client_id: file\n  group_instance_id: file\n".utf8)

    @Test func laterLayersWin() throws {
        let configuration = try Configuration.load(
            yaml: yaml, name: "f.yaml",
            environment: ["DRIFTGATE_KAFKA__CLIENT_ID": "env", "DRIFTGATE_KAFKA__GROUP_INSTANCE_ID": "env"],
            overrides: ["kafka.group_instance_id=first", "kafka.group_instance_id=last"])
        #expect(configuration.kafka.groupID == "file")
        #expect(configuration.kafka.clientID == "env")
        #expect(configuration.kafka.groupInstanceID == "last")
        #expect(configuration.origin(of: "kafka.group_id") == .file(path: "f.yaml", line: 2, column: 13))
        #expect(configuration.origin(of: "kafka.client_id") == .environment(variable: "DRIFTGATE_KAFKA__CLIENT_ID"))
        #expect(configuration.origin(of: "kafka.group_instance_id") == .argument("kafka.group_instance_id=last"))
        #expect(configuration.origin(of: "mode") == .default)
    }

    @Test func structuresInVariablesAndArguments() throws {
        let configuration = try Configuration.load(
            file: nil,
            environment: [
                "DRIFTGATE_KAFKA__BOOTSTRAP_SERVERS": "a:9092, b:9093",
                "DRIFTGATE_MODELS": "{tft-prod: {mode: observe}}",
                "DRIFTGATE_QUIET": "absolute",
                "DRIFTGATE_QUIET__FALLBACK_HOURS": "1,4",
                "DRIFTGATE_ALERT_EMAIL": "",
            ],
            overrides: [
                "models.tft-prod.max_trainings_per_week=2", "models.v1.2.expected_ranges.cpu.pct.max=100",
                "kafka.additional.fetch.min.bytes=1", "quiet.holidays=[12-25]", "expected_ranges={cpu: {min: 0}}",
            ])
        #expect(configuration.kafka.bootstrapServers == ["a:9092", "b:9093"])
        #expect(configuration.engine.models["tft-prod"]?.mode == .observe)
        #expect(configuration.engine.models["tft-prod"]?.maximumPerWeek == 2)
        #expect(configuration.engine.models["v1.2"]?.expectedRanges?["cpu.pct"]?.maximum == 100)
        #expect(configuration.engine.quiet.rule == .absolute)
        #expect(configuration.engine.quiet.fallbackHours == 1..<4)
        #expect(configuration.kafka.additional == ["fetch.min.bytes": "1"])
        #expect(configuration.calendar.holidays == ["12-25"])
        #expect(configuration.engine.drift.expectedRanges["cpu"]?.minimum == 0)
        #expect(configuration.delivery.email == nil)
        #expect(configuration.origin(of: "models.tft-prod.mode") == .environment(variable: "DRIFTGATE_MODELS"))
        #expect(
            configuration.origin(of: "models.tft-prod.max_trainings_per_week")
                == .argument("models.tft-prod.max_trainings_per_week=2"))
    }

    /// Tests and Kubernetes (beside a service called `driftgate`) set variables that are no settings.
    @Test func foreignVariablesArePassedOver() throws {
        _ = try Configuration.load(
            file: nil,
            environment: [
                "DRIFTGATE_TEST_BROKER": "x", "DRIFTGATE_SHARED": "x", "DRIFTGATE_SERVICE_HOST": "10.0.0.1",
                "DRIFTGATE_SERVICE_PORT_HTTP": "80", "DRIFTGATE_PORT": "tcp://10.0.0.1:80",
                "DRIFTGATE_PORT_80_TCP_ADDR": "10.0.0.1", "OTHER": "x",
            ])
    }

    @Test func problemsNameTheLayer() {
        expectProblems([
            "environment variable DRIFTGATE_EPOCHS_PER_TRAINING: error: epochs_per_training must be a whole number from "
                + "1 to 10000, not \"0x1\""
        ]) { () throws(ConfigurationErrors) in
            try Configuration.load(file: nil, environment: ["DRIFTGATE_EPOCHS_PER_TRAINING": "0x1"])
        }
        expectProblems([
            """
            environment variable DRIFTGATE_KAFKA_GROUP_ID: error: there is no such setting
                hint: did you mean DRIFTGATE_KAFKA__GROUP_ID?
            """,
            """
            environment variable DRIFTGATE_MODELS__TFT__MODE: error: a variable cannot name an entry of models
                hint: set DRIFTGATE_MODELS to the whole mapping, as in '{name: value}', or use --set
            """,
            """
            --set mode: error: the value is missing
                hint: write --set mode=value
            """,
            """
            --set group_id=x: error: there is no setting called "group_id"
                hint: did you mean kafka.group_id?
            """,
            """
            --set mode=acts: error: mode must be act or observe, not "acts"
                hint: did you mean act?
            """,
            """
            --set kafka.additional.acks=1: error: acks may not be set: the transactional producer needs its own value
                hint: remove it
            """,
        ]) { () throws(ConfigurationErrors) in
            try Configuration.load(
                file: nil,
                environment: ["DRIFTGATE_KAFKA_GROUP_ID": "x", "DRIFTGATE_MODELS__TFT__MODE": "observe"],
                overrides: ["mode", "group_id=x", "mode=acts", "kafka.additional.acks=1"])
        }
    }

    /// A conflict between layers is the later layer's.
    @Test func conflictsNameTheLaterLayer() {
        expectProblems([
            """
            --set drift_threshold_warning=0.2: error: drift_threshold_warning (0.2) is above drift_threshold_critical \
            (0.1)
                hint: the warning comes before the training: lower the first or raise the second
            """
        ]) { () throws(ConfigurationErrors) in
            try Configuration.load(
                yaml: Array("drift_threshold_critical: 0.1\n".utf8), name: "f.yaml",
                overrides: ["drift_threshold_warning=0.2"])
        }
    }

    /// A broken file does not hide what is wrong with the arguments.
    @Test func fileAndArgumentsAreReportedTogether() {
        expectProblems([
            """
            f.yaml: error: the file is empty
                hint: name at least kafka.bootstrap_servers; without a file the defaults hold
            """,
            "--set zzz=1: error: there is no setting called \"zzz\"",
        ]) { () throws(ConfigurationErrors) in
            try Configuration.load(yaml: [], name: "f.yaml", overrides: ["zzz=1"])
        }
    }
}
