/// How far windows of a baseline differ from the rest of it: the noise floors of the drift terms DSS and FDS.
///
/// A window differs from its baseline also when nothing has drifted: by chance, and more so where values depend on one
/// another in time or follow a season. The baseline itself shows by how much. Blocks of the window's length, each
/// overlapping half of the one before, are held against the rest (10 window lengths: 19 blocks).
///
/// Only contrasts *within* the baseline's span are seen: a floor from one week knows nothing of a month's end.
public struct BlockFloors: Sendable, Equatable {
    /// The cap of a shift, in standard deviations: also what a change of a constant series counts as.
    public static var maximumShift: Double { 10 }

    /// The number of values in a block: the window's length, or half the baseline if that is less.
    public let blockLength: Int
    /// Of each block, in time order, the Kolmogorov–Smirnov statistic against the rest, 0 ... 1.
    public let statistics: [Double]
    /// Of each block, in time order, |mean − mean of the rest| / standard deviation of the rest (ddof 1), 0 ...
    /// `maximumShift`.
    public let shifts: [Double]

    /// For a baseline too short to have blocks: the statistic that independent values would have.
    private let fallbackStatistic: Double
    private let fallbackShift: Double

    /// Measures the floors.
    ///
    /// A baseline of fewer than four values has no blocks; the floors are then those of independent values: 0 without
    /// any value.
    ///
    /// - Parameters:
    ///   - baseline: the values in time order; those that are not finite are left out.
    ///   - windowLength: the number of values in the windows that will be compared, at least 1.
    public init(baseline: [Double], windowLength: Int) {
        precondition(windowLength >= 1, "BlockFloors: a window needs at least one value")
        let values = baseline.filter(\.isFinite)
        blockLength = max(1, min(windowLength, values.count / 2))
        let size = Double(max(1, min(windowLength, values.count)))
        fallbackStatistic = KolmogorovSmirnov.expectedStatistic(Int(size), values.count)
        // E|x̄ − ȳ| / σ of independent values.
        fallbackShift =
            values.isEmpty ? 0 : (2 / Double.pi).squareRoot() * (1 / size + 1 / Double(values.count)).squareRoot()
        guard values.count >= 4 else {
            statistics = []
            shifts = []
            return
        }
        let length = blockLength
        let distribution = BaselineDistribution(values)
        let ranks = values.map { distribution.rank(of: $0) }
        // About the mean, so that sums neither cancel nor, in a constant series, leave a rest of rounding.
        let centred = values.map { $0 - distribution.mean }
        let total = Sums(centred[...])
        var statistics: [Double] = []
        var shifts: [Double] = []
        var block = 0
        while block * length / 2 + length <= values.count {
            let range = (block * length / 2)..<(block * length / 2 + length)
            statistics.append(Self.statistic(of: ranks[range].sorted(), in: distribution))
            shifts.append(Self.shift(of: Sums(centred[range]), in: total))
            block += 1
        }
        self.statistics = statistics
        self.shifts = shifts
    }

    public var meanStatistic: Double {
        statistics.isEmpty ? fallbackStatistic : statistics.reduce(0, +) / Double(statistics.count)
    }

    public var meanShift: Double {
        shifts.isEmpty ? fallbackShift : shifts.reduce(0, +) / Double(shifts.count)
    }

    /// The quantile of the blocks' statistics (type 7), `probability` being 0 ... 1.
    public func statisticQuantile(_ probability: Double) -> Double {
        Quantiles.quantile(statistics, probability) ?? fallbackStatistic
    }

    /// The quantile of the blocks' shifts (type 7), `probability` being 0 ... 1.
    public func shiftQuantile(_ probability: Double) -> Double {
        Quantiles.quantile(shifts, probability) ?? fallbackShift
    }
}

extension BlockFloors {
    private struct Sums {
        var count = 0.0
        var values = 0.0
        var squares = 0.0

        init(_ values: ArraySlice<Double>) {
            count = Double(values.count)
            for value in values {
                self.values += value
                squares += value * value
            }
        }
    }

    /// The statistic of a block, by its sorted ranks in the whole, against the whole without it.
    ///
    /// As in `BaselineComparison`, with the block's own values taken out of the counts below and not above.
    private static func statistic(of ranks: [BaselineDistribution.Rank], in whole: BaselineDistribution) -> Double {
        let n = ranks.count
        let m = whole.count - n
        var greatest = 0
        for (index, rank) in ranks.enumerated() {
            let position = Int(rank.position)
            let lower = whole.countBelow(distinctIndex: position >> 1)
            let upper = whole.countBelow(distinctIndex: (position + 1) >> 1)
            greatest = max(greatest, (lower - index) * n - index * m)
            greatest = max(greatest, (index + 1) * m - (upper - index - 1) * n)
        }
        return Double(greatest) / (Double(n) * Double(m))
    }

    private static func shift(of block: Sums, in total: Sums) -> Double {
        let count = total.count - block.count
        let mean = (total.values - block.values) / count
        let difference = abs(block.values / block.count - mean)
        guard difference > 0 else { return 0 }
        let squares = max(0, total.squares - block.squares - count * mean * mean)
        let deviation = count > 1 ? (squares / (count - 1)).squareRoot() : 0
        let shift = difference / deviation
        // Infinite for a constant rest; NaN only if values so large that their squares overflow.
        return shift < maximumShift ? shift : maximumShift
    }
}
