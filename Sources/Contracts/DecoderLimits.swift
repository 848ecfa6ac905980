public import Retraining

/// Bounds on what one input record may hold. A record beyond one is rejected, never cut.
public struct DecoderLimits: Sendable, Equatable {
    /// Bytes of a payload.
    public var recordBytes = 1 << 20
    /// Entries of `values` in one record.
    public var values = 256
    /// Bytes of a model, version, entity, pool or metric name.
    public var nameBytes = 256
    /// Objects and arrays inside each other.
    public var depth = 32
    /// Times outside are taken for a mistake of unit: seconds and microseconds lie far outside the default range,
    /// 2000-01-01 to 2100-01-01.
    public var times: ClosedRange<Milliseconds> = 946_684_800_000...4_102_444_800_000

    public init() {}

    public init(_ limits: LimitConfiguration) {
        values = limits.metricsPerModel
        nameBytes = limits.nameBytes
    }
}
