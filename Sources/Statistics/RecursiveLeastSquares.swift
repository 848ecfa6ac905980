/// Least squares over a stream, with old observations forgotten exponentially: a small fixed number of weights.
///
/// The classical recursion (Ljung and Söderström 1983; Haykin, "Adaptive Filter Theory", chapter 10) keeps the weights
/// w and the covariance P:
/// ```
/// k = P x / (λ + xᵀ P x),   w ← w + k (y − wᵀ x),   P ← (P − k xᵀ P) / λ
/// ```
/// Left alone it is not safe to run for years: where the inputs do not vary in some direction (a constant input, two
/// equal ones), nothing but the division by λ acts on P there, which grows beyond bounds until one odd sample throws
/// the weights anywhere. So each update also counts one faint observation: that one weight, each in its turn, still
/// has its value from the start. They weigh together, per `size` updates, what forgetting takes from a prior of
/// variance `initialVariance`, so that P stays of the order of that variance in directions without information, and
/// the weights return to where they started; where there is information, they are worth about one sample in
/// 1 / (1 − λ).
///
/// P is kept symmetric exactly. If rounding (after inputs of very different size) ever costs it its positive diagonal,
/// it starts again from the prior, and the weights stay. Inputs that are not finite, or that overflow, are rejected and
/// counted. The same calls give the same result, bit for bit.
public struct RecursiveLeastSquares<let size: Int>: Sendable {
    public typealias Vector = InlineArray<size, Double>

    /// The current weights, always finite.
    @inlinable public var weights: Vector { currentWeights }
    /// The number of updates made.
    @inlinable public var updateCount: Int { counts.update }
    /// The number of updates rejected, because a number was not finite or overflowed.
    @inlinable public var rejectedCount: Int { counts.rejected }
    /// The number of times that the covariance had to start again.
    @inlinable public var resetCount: Int { counts.reset }

    /// The factor by which an observation's weight shrinks with each later one, 0 < λ ≤ 1.
    public let forgetting: Double
    /// The variance of each weight about its start, in squared units of the weight.
    public let initialVariance: Double

    @usableFromInline
    struct Counts: Sendable {
        @usableFromInline var update = 0
        @usableFromInline var rejected = 0
        @usableFromInline var reset = 0
        @usableFromInline init() {}
    }

    @usableFromInline var counts = Counts()
    @usableFromInline var currentWeights: Vector
    @usableFromInline let startWeights: Vector
    @usableFromInline var covariance: InlineArray<size, Vector>

    /// Starts at given weights.
    ///
    /// - Parameters:
    ///   - weights: finite; for a shadow forecaster, 1 for the model's own forecast and 0 for the rest.
    ///   - forgetting: 0 < λ ≤ 1; 0.996 remembers about 250 observations.
    ///   - initialVariance: greater than 0; how far the first observations move the weights. 1 suits inputs of size 1.
    public init(weights: Vector, forgetting: Double = 0.996, initialVariance: Double = 1) {
        precondition(forgetting > 0 && forgetting <= 1, "RecursiveLeastSquares: forgetting must be above 0, at most 1")
        precondition(
            initialVariance > 0 && initialVariance.isFinite,
            "RecursiveLeastSquares: the initial variance must be positive and finite")
        precondition(Self.areFinite(weights), "RecursiveLeastSquares: the weights to start with must be finite")
        currentWeights = weights
        self.forgetting = forgetting
        self.initialVariance = initialVariance
        startWeights = weights
        covariance = Self.diagonal(initialVariance)
    }

    /// The weighted sum of the inputs; nil if that is not finite.
    @inlinable
    public func predict(_ inputs: Vector) -> Double? {
        let sum = Self.dot(weights, inputs)
        return sum.isFinite ? sum : nil
    }

    /// Learns from an observation.
    ///
    /// - Returns: the error of the prediction made before learning, target − prediction; nil if the observation was
    ///   rejected, and nothing has changed but `rejectedCount`.
    @inlinable
    @discardableResult
    public mutating func update(_ inputs: Vector, target: Double) -> Double? {
        let error = target - Self.dot(weights, inputs)
        var projected = project(inputs)
        var spread = Self.dot(inputs, projected)
        if spread < 0 {
            resetCovariance()
            projected = project(inputs)
            spread = Self.dot(inputs, projected)
        }
        let divisor = forgetting + spread
        var updated = weights
        for index in 0..<size { updated[index] += projected[index] / divisor * error }
        guard error.isFinite && divisor.isFinite && Self.areFinite(projected) && Self.areFinite(updated) else {
            counts.rejected += 1
            return nil
        }
        currentWeights = updated
        shrinkCovariance(by: projected, divisor: divisor, scale: 1 / forgetting)
        recallStart(of: updateCount % size)
        if !isCovarianceSound { resetCovariance() }
        counts.update += 1
        return error
    }

