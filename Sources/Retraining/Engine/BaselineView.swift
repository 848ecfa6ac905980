import Statistics

/// What a model's baseline holds, in figures for people. Taking it changes nothing.
public struct BaselineView: Sendable, Equatable {
    /// Shares of the values below the quantiles that are given: the least, the greatest, and five in between.
    public static let probabilities = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]

    public struct Metric: Sendable, Equatable {
        public var name: String
        public var count: Int
        public var mean: Double
        public var standardDeviation: Double
        /// At ``BaselineView/probabilities``.
        public var quantiles: [Double]
    }

    public var model: String
    public var modelVersion: String?
    /// Trainings do not replace it; where there is none yet, the first one that is captured.
    public var isFrozen: Bool
    /// Nil where there is none yet, and so the two below.
    public var version: Int?
    public var origin: Baseline.Origin?
    public var capturedAt: Milliseconds?
    /// By name.
    public var metrics: [Metric]
}

extension Engine {
    /// The baseline of a model; nil for a model that this engine does not know.
    public func baseline(of name: String) -> BaselineView? {
        guard let number = modelNames.find(name), models.indices.contains(Int(number)),
            let model = models[Int(number)]
        else { return nil }
        let metrics = model.slotsByName.compactMap { slot -> BaselineView.Metric? in
            guard let baseline = model.baseline, baseline.metrics.indices.contains(slot),
                let distribution = baseline.metrics[slot]?.pooled.distribution
            else { return nil }
            return BaselineView.Metric(
                name: model.metricNames[slot], count: distribution.count, mean: distribution.mean,
                standardDeviation: distribution.standardDeviation,
                quantiles: BaselineView.probabilities.compactMap(distribution.quantile))
        }
        return BaselineView(
            model: name, modelVersion: model.serving >= 0 ? versionNames[model.serving] : nil,
            isFrozen: model.isBaselineFrozen, version: model.baseline?.version, origin: model.baseline?.origin,
            capturedAt: model.baseline?.capturedAt, metrics: metrics)
    }
}
