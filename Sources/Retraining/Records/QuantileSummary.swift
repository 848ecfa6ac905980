/// A distribution told by some of its quantiles, as a trainer sends it of the data that a model was trained on.
public struct QuantileSummary: Sendable, Equatable {
    public struct Quantile: Sendable, Equatable {
        /// 0 is the minimum, 1 the maximum.
        public var share: Double
        public var value: Double

        public init(share: Double, value: Double) {
            self.share = share
            self.value = value
        }
    }

    /// Quantiles that make a summary.
    public static let fewestQuantiles = 5

    /// How many values it sums up; nil where it does not say.
    public let count: Int?
    /// By share, ascending.
    public let quantiles: [Quantile]

    /// Nil for what is no summary: fewer than `fewestQuantiles`, shares outside 0 ... 1 or given twice, values that are
    /// not finite or fall while the share rises, or a count below 1.
    public init?(count: Int? = nil, quantiles: [Quantile]) {
        let sorted = quantiles.sorted { $0.share < $1.share }
        guard sorted.count >= Self.fewestQuantiles, count.map({ $0 >= 1 }) ?? true,
            sorted.allSatisfy({ $0.share >= 0 && $0.share <= 1 && $0.value.isFinite }),
            zip(sorted, sorted.dropFirst()).allSatisfy({ $0.share < $1.share && $0.value <= $1.value })
        else { return nil }
        self.count = count
        self.quantiles = sorted
    }

    /// So many values that are distributed as the summary says: straight lines between the quantiles, and nothing beyond
    /// the outermost.
    func sample(_ size: Int) -> [Double] {
        var next = 0
        return (0..<size).map { index in
            let share = (Double(index) + 0.5) / Double(size)
            while next < quantiles.count, quantiles[next].share < share { next += 1 }
            guard next > 0 else { return quantiles[0].value }
            guard next < quantiles.count else { return quantiles[next - 1].value }
            let (low, high) = (quantiles[next - 1], quantiles[next])
            return low.value + (high.value - low.value) * (share - low.share) / (high.share - low.share)
        }
    }
}
