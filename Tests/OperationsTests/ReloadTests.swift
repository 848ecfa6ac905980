import Foundation
import Testing

@testable import Operations

/// Protects what a reload changes and what it leaves, and that a configuration can be told as text and read again.
@Suite struct ReloadTests {
    private static let old = """
        drift_threshold_critical: 0.11
        expected_ranges: {cpu: {min: 0, max: 100}, mem: {min: 0}}
        log_dir: /var/log/a
        kafka: {group_id: blue, additional: {fetch.min.bytes: 1}}
        contracts: {load: {entity: /host}}
        models: {gone: {mode: observe}, kept: {drift_threshold_critical: 0.115}}
        quiet: {holidays: [12-25], time_zone: Europe/Berlin}
        """
    private static let new = """
        drift_check_interval_mins: 10
        drift_threshold_critical: 0.105
        expected_ranges: {cpu: {max: 90}}
        prediction_window_size: 500
        load_prediction_lookback_days: 14
        log_dir: /var/log/b
        log_level: debug
        decisions: changes
        on_invalid: skip
        window: count
        application_id: other
        default_model: m
        quiet: {holidays: [01-01], rule: absolute, blackouts: [{from: 2025-11-28, to: 2025-12-02, name: sale}]}
        kafka: {group_id: green, additional: {fetch.max.bytes: 2}, sasl: {mechanism: PLAIN, username: u, password_file: p}}
        topics: {load: other-load}
        contracts: {actuals: {entity: /host}}
        limits: {models: 7, record_bytes: 2048, far_future_mins: 1}
        worker: {checkpoint_interval_ms: 50, shutdown_deadline_secs: 5, log_file_bytes: 2048}
        http: {address: 127.0.0.1:9999}
        alerts: {webhook_url: "https://hooks.example.com/services/T0/secret", max_per_minute: 5}
        alert_email: ops@example.com
        models: {kept: {drift_threshold_critical: 0.11}, new: {mode: observe}}
        """

    private func load(_ yaml: String) throws -> Configuration {
        try Configuration.load(yaml: Array(yaml.utf8), name: "f.yaml")
    }

    @Test func onlyWhatMayChangeChanges() throws {
        let (old, new) = (try load(Self.old), try load(Self.new))
        let next = old.reloaded(as: new)
        var changed = 0
        for setting in Settings.all {
            let expected = setting.read(setting.needsRestart ? old : new)
            #expect(setting.read(next) == expected, "\(setting.key)")
            if setting.read(old) != setting.read(new) { changed += 1 }
        }
        #expect(changed > 25, "the two files differ in too little")
        #expect(next.engine.quiet.blackouts.count == 1, "what follows from settings is worked out anew")
        #expect(next.engine.fingerprint == next.fingerprint)
        #expect(old.reloaded(as: old).fingerprint == old.fingerprint)
    }

    @Test(arguments: [old, new, "{}"])
    func asTextItIsTheSame(_ yaml: String) throws {
        let configuration = try load(yaml)
        let again = try load(configuration.settingsText)
        #expect(again.fingerprint == configuration.fingerprint)
        #expect(again.engine == configuration.engine)
        #expect(again.engine.fingerprint == configuration.fingerprint)
    }

    @Test func addressesThatAreSecretsAreNotShown() throws {
        let configuration = try load(Self.new)
        let shown = configuration.redacted.map { "\($0.key) \($0.value) \($0.origin)" }.joined(separator: "\n")
        #expect(shown.contains(#"alerts.webhook_url "https://hooks.example.com/…""#))
        #expect(!shown.contains("T0/secret"))
        let argument = try Configuration.load(
            file: nil, overrides: ["alerts.webhook_url=https://h.example.com/T0/secret"])
        #expect(!argument.redacted.contains { "\($0)".contains("T0/secret") })
    }

    /// Every setting does something: nothing is left that is checked only.
    @Test func nothingIsWithoutEffect() {
        #expect(Configuration.reference.contains("Not yet") == false)
    }
}
