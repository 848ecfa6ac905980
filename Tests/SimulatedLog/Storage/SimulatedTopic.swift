/// How a topic is set up.
public struct SimulatedTopic: Sendable {
    public var name: String
    public var partitions: Int32
    /// Every record needs a key, and only the latest of each key is kept in the end.
    public var isCompacted: Bool
    /// How long compaction keeps a tombstone, in milliseconds.
    public var tombstoneRetention: Int64 = 60_000
    /// A larger record is refused.
    public var maximumRecordBytes = 1_048_576

    public init(_ name: String, partitions: Int32 = 1, isCompacted: Bool = false) {
        self.name = name
        self.partitions = partitions
        self.isCompacted = isCompacted
    }
}
