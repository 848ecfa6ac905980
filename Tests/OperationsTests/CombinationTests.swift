import Testing

@testable import Operations

/// Protects against settings that are right each for itself and wrong together.
@Suite struct CombinationTests {
    @Test(arguments: [
        (
            "drift_threshold_warning: 0.11\n",
            """
            f.yaml:1:26: error: drift_threshold_warning (0.11) is above drift_threshold_critical (0.1)
                hint: the warning comes before the training: lower the first or raise the second
            """
        ),
        (
            "drift_threshold_critical: 0.2\n",
            """
            f.yaml:1:27: error: drift_threshold_critical (0.2) is above safeguards.sla_breach_threshold (0.12)
                hint: the SLA would be breached before a training is recommended
            """
        ),
        (
            "min_hours_between_training: 200\nmax_days_without_training: 7\n",
            """
            f.yaml:1:29: error: min_hours_between_training (200 h) is longer than max_days_without_training (7 d)
                hint: the forced refresh could never start
            """
        ),
        (
            "topics:\n  load: actuals\n",
            """
            f.yaml:2:9: error: topics.load and topics.actuals are the same topic, "actuals"
                hint: every kind of record needs a topic of its own
            """
        ),
        (
            "drift: {weights: {prediction_error: 0.5}}\n",
            """
            f.yaml:1:37: error: drift.weights must add up to 1, not 1.1
                hint: the thresholds are meant for a weighted mean
            """
        ),
        (
            "prediction_window_size: 50\n",
            """
            f.yaml:1:25: error: drift.min_samples (100) is more than prediction_window_size (50): no window would \
            ever be full enough
                hint: lower drift.min_samples or raise prediction_window_size
            """
        ),
        (
            "expected_ranges: {cpu: {min: 5, max: 1}}\n",
            """
            f.yaml:1:38: error: expected_ranges.cpu: min is more than max
                hint: every prediction would count as an anomaly
            """
        ),
        (
            "quiet: {fallback_hours: [22, 4]}\n",
            """
            f.yaml:1:25: error: quiet.fallback_hours must run forwards within a day
                hint: such as [2, 5]: from two to five in the morning; midnight as an end is 24
            """
        ),
        (
            "quiet: {blackouts: [{from: 2025-12-24, to: 2025-12-24, name: Eve}]}\n",
            """
            f.yaml:1:20: error: entry 1 of quiet.blackouts (Eve) ends before it begins
                hint: "to" is not included: for a whole day give the next one
            """
        ),
        (
            "kafka: {sasl: {username: u}}\n",
            """
            f.yaml:1:26: error: kafka.sasl.username is set but kafka.sasl.mechanism is not
                hint: name the mechanism, such as SCRAM-SHA-512
            """
        ),
        (
            "kafka: {sasl: {mechanism: PLAIN, username: u}}\n",
            "f.yaml:1:27: error: kafka.sasl.mechanism PLAIN needs kafka.sasl.password_file"
        ),
        (
            "kafka: {tls: {ca_file: ca.pem}}\n",
            """
            f.yaml:1:24: error: kafka.tls.ca_file is set but kafka.tls.enabled is false
                hint: the connection would not be encrypted: set kafka.tls.enabled to true, or remove the file
            """
        ),
        (
            "http: {address: '0.0.0.0:8080'}\n",
            """
            f.yaml:1:17: error: http.address 0.0.0.0:8080 is open to the network without a token
                hint: set http.token_file, or listen on 127.0.0.1 behind a proxy that encrypts
            """
        ),
        (
            "models:\n  a:\n    drift_threshold_warning: 0.3\n",
            """
            f.yaml:3:30: error: models.a.drift_threshold_warning (0.3) is above drift_threshold_critical (0.1)
                hint: the warning comes before the training: lower the first or raise the second
            """
        ),
        (
            "training: {status: none, assumed_duration_hours: 48}\n",
            """
            f.yaml:1:50: error: training.assumed_duration_hours is longer than training.deadline_hours
                hint: a request would expire before it counts as trained
            """
        ),
    ])
    func conflict(_ yaml: String, _ expected: String) {
        expectProblems([expected]) { () throws(ConfigurationErrors) in
            try Configuration.load(yaml: Array(yaml.utf8), name: "f.yaml")
        }
    }
}
