import Retraining

/// What the demo's worker runs with: the defaults, but for what the demo's pace and length ask for.
struct WorkerConfiguration {
    /// Minutes of stream time between two evaluations.
    var checkIntervalMinutes: Int
    /// Whether records come at their own wall-clock time. Where they do not, lag means nothing and holds no trigger.
    var isLive = false
    /// How far back the first start may read; the records of a recorded set are years old.
    var lookbackDays = 35
    /// Metric name to the range outside of which a prediction is an anomaly.
    var expectedRanges: [(metric: String, minimum: Double, maximum: Double?)] = []
    /// Models whose load is that of a pool of their own, with the pool's name.
    var pools: [(model: String, pool: String)] = []
    /// Where the worker serves its dashboard, on this machine; nil serves none.
    var dashboardPort: Int?
    /// Further settings, as whole lines.
    var further: [String] = []

    /// The configuration file.
    func text(bootstrapServers: String, logDirectory: String) -> String {
        var lines = [
            "# Written by `driftgate demo`. What is not here has its default.",
            "drift_check_interval_mins: \(checkIntervalMinutes)",
            "log_dir: \(Self.quoted(logDirectory))",
            "kafka:",
            "  bootstrap_servers: [\(Self.quoted(bootstrapServers))]",
            "  # The embedded broker only keeps books of transactions.",
            "  transactions: false",
            "http:",
            "  address: \(dashboardPort.map { "127.0.0.1:\($0)" } ?? "null")",
            "worker:",
            "  first_start_lookback_days: \(lookbackDays)",
        ]
        if !isLive {
            lines += [
                "safeguards:", "  # Stream time runs faster than the clock on the wall.",
                "  max_trigger_lag_mins: null",
            ]
        }
        if !expectedRanges.isEmpty {
            lines.append("expected_ranges:")
            lines += expectedRanges.map { range in
                let maximum = range.maximum.map { ", max: \($0)" } ?? ""
                return "  \(Self.quoted(range.metric)): {min: \(range.minimum)\(maximum)}"
            }
        }
        if !pools.isEmpty {
            lines.append("models:")
            lines += pools.map { "  \(Self.quoted($0.model)): {pool: \(Self.quoted($0.pool))}" }
        }
        return (lines + further).joined(separator: "\n") + "\n"
    }

    /// A YAML text in double quotes.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
