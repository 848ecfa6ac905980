import Statistics

/// What a model's actuals looked like when all was well: fixed between trainings, versioned.
public struct Baseline: Sendable {
    public enum Origin: String, Sendable {
        /// The first one, once the windows spanned long enough.
        case first
        /// From the windows after a training.
        case training
        /// An operator asked.
        case command
    }

    public var version: Int
    public var origin: Origin
    public var capturedAt: Milliseconds
    /// By metric slot; nil for a metric that had too few values.
    var metrics: [MetricBaseline?]
}

/// One metric's baseline.
struct MetricBaseline: Sendable {
    var distribution: BaselineDistribution

    /// Fewest values that make a baseline.
    static let minimumCount = 8

    /// Nil for fewer values than can make a baseline.
    init?(values: [Double]) {
        let distribution = BaselineDistribution(values)
        guard distribution.count >= Self.minimumCount, distribution.mean.isFinite else { return nil }
        self.distribution = distribution
    }

    /// |mean − baseline mean| / baseline standard deviation, 0 to the cap.
    func meanShift(of mean: Double) -> Double {
        DriftScore.meanShift(
            mean: mean, baselineMean: distribution.mean, baselineDeviation: distribution.standardDeviation)
    }
}
