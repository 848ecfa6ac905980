import Statistics

/// What a model's actuals looked like when all was well: fixed between trainings, versioned.
public struct Baseline: Sendable {
    public enum Origin: String, Sendable {
        /// The first one, once the windows spanned long enough.
        case first
        /// From the windows after a training.
        case training
        /// From what the trainer sent; metrics that it left out are from the windows.
        case trainer
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

/// A distribution of all-is-well, and what windows of it reach against the rest of it: the largest of half-overlapping
/// blocks.
struct CalibratedDistribution: Sendable {
    var distribution: BaselineDistribution
    var statisticFloor: Double
    var shiftFloor: Double

    /// Values that a baseline must have at least.
    static let minimumCount = 8
    /// A floor without any history is that of this many independent values.
    private static let assumedWindow = 24

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

    /// A distribution that somebody else has measured. Its floors are those of the values at hand: a summary knows
    /// nothing of how values depend on one another in time.
    init?(sample: [Double], measured: CalibratedDistribution?) {
        let distribution = BaselineDistribution(sample)
        guard distribution.count >= Self.minimumCount, distribution.mean.isFinite else { return nil }
        self.distribution = distribution
        if let measured {
            statisticFloor = measured.statisticFloor
            shiftFloor = measured.shiftFloor
        } else {
            let floors = BlockFloors(baseline: Array(sample.prefix(3)), windowLength: Self.assumedWindow)
            statisticFloor = KolmogorovSmirnov.expectedStatistic(Self.assumedWindow, sample.count)
            shiftFloor = max(floors.meanShift, statisticFloor)
        }
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
    ///
    /// - Parameter magnitude: of the values, where these are what is left of them.
    func meanShift(of mean: Double, magnitude: Double = 0) -> Double {
        DriftScore.meanShift(
            mean: mean, baselineMean: distribution.mean, baselineDeviation: distribution.standardDeviation,
            magnitude: magnitude)
    }
}

/// One metric's baseline: all values together, and where they follow the hours of the week, what is left without them.
struct MetricBaseline: Sendable {
    var pooled: CalibratedDistribution
    var seasonal: SeasonalBaseline?

    /// - Parameters:
    ///   - samples: in the order of time.
    ///   - windowShare: how much of the samples' span a window covers, 0 to 1.
    init?(samples: [ActualSample], windowShare: Double, calendar: LocalCalendar) {
        guard let pooled = CalibratedDistribution(values: samples.map(\.value), windowShare: windowShare) else {
            return nil
        }
        self.pooled = pooled
        seasonal = SeasonalBaseline(samples: samples, windowShare: windowShare, calendar: calendar)
    }

    /// - Parameter measured: what the worker itself knows of the metric, for the floors.
    init?(summary: QuantileSummary, size: Int, measured: MetricBaseline?) {
        guard
            let pooled = CalibratedDistribution(
                sample: summary.sample(min(size, summary.count ?? size)), measured: measured?.pooled)
        else { return nil }
        self.pooled = pooled
    }
}

/// The hours of the week of a metric, and how its values are distributed about them.
///
/// A window of a whole week holds every hour as often as the baseline does, so that season cancels; but a day cycle that
/// has moved by hours leaves the values of the week as they are. About the hours' means it does not.
struct SeasonalBaseline: Sendable {
    /// By hour of the local week, Monday 0 first.
    var means: [Double]
    /// Of values less the mean of their hour.
    var residuals: CalibratedDistribution

    static let hours = 168
    /// Share of the variance that an hour's mean, taken from other weeks, must explain.
    private static let leastExplained = 0.5

    /// Nil where the samples do not span two weeks, miss hours, or are not seasonal.
    init?(samples: [ActualSample], windowShare: Double, calendar: LocalCalendar) {
        guard let first = samples.first, let last = samples.last, last.at - first.at >= 13 * .day else { return nil }
        var totals = [Double](repeating: 0, count: Self.hours)
        var counts = totals
        // Sums of a week's hour, so that its own week can be taken out of a mean.
        var own: [Int64: (sum: Double, count: Double)] = [:]
        func week(_ sample: ActualSample, _ hour: Int) -> Int64 {
            (sample.at - first.at) / (7 * .day) * Int64(Self.hours) + Int64(hour)
        }
        let hours = samples.map { Self.hour(at: $0.at, calendar) }
        for (sample, hour) in zip(samples, hours) where sample.value.isFinite {
            totals[hour] += sample.value
            counts[hour] += 1
            let known = own[week(sample, hour)] ?? (0, 0)
            own[week(sample, hour)] = (known.sum + sample.value, known.count + 1)
        }
        guard !counts.contains(0) else { return nil }
        let mean = totals.reduce(0, +) / counts.reduce(0, +)
        var residuals: [Double] = []
        var (left, all) = (0.0, 0.0)
        for (sample, hour) in zip(samples, hours) where sample.value.isFinite {
            let mine = own[week(sample, hour)]!
            guard counts[hour] > mine.count else { continue }
            let residual = sample.value - (totals[hour] - mine.sum) / (counts[hour] - mine.count)
            residuals.append(residual)
            left += residual * residual
            all += (sample.value - mean) * (sample.value - mean)
        }
        guard all > 0, left <= (1 - Self.leastExplained) * all,
            let distribution = CalibratedDistribution(values: residuals, windowShare: windowShare)
        else { return nil }
        means = zip(totals, counts).map { $0 / $1 }
        self.residuals = distribution
    }

    static func hour(at time: Milliseconds, _ calendar: LocalCalendar) -> Int {
        let local = calendar.local(time)
        return local.weekday * 24 + local.hour
    }

    func residual(_ sample: ActualSample, _ calendar: LocalCalendar) -> Double {
        sample.value - means[Self.hour(at: sample.at, calendar)]
    }
}
