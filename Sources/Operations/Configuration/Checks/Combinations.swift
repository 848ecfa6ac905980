import Retraining

/// Settings that are right each for itself but impossible together.
enum Combinations {
    /// Two or more keys that do not go together, and why.
    struct Conflict {
        var keys: [String]
        var message: String
        var hint: String?
    }

    static func problems(of configuration: Configuration) -> [ConfigurationProblem] {
        let conflicts =
            drift(configuration) + schedule(configuration) + models(configuration) + topics(configuration)
            + kafka(configuration) + quiet(configuration) + services(configuration)
        return conflicts.map { conflict in
            ConfigurationProblem(
                origin(of: conflict.keys, in: configuration), conflict.message, hint: conflict.hint)
        }
    }

    /// The place of the key that was set last: by layer, then in the order given.
    private static func origin(of keys: [String], in configuration: Configuration) -> Origin {
        var latest = Origin.default
        for key in keys {
            let origin = configuration.origin(of: key)
            if origin.rank > latest.rank { latest = origin }
        }
        return latest
    }

    private static func drift(_ configuration: Configuration) -> [Conflict] {
        let drift = configuration.engine.drift
        var conflicts = thresholds(
            warning: drift.warningThreshold, critical: drift.criticalThreshold,
            breach: configuration.engine.safeguards.breachThreshold,
            keys: ["drift_threshold_warning", "drift_threshold_critical", "safeguards.sla_breach_threshold"])
        let weights = drift.weights
        let sum = weights.predictionError + weights.distributionShift + weights.featureDrift + weights.anomalyRate
        if abs(sum - 1) > 1e-9 {
            let names = ["prediction_error", "distribution_shift", "feature_drift", "anomaly_rate"]
            let rounded = (sum * 1e9).rounded() / 1e9
            conflicts.append(
                Conflict(
                    keys: names.map { "drift.weights.\($0)" },
                    message: "drift.weights must add up to 1, not \(SettingValue.text(of: rounded))",
                    hint: "the thresholds are meant for a weighted mean"))
        }
        if drift.minimumSamples > drift.windowSize {
            conflicts.append(
                Conflict(
                    keys: ["drift.min_samples", "prediction_window_size"],
                    message: "drift.min_samples (\(drift.minimumSamples)) is more than prediction_window_size "
                        + "(\(drift.windowSize)): no window would ever be full enough",
                    hint: "lower drift.min_samples or raise prediction_window_size"))
        }
        if drift.severePersistence > drift.persistence {
            conflicts.append(
                Conflict(
                    keys: ["drift.severe_persistence_hours", "drift.persistence_hours"],
                    message: "drift.severe_persistence_hours is more than drift.persistence_hours",
                    hint: "severe drift must trigger sooner, not later"))
        }
        if zip(drift.horizonBuckets, drift.horizonBuckets.dropFirst()).contains(where: { $0 >= $1 }) {
            conflicts.append(
                Conflict(
                    keys: ["drift.horizon_bucket_hours"], message: "drift.horizon_bucket_hours must ascend"))
        }
        for (metric, range) in drift.expectedRanges where range.minimum > range.maximum {
            conflicts.append(rangeConflict("expected_ranges.\(metric)"))
        }
        return conflicts
    }

    private static func rangeConflict(_ key: String) -> Conflict {
        Conflict(
            keys: ["\(key).max", "\(key).min"], message: "\(key): min is more than max",
            hint: "every prediction would count as an anomaly")
    }

    /// Warning <= critical <= SLA breach, each named by its own key.
    private static func thresholds(
        warning: Double, critical: Double, breach: Double, keys: [String]
    ) -> [Conflict] {
        func text(_ value: Double) -> String { SettingValue.text(of: value) }
        var conflicts: [Conflict] = []
        if warning > critical {
            conflicts.append(
                Conflict(
                    keys: [keys[0], keys[1]],
                    message: "\(keys[0]) (\(text(warning))) is above \(keys[1]) (\(text(critical)))",
                    hint: "the warning comes before the training: lower the first or raise the second"))
        }
        if critical > breach {
            conflicts.append(
                Conflict(
                    keys: [keys[1], keys[2]],
                    message: "\(keys[1]) (\(text(critical))) is above \(keys[2]) (\(text(breach)))",
                    hint: "the SLA would be breached before a training is recommended"))
        }
        return conflicts
    }

