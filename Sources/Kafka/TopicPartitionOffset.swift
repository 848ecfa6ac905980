/// A position in a partition: a number, or a place that the broker resolves.
public struct Offset: Hashable, Sendable {
    /// 0 and above: a record's offset. Negative: librdkafka's logical offsets.
    public let rawValue: Int64

    public init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// The oldest record that is retained.
    public static let beginning = Offset(-2)
    /// The next record to be written.
    public static let end = Offset(-1)
    /// The offset that the group committed.
    public static let stored = Offset(-1000)
    /// No offset: nothing was committed, or nothing was consumed yet.
    public static let unset = Offset(-1001)

    /// The `count`-th record before the end; `count` ≥ 0.
    public static func tail(_ count: Int64) -> Offset {
        precondition(count >= 0, "the distance from the end is not negative")
        return Offset(-2000 - count)
    }

    /// The number; nil for a logical offset.
    public var value: Int64? { rawValue >= 0 ? rawValue : nil }
}

extension Offset: CustomStringConvertible {
    public var description: String {
        switch self {
        case .beginning: "beginning"
        case .end: "end"
        case .stored: "stored"
        case .unset: "unset"
        default: rawValue <= -2000 ? "end-\(-2000 - rawValue)" : "\(rawValue)"
        }
    }
}

/// A partition with a position in it: where to start, or what to commit.
///
/// A committed offset is that of the *next* record to read, never that of the last one read.
public struct TopicPartitionOffset: Hashable, Sendable {
    public var partition: TopicPartition
    public var offset: Offset
    /// What is stored along with a committed offset; brokers take 4096 bytes unless configured otherwise.
    public var metadata: String?

    public init(_ partition: TopicPartition, _ offset: Offset, metadata: String? = nil) {
        self.partition = partition
        self.offset = offset
        self.metadata = metadata
    }

    public init(_ partition: TopicPartition, _ offset: Int64, metadata: String? = nil) {
        self.init(partition, Offset(offset), metadata: metadata)
    }

    /// The topic's name.
    public var topic: String { partition.topic }
}

extension TopicPartitionOffset: CustomStringConvertible {
    public var description: String { "\(partition)@\(offset)" }
}

/// The bounds of a partition's log.
public struct Watermarks: Hashable, Sendable {
    /// The oldest retained offset.
    public var low: Int64
    /// The offset of the next record. A read-committed consumer gets the last stable offset here instead: ask a
    /// read-uncommitted one for the true end.
    public var high: Int64

    public init(low: Int64, high: Int64) {
        self.low = low
        self.high = high
    }
}
