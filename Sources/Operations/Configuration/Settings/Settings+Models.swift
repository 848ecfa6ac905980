import Retraining

extension Settings {
    /// What may differ for a single model, under the same names as above.
    static let modelFields: [Setting<ModelOverrides>] = [
        .optionalNumber("drift_threshold_critical", \.criticalThreshold, .above(0, upTo: 1), "As above."),
        .optionalNumber("drift_threshold_warning", \.warningThreshold, .above(0, upTo: 1), "As above."),
        .optionalNumber(
            "sla_breach_threshold", \.breachThreshold, .above(0, upTo: 1), "As `safeguards.sla_breach_threshold`."),
        .optionalDuration("min_hours_between_training", \.minimumInterval, .from(0, to: 8_760), "As above."),
        .optionalDuration("max_days_without_training", \.maximumAge, .above(0, upTo: 3_650), "As above."),
        .optionalInteger("max_trainings_per_week", \.maximumPerWeek, .from(1, to: 1_000), "As above."),
        .optionalChoice("error_measure", \.errorMeasure, "As above."),
        .optionalChoice("mode", \.mode, "As above."),
        .optionalText("pool", \.pool, .name, "As `quiet.pool`."),
        modelRanges,
    ]

    private static let modelRanges: Setting<ModelOverrides> = {
        let ranges = expectedRanges("expected_ranges", \ModelRanges.ranges)
        return Setting(
            key: ranges.key, shape: ranges.shape, isOptional: true,
            summary: "As above; takes the place of the general ranges for this model.",
            read: { $0.expectedRanges.map { ranges.read(ModelRanges(ranges: $0)) } ?? .null },
            write: { value, overrides in
                var model = ModelRanges(ranges: overrides.expectedRanges ?? [:])
                ranges.write(value, &model)
                overrides.expectedRanges = model.ranges
            })
    }()

    private struct ModelRanges {
        var ranges: [String: DriftConfiguration.ExpectedRange]
    }

    static let models = Setting<Configuration>(
        key: "models",
        shape: .map(
            of: .record(modelFields.map { .init(key: $0.key, shape: $0.shape, summary: $0.summary) }), keys: .name),
        summary: "Settings that differ for single models, by model name.",
        read: { root in
            .map(
                root.engine.models.sorted { $0.key < $1.key }.map { name, overrides in
                    let entries = modelFields.map { SettingValue.Entry(key: $0.key, value: $0.read(overrides)) }
                    return .init(key: name, value: .map(entries.filter { $0.value != .null }))
                })
        },
        write: { value, root in
            for model in value.entries {
                var overrides = root.engine.models[model.key] ?? ModelOverrides()
                for entry in model.value.entries {
                    modelFields.first { $0.key == entry.key }?.write(entry.value, &overrides)
                }
                root.engine.models[model.key] = overrides
            }
        })
}

extension Setting {
    static func optionalNumber(
        _ key: String, _ path: any SendableKeyPath<Root, Double?>, _ bounds: Bounds, _ summary: String
    ) -> Self {
        Setting(
            key: key, shape: .number(bounds), isOptional: true, summary: summary,
            read: { $0[keyPath: path].map { .number($0) } ?? .null },
            write: { $1[keyPath: path] = $0.number })
    }

    static func optionalInteger(
        _ key: String, _ path: any SendableKeyPath<Root, Int?>, _ bounds: Bounds, _ summary: String
    ) -> Self {
        Setting(
            key: key, shape: .integer(bounds), isOptional: true, summary: summary,
            read: { $0[keyPath: path].map { .integer($0) } ?? .null },
            write: { $1[keyPath: path] = $0.integer })
    }
}
