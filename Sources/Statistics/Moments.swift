/// Count, mean and standard deviation of a stream of values, plain or weighted, in constant memory.
///
/// Welford's method, with weights as West has it (1979, "Updating mean and variance estimates: an improved method",
/// Communications of the ACM 22): no sum of squares that would cancel. Constant values have a deviation of exactly 0.
///
/// A weight counts like that many occurrences of the value (frequency weights). Values that are not finite and weights
/// that are not positive and finite are ignored and counted, as are those too large to be squared, so that one of them
/// poisons nothing.
public struct Moments: Sendable, Equatable {
    /// The number of values.
    public private(set) var count = 0
    /// The sum of the weights; the number of values if none has a weight of its own.
    public private(set) var weight = 0.0
    /// The weighted mean; 0 without values.
    public private(set) var mean = 0.0
    /// The number of values left out.
    public private(set) var ignoredCount = 0
    /// The weighted sum of the squared deviations from the mean.
    private var squares = 0.0

    public init() {}

    public init(_ values: some Sequence<Double>) {
        for value in values { add(value) }
    }

    /// Adds a value.
    public mutating func add(_ value: Double, weight valueWeight: Double = 1) {
        guard value.isFinite && valueWeight > 0 && valueWeight.isFinite else {
            ignoredCount += 1
            return
        }
        let newWeight = weight + valueWeight
        let difference = value - mean
        let newMean = mean + difference * (valueWeight / newWeight)
        let newSquares = squares + valueWeight * difference * (value - newMean)
        // Finite values can still overflow together.
        guard newWeight.isFinite && newMean.isFinite && newSquares.isFinite else {
            ignoredCount += 1
            return
        }
        count += 1
        weight = newWeight
        mean = newMean
        squares = newSquares
    }

    /// Takes out a value that was added with the same weight; one that `add` ignored is ignored again.
    ///
    /// Rounding errors of many additions and removals add up: for a window that slides for ever, recompute at times.
    public mutating func remove(_ value: Double, weight valueWeight: Double = 1) {
        guard value.isFinite && valueWeight > 0 && valueWeight.isFinite else { return }
        precondition(count > 0, "Moments: a value is removed that was not added")
        count -= 1
        let rest = weight - valueWeight
        guard count > 0 && rest > 0 else {
            weight = 0
            mean = 0
            squares = 0
            count = 0
            return
        }
        let difference = value - mean
        mean -= difference * (valueWeight / rest)
        squares = count == 1 ? 0 : max(0, squares - valueWeight * difference * (value - mean))
        weight = rest
    }

    /// Adds all that another has seen (Chan, Golub and LeVeque 1979).
    public mutating func merge(_ other: Moments) {
        ignoredCount += other.ignoredCount
        guard other.count > 0 else { return }
        let total = weight + other.weight
        let difference = other.mean - mean
        mean += difference * (other.weight / total)
        squares += other.squares + difference * difference * (weight / total) * other.weight
        weight = total
        count += other.count
    }

    /// The variance with `ddof` subtracted from the divisor, as numpy names it: 0 of a population, 1 of a sample.
    ///
    /// - Returns: 0 where the divisor would not be positive.
    public func variance(ddof: Int) -> Double {
        let divisor = weight - Double(ddof)
        return count > ddof && divisor > 0 ? squares / divisor : 0
    }

    /// The square root of `variance(ddof:)`.
    public func standardDeviation(ddof: Int) -> Double {
        variance(ddof: ddof).squareRoot()
    }
}
