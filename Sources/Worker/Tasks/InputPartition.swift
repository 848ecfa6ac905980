import Kafka
import Retraining
import StateRecords

/// One input partition between Kafka and the engine: the batch that is being read, and how far.
final class InputPartition {
    let partition: TopicPartition
    let role: InputRole
    let lane: Int
    private(set) var records: any PartitionRecords
    let batch = MessageBatch(capacity: 1000)
    /// The next entry of the batch.
    var cursor = 0
    /// The merge time of the next record, where it belongs behind the gate; nil while the partition may go on.
    var held: Milliseconds?
    /// Nothing more was there when it was last asked.
    var isAtEnd = false
    /// When a record, or the end, was last seen; monotonic milliseconds.
    var lastProgress: Milliseconds
    /// Every record before this offset has been collected, or refused and its refusal published, by a checkpoint.
    var committed: Int64 = 0
    /// Where a restore begins to read.
    var replayFrom: Int64 = 0
    /// Offset of the first record, or end, that was seen at or beyond what a replay asked for.
    var seenThrough: Int64 = 0
    /// Refused for reasons that do not follow from the records; to be skipped when they are read again.
    var skips = OffsetRanges()
    /// The same, as the log has them: for the records that are being read again.
    var knownSkips = OffsetRanges()

    init(_ partition: TopicPartition, role: InputRole, lane: Int, records: any PartitionRecords, now: Milliseconds) {
        self.partition = partition
        self.role = role
        self.lane = lane
        self.records = records
        lastProgress = now
    }

    /// Forgets what was fetched: the partition is assigned again.
    func reopen(_ records: any PartitionRecords, now: Milliseconds) {
        batch.clear()
        cursor = 0
        held = nil
        isAtEnd = false
        lastProgress = now
        self.records = records
    }
}
