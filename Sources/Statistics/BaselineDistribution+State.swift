extension BaselineDistribution {
    /// The distinct values in ascending order, for `init(distinct:occurrences:ignoredCount:mean:standardDeviation:)`.
    public var distinctValues: [Double] { distinct }

    /// How often the distinct value of an index occurs.
    public func occurrences(ofDistinctIndex index: Int) -> Int {
        below.isEmpty ? 1 : Int(below[index + 1] - below[index])
    }

    /// Restores a baseline from what it was made of, bit for bit; nil where that is none.
    ///
    /// - Parameters:
    ///   - distinct: values in strictly ascending order.
    ///   - occurrences: how often each occurs, at least once.
    ///   - ignoredCount: values that were no numbers.
    public init?(
        distinct: [Double], occurrences: [Int], ignoredCount: Int, mean: Double, standardDeviation: Double
    ) {
        guard distinct.count == occurrences.count, ignoredCount >= 0, !(distinct.first?.isNaN ?? false) else {
            return nil
        }
        for index in distinct.indices.dropFirst() where !(distinct[index - 1] < distinct[index]) { return nil }
        var total = 0
        var below: [Int32] = []
        below.reserveCapacity(distinct.count + 1)
        for count in occurrences {
            below.append(Int32(total))
            guard count >= 1, count < 1 << 30 else { return nil }
            total += count
            guard total < 1 << 30 else { return nil }
        }
        below.append(Int32(total))
        self.init(
            count: total, ignoredCount: ignoredCount, mean: mean, standardDeviation: standardDeviation,
            distinct: distinct, below: total == distinct.count ? [] : below)
    }
}
