/// A fixed sample, prepared once, that later windows are compared with.
///
/// The values are kept sorted, each distinct value once. Every number then has a *rank*, 0 ... 2u for u distinct
/// values: 2i + 1 is the i-th distinct value itself, 2i the gap below it, 2u the gap above all. All that the
/// Kolmogorov–Smirnov statistic needs of a window's value is its rank.
///
/// NaN has no place in an order: it is left out and counted. Infinities and −0 (equal to 0) are ordinary values.
///
/// Memory: 8 bytes a value without ties; with ties 12 bytes a distinct value.
public struct BaselineDistribution: Sendable, Equatable {
    /// Where a number stands among the baseline's distinct values. Valid for the baseline that made it only.
    public struct Rank: BitwiseCopyable, Hashable, Comparable, Sendable {
        @usableFromInline let position: Int32

        @inlinable
        init(position: Int32) {
            self.position = position
        }

        @inlinable
        public static func < (left: Rank, right: Rank) -> Bool { left.position < right.position }
    }

    /// The number of values, without those ignored.
    public let count: Int
    /// The number of NaN that were left out.
    public let ignoredCount: Int
    /// The mean of the values; 0 if there are none. Infinite values are left out of it.
    public let mean: Double
    /// The standard deviation of the values (ddof 1); 0 for fewer than two. Infinite values are left out of it.
    public let standardDeviation: Double

    /// The distinct values in ascending order.
    @usableFromInline let distinct: [Double]
    /// Before each distinct value, and at the end, the number of values below; empty if no value occurs twice, when
    /// that number is the index.
    @usableFromInline let below: [Int32]

    /// Prepares a baseline from values in any order. O(n log n).
    ///
    /// - Precondition: fewer than 2^30 values.
    public init(_ values: [Double]) {
        precondition(values.count < 1 << 30, "BaselineDistribution: \(values.count) values are more than 2^30 − 1")
        let sorted = values.filter { !$0.isNaN }.sorted()
        count = sorted.count
        ignoredCount = values.count - sorted.count
        // In the order given, so that the result does not depend on how equal values were sorted.
        let moments = Moments(values)
        mean = moments.mean
        standardDeviation = moments.standardDeviation(ddof: 1)

        var distinctCount = 0
        for index in sorted.indices where index == 0 || sorted[index] != sorted[index - 1] { distinctCount += 1 }
        if distinctCount == sorted.count {
            distinct = sorted
            below = []
        } else {
            var distinct: [Double] = []
            var below: [Int32] = []
            distinct.reserveCapacity(distinctCount)
            below.reserveCapacity(distinctCount + 1)
            for index in sorted.indices where index == 0 || sorted[index] != sorted[index - 1] {
                distinct.append(sorted[index])
                below.append(Int32(index))
            }
            below.append(Int32(sorted.count))
            self.distinct = distinct
            self.below = below
        }
    }

    init(
        count: Int, ignoredCount: Int, mean: Double, standardDeviation: Double, distinct: [Double], below: [Int32]
    ) {
        self.count = count
        self.ignoredCount = ignoredCount
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.distinct = distinct
        self.below = below
    }

    public var minimum: Double? { distinct.first }
    public var maximum: Double? { distinct.last }

    /// The rank of a value. O(log n).
    ///
    /// - Precondition: the value is not NaN.
    @inlinable
    public func rank(of value: Double) -> Rank {
        precondition(!value.isNaN, "BaselineDistribution: NaN has no rank")
        let index = distinct.withUnsafeBufferPointer { lowerBound(of: value, in: $0) }
        let isEqual = index < distinct.count && distinct[index] == value
        return Rank(position: Int32(truncatingIfNeeded: 2 * index + (isEqual ? 1 : 0)))
    }

    /// The number of distinct values below `value`.
    ///
    /// Four probes at a time divide the range by five. Their sum decides, not a condition: where a random value falls
    /// cannot be predicted, and a wrong guess costs more than the three probes that a binary search would spare.
    @inlinable
    func lowerBound(of value: Double, in values: UnsafeBufferPointer<Double>) -> Int {
        guard var first = values.baseAddress else { return 0 }
        let start = first
        var length = values.count
        while length > 4 {
            let step = length / 5
            let below =
                (first[step - 1] < value ? 1 : 0) + (first[2 * step - 1] < value ? 1 : 0)
                + (first[3 * step - 1] < value ? 1 : 0) + (first[4 * step - 1] < value ? 1 : 0)
            first += below * step
            length -= 4 * step
        }
        var below = first - start
        while length > 0 {
            below += first.pointee < value ? 1 : 0
            first += 1
            length -= 1
        }
        return below
    }

    /// The quantile by linear interpolation (type 7); nil if there are no values.
    ///
    /// - Parameter probability: 0 ... 1.
    public func quantile(_ probability: Double) -> Double? {
        Quantiles.interpolated(count: count, probability) { value(at: $0) }
    }

    /// The number of values below the distinct value of an index, or of all for the index after the last.
    func countBelow(distinctIndex index: Int) -> Int {
        below.isEmpty ? index : Int(below[index])
    }

    /// The value at a position of the sorted sample, repetitions included.
    func value(at position: Int) -> Double {
        guard !below.isEmpty else { return distinct[position] }
        var low = 0
        var high = distinct.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(below[middle]) <= position { low = middle } else { high = middle }
        }
        return distinct[low]
    }
}
