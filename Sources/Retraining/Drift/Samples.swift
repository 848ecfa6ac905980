/// A prediction and what really happened.
public struct ErrorSample: BitwiseCopyable, Sendable, Equatable {
    public var at: Milliseconds
    public var predicted: Double
    public var actual: Double
    /// The actual of the same entity before `at`: what a forecast by the last value would have said. NaN if unknown.
    public var naive: Double
    /// Evenly distributed; the same for equal (entity, `at`). Decides admission.
    var rank: UInt64
}

/// One actual of one metric.
public struct ActualSample: BitwiseCopyable, Sendable, Equatable {
    public var at: Milliseconds
    public var value: Double
    var rank: UInt64
}

protocol TimedSample: BitwiseCopyable, Sendable {
    var at: Milliseconds { get }
    var rank: UInt64 { get }
}

extension ErrorSample: TimedSample {}
extension ActualSample: TimedSample {}