    private static func schedule(_ configuration: Configuration) -> [Conflict] {
        let (safeguards, training) = (configuration.engine.safeguards, configuration.engine.training)
        var conflicts = intervals(
            safeguards.minimumInterval, safeguards.maximumAge,
            keys: ["min_hours_between_training", "max_days_without_training"])
        func order(_ first: (String, Milliseconds), _ second: (String, Milliseconds), _ hint: String) {
            guard first.1 > second.1 else { return }
            conflicts.append(
                Conflict(keys: [first.0, second.0], message: "\(first.0) is longer than \(second.0)", hint: hint))
        }
        order(
            ("safeguards.refresh_lead_hours", safeguards.refreshLead),
            ("max_days_without_training", safeguards.maximumAge),
            "a forced refresh would be due at once after every training")
        order(
            ("safeguards.first_backoff_hours", safeguards.firstBackoff),
            ("safeguards.longest_backoff_hours", safeguards.longestBackoff), "the first wait is the shortest")
        order(
            ("training.accept_timeout_mins", training.acceptTimeout), ("training.deadline_hours", training.deadline),
            "a request would expire before it could be sent again")
        if training.status == .none {
            order(
                ("training.assumed_duration_hours", training.assumedDuration),
                ("training.deadline_hours", training.deadline), "a request would expire before it counts as trained")
        }
        return conflicts
    }

    private static func intervals(_ least: Milliseconds, _ most: Milliseconds, keys: [String]) -> [Conflict] {
        guard least > most else { return [] }
        let (hours, days) = (Double(least) / Double(Milliseconds.hour), Double(most) / Double(Milliseconds.day))
        return [
            Conflict(
                keys: keys,
                message: "\(keys[0]) (\(SettingValue.text(of: hours)) h) is longer than \(keys[1]) "
                    + "(\(SettingValue.text(of: days)) d)",
                hint: "the forced refresh could never start")
        ]
    }

    /// The overrides of a model against the general settings that they meet.
    private static func models(_ configuration: Configuration) -> [Conflict] {
        let engine = configuration.engine
        return engine.models.sorted { $0.key < $1.key }.flatMap { name, model -> [Conflict] in
            let path = "models.\(name)"
            func key(_ field: String, _ isSet: Bool, _ general: String) -> String {
                isSet ? "\(path).\(field)" : general
            }
            var conflicts: [Conflict] = []
            let (warning, critical, breach) = (model.warningThreshold, model.criticalThreshold, model.breachThreshold)
            if warning != nil || critical != nil || breach != nil {
                conflicts += thresholds(
                    warning: warning ?? engine.drift.warningThreshold,
                    critical: critical ?? engine.drift.criticalThreshold,
                    breach: breach ?? engine.safeguards.breachThreshold,
                    keys: [
                        key("drift_threshold_warning", warning != nil, "drift_threshold_warning"),
                        key("drift_threshold_critical", critical != nil, "drift_threshold_critical"),
                        key("sla_breach_threshold", breach != nil, "safeguards.sla_breach_threshold"),
                    ]
                ).filter { $0.keys.contains { $0.hasPrefix(path) } }
            }
            if model.minimumInterval != nil || model.maximumAge != nil {
                conflicts += intervals(
                    model.minimumInterval ?? engine.safeguards.minimumInterval,
                    model.maximumAge ?? engine.safeguards.maximumAge,
                    keys: [
                        key("min_hours_between_training", model.minimumInterval != nil, "min_hours_between_training"),
                        key("max_days_without_training", model.maximumAge != nil, "max_days_without_training"),
                    ])
            }
            for (metric, range) in model.expectedRanges ?? [:] where range.minimum > range.maximum {
                conflicts.append(rangeConflict("\(path).expected_ranges.\(metric)"))
            }
            return conflicts
        }
    }
}
