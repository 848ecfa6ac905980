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
    /// AR when it was captured: what the model does when all is well.
    var anomalyRate = 0.0
}

/// One metric's baseline.
struct MetricBaseline: Sendable {
    var distribution: BaselineDistribution
    /// What windows of the baseline itself reach against the rest of it: the largest of half-overlapping blocks.
    var statisticFloor: Double
    var shiftFloor: Double

    /// Fewest values that make a baseline.
    static let minimumCount = 8

    /// Nil for fewer values than can make a baseline.
    ///
    /// - Parameters:
    ///   - values: in the order of time.
    ///   - windowShare: how much of the baseline's span a window covers, 0 to 1; blocks are as long, a quarter at most.
    init?(values: [Double], windowShare: Double) {
        let distribution = BaselineDistribution(values)
        guard distribution.count >= Self.minimumCount, distribution.mean.isFinite else { return nil }
        self.distribution = distribution
        let length = max(1, Int(Double(values.count) * min(0.25, windowShare)))
        let floors = BlockFloors(baseline: values, windowLength: length)
        statisticFloor = min(floors.statistics.max() ?? floors.meanStatistic, 1)
        shiftFloor = floors.shifts.max() ?? floors.meanShift
    }

    /// (D − D₀) / (1 − D₀), 0 to 1: the shift of the distribution beyond its floor.
    func excess(statistic: Double) -> Double {
        statisticFloor < 1 ? max(0, statistic - statisticFloor) / (1 - statisticFloor) : 0
    }

    /// d / (1 + d) with d the shift of the mean beyond its floor, 0 to below 1.
    func excess(meanShift: Double) -> Double {
        let beyond = max(0, meanShift - shiftFloor)
        return beyond / (1 + beyond)
    }

    /// |mean − baseline mean| / baseline standard deviation, 0 to the cap.
    func meanShift(of mean: Double) -> Double {
        DriftScore.meanShift(
            mean: mean, baselineMean: distribution.mean, baselineDeviation: distribution.standardDeviation)
    }
}
