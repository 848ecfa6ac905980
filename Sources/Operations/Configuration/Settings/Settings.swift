import Retraining

/// The table of all settings. Parsing, checking, documentation, JSON Schema and `config show` come from it.
enum Settings {
    /// In the order of the documentation.
    static let all: [Setting<Configuration>] = [
        source, general, drift, quiet, safeguards, training, kafka, topics, contracts, limits, worker, http, alerts,
        [models],
    ].flatMap { $0 }

    static let byKey: [String: Setting<Configuration>] = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

    /// Keys that hold other keys, with what they are about.
    static let sections: [(key: String, summary: String)] = [
        ("drift", "How drift is measured, beyond the thresholds above."),
        ("drift.weights", "Weights of the four terms; they add up to 1."),
        ("join", "How predictions and actuals find each other."),
        (
            "quiet",
            "When a training may start. `quiet: absolute` or `quiet: adaptive` alone is short for `quiet: {rule: …}`."
        ),
        ("safeguards", "What keeps trainings from running wild, beyond the source's three limits above."),
        ("training", "What a training request asks for, and how long it may take."),
        ("kafka", "How to reach the cluster and as whom."),
        ("kafka.tls", "Encryption. Files are PEM."),
        ("kafka.sasl", "Authentication by SASL."),
        ("topics", "Names of the topics, all distinct."),
        (
            "contracts",
            "JSON pointers to the fields of the inputs where they differ from the contracts, such as "
                + "`contracts: {actuals: {entity: /host/name}}`."
        ),
        ("limits", "Bounds on whatever an input may grow. What is over a bound is counted."),
        ("worker", "Checkpoints, start and stop."),
        ("http", "Dashboard, metrics and health checks."),
        ("alerts", "Where alerts go besides their topic."),
    ]

    static let sectionKeys = Set(sections.map(\.key))

    /// A section that may be given as a scalar, and the setting that the scalar stands for.
    static let shorthands = ["quiet": "quiet.rule"]

    static func needingRestart(_ settings: [Setting<Configuration>]) -> [Setting<Configuration>] {
        settings.map { $0.restart() }
    }

    /// The source design's own settings (SOURCE section 9), under their names.
    static let source: [Setting<Configuration>] = [
        .duration(
            "drift_check_interval_mins", \.engine.drift.checkInterval, .from(1, to: 1_440),
            "Each model is evaluated when stream time crosses a boundary of this interval."),
        .number(
            "drift_threshold_critical", \.engine.drift.criticalThreshold, .above(0, upTo: 1),
            "A drift score above this recommends `retrain`. 0.10 stands for 88 % accuracy."),
        .number(
            "drift_threshold_warning", \.engine.drift.warningThreshold, .above(0, upTo: 1),
            "A drift score above this recommends `monitor`. 0.08 stands for 92 % accuracy."),
        .integer(
            "prediction_window_size", \.engine.drift.windowSize, .from(1, to: 1_000_000),
            "Samples that a window holds at most."
        ).restart(),
        .number(
            "quiet_load_threshold", \.engine.quiet.loadThreshold, .above(0, upTo: 1),
            "A load score below this is quiet."),
        .duration(
            "min_quiet_duration_hours", \.engine.quiet.minimumDuration, .above(0, upTo: 24),
            "A quiet window is at least this long: long enough for a training."),
        .duration(
            "load_prediction_lookback_days", \.engine.quiet.lookback, .from(1, to: 365),
            "Load history that the quiet profile is learned from."
        ).restart(),
        .duration(
            "min_hours_between_training", \.engine.safeguards.minimumInterval, .from(0, to: 8_760),
            "No training sooner than this after the last one of the model."),
        .duration(
            "max_days_without_training", \.engine.safeguards.maximumAge, .above(0, upTo: 3_650),
            "After this long without training, one is forced."),
        .integer(
            "max_trainings_per_week", \.engine.safeguards.maximumPerWeek, .from(1, to: 1_000),
            "Trainings of a model in any 7 days, at most."),
        .duration(
            "training_window_days", \.engine.training.window, .above(0, upTo: 3_650),
            "Stretch of data that a request asks to train on."),
        .integer(
            "epochs_per_training", \.engine.training.epochs, .from(1, to: 10_000), "Epochs that a request asks for."),
        .optionalText(
            "log_dir", \.output.logDirectory, .path,
            "Directory of the decision log (JSON lines, one file a day); empty writes none."
        ).restart(),
        .optionalText(
            "alert_email", \.delivery.email, .email, "Address that alerts are mailed to, through `alerts.smtp_url`."),
        .duration(
            "drift_metrics_retention_days", \.output.logRetention, .from(1, to: 36_500),
            "Days for which files of the decision log are kept."
        ).restart(),
    ]

    static let general: [Setting<Configuration>] = [
        .choice("mode", \.engine.mode, "`observe` decides and publishes, but requests no training."),
        .choice(
            "scoring", \.engine.drift.scoring,
            "`plain` is the source's formula to the letter; `calibrated` measures each term above its own floor."),
        .choice(
            "window", \.engine.drift.window,
            "`count`: the last `prediction_window_size` samples; `span`: samples that cover a span of time evenly."
        ).restart(),
        .choice("error_measure", \.engine.drift.errorMeasure, "What PER is measured by. All are always reported."),
        expectedRanges("expected_ranges", \.engine.drift.expectedRanges),
        .choice(
            "decisions", \.output.decisions,
            "`all` publishes every evaluation; `changes` only triggers, and holds for a new reason or by another baseline."
        ),
        .choice("on_invalid", \.input.onInvalid, "What to do with a record that cannot be read."),
        .choice(
            "scale", \.worker.scale,
            "`single`: one task reads all; `partitioned`: one task a partition, records keyed by model."
        ).restart(),
        .text(
            "application_id", \.engine.applicationID, .name,
            "Part of every `request_id`, so that two installations on one cluster never collide."
        ).restart(),
        .optionalText("default_model", \.engine.defaultModel, .name, "The model of records that name none.").restart(),
        .choice("log_level", \.logLevel, "The least level that is logged."),
    ]

    /// Metric name to the range outside of which a prediction is an anomaly.
    static func expectedRanges<Root>(
        _ key: String, _ path: any SendableKeyPath<Root, [String: DriftConfiguration.ExpectedRange]>
    ) -> Setting<Root> {
        let fields: [ValueShape.Field] = [
            .init(key: "min", shape: .number(.any), summary: "Lowest value expected; open if left out."),
            .init(key: "max", shape: .number(.any), summary: "Highest value expected; open if left out."),
        ]
        return Setting(
            key: key, shape: .map(of: .record(fields), keys: .name),
            summary: "By metric: a prediction below `min` or above `max` counts as an anomaly.",
            read: { root in
                .map(
                    root[keyPath: path].sorted { $0.key < $1.key }.map { name, range in
                        var entries: [SettingValue.Entry] = []
                        if range.minimum.isFinite { entries.append(.init(key: "min", value: .number(range.minimum))) }
                        if range.maximum.isFinite { entries.append(.init(key: "max", value: .number(range.maximum))) }
                        return .init(key: name, value: .map(entries))
                    })
            },
            write: { value, root in
                for entry in value.entries {
                    var range = root[keyPath: path][entry.key] ?? .init()
                    if let minimum = entry.value["min"]?.number { range.minimum = minimum }
                    if let maximum = entry.value["max"]?.number { range.maximum = maximum }
                    root[keyPath: path][entry.key] = range
                }
            })
    }
}