    /// Lets time pass: what was learned counts for less by `factor`, as if that much had been forgotten by updates.
    ///
    /// For streams whose memory is a span of time rather than a number of observations; `forgetting` is then 1. Does
    /// nothing once the covariance's trace has reached `initialVariance` × 1000: inputs that do not vary would let it
    /// grow without end.
    ///
    /// - Parameter factor: 0 < factor ≤ 1.
    @inlinable
    public mutating func forget(_ factor: Double) {
        precondition(factor > 0 && factor <= 1, "RecursiveLeastSquares: the factor must be above 0, at most 1")
        var trace = 0.0
        for index in 0..<size { trace += covariance[index][index] }
        guard trace < initialVariance * 1000 else { return }
        for row in 0..<size {
            for column in 0..<size { covariance[row][column] /= factor }
        }
    }

    /// Counts the faint observation that a weight still has its value from the start.
    @inlinable
    mutating func recallStart(of index: Int) {
        let information = Double(size) * (1 - forgetting) / initialVariance
        guard information > 0 else { return }
        let projected = covariance[index]
        let divisor = 1 / information + projected[index]
        let error = startWeights[index] - weights[index]
        var updated = weights
        for other in 0..<size { updated[other] += projected[other] / divisor * error }
        guard Self.areFinite(updated) else { return }
        currentWeights = updated
        shrinkCovariance(by: projected, divisor: divisor, scale: 1)
    }

    /// P ← (P − p pᵀ / divisor) · scale, one triangle computed and mirrored.
    @inlinable
    mutating func shrinkCovariance(by projected: Vector, divisor: Double, scale: Double) {
        for row in 0..<size {
            let gain = projected[row] / divisor
            for column in row..<size {
                let value = (covariance[row][column] - gain * projected[column]) * scale
                covariance[row][column] = value
                covariance[column][row] = value
            }
        }
    }

    @inlinable
    func project(_ inputs: Vector) -> Vector {
        var projected = Vector(repeating: 0)
        for row in 0..<size { projected[row] = Self.dot(covariance[row], inputs) }
        return projected
    }

    @inlinable
    var isCovarianceSound: Bool {
        // Without information a diagonal element settles near `initialVariance`; far above it is a fault.
        let limit = initialVariance * 1000
        for row in 0..<size {
            let variance = covariance[row][row]
            guard variance > 0 && variance <= limit && Self.areFinite(covariance[row]) else { return false }
        }
        return true
    }

    @inlinable
    mutating func resetCovariance() {
        covariance = Self.diagonal(initialVariance)
        counts.reset += 1
    }

    @inlinable
    static func diagonal(_ variance: Double) -> InlineArray<size, Vector> {
        var matrix = InlineArray<size, Vector>(repeating: Vector(repeating: 0))
        for index in 0..<size { matrix[index][index] = variance }
        return matrix
    }

    @inlinable
    static func dot(_ left: Vector, _ right: Vector) -> Double {
        var sum = 0.0
        for index in 0..<size { sum += left[index] * right[index] }
        return sum
    }

    @inlinable
    static func areFinite(_ values: Vector) -> Bool {
        for index in 0..<size where !values[index].isFinite { return false }
        return true
    }
}

// MARK: - State

extension RecursiveLeastSquares {
    /// Everything, as numbers: what `init(state:)` needs to go on exactly.
    ///
    /// Forgetting, initial variance, the three counters, the weights, those of the start, and the covariance's upper
    /// triangle by rows.
    public var state: [Double] {
        var state = [forgetting, initialVariance, Double(updateCount), Double(rejectedCount), Double(resetCount)]
        for index in 0..<size { state.append(weights[index]) }
        for index in 0..<size { state.append(startWeights[index]) }
        for row in 0..<size {
            for column in row..<size { state.append(covariance[row][column]) }
        }
        return state
    }

    /// Restores from `state`; nil if it is not one of this size or holds impossible values.
    public init?(state: [Double]) {
        guard state.count == 5 + 2 * size + size * (size + 1) / 2, state.allSatisfy(\.isFinite),
            state[0] > 0, state[0] <= 1, state[1] > 0,
            state[2...4].allSatisfy({ $0 >= 0 && $0 < 0x1p53 && $0 == $0.rounded() })
        else { return nil }
        var weights = Vector(repeating: 0)
        var startWeights = Vector(repeating: 0)
        for index in 0..<size {
            weights[index] = state[5 + index]
            startWeights[index] = state[5 + size + index]
        }
        self.init(weights: startWeights, forgetting: state[0], initialVariance: state[1])
        currentWeights = weights
        counts.update = Int(state[2])
        counts.rejected = Int(state[3])
        counts.reset = Int(state[4])
        var next = 5 + 2 * size
        for row in 0..<size {
            for column in row..<size {
                covariance[row][column] = state[next]
                covariance[column][row] = state[next]
                next += 1
            }
        }
        // No upper bound: time that passed may have put it above the one that the next update mends.
        for row in 0..<size where covariance[row][row] <= 0 { return nil }
    }
}
