public import Kafka

/// An entry of a partition.
public struct StoredRecord: Sendable {
    public enum Kind: Sendable, Equatable {
        case record
        /// The end of a transaction in this partition; nobody gets to see it, but it has an offset.
        case commitMarker
        case abortMarker
    }

    public var kind = Kind.record
    public var offset: Int64 = 0
    /// Milliseconds since 1970.
    public var timestamp: Int64
    public var key: [UInt8]?
    /// Nil for a tombstone.
    public var value: [UInt8]?
    public var headers: [Header] = []
    /// The transaction that it belongs to; nil for none.
    public var transaction: Int?
    /// When compaction first met this tombstone.
    var tombstoneSince: Int64?

    public init(timestamp: Int64, key: [UInt8]?, value: [UInt8]?, headers: [Header] = []) {
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }
}
