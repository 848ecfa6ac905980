import Glibc
import Kafka
import Retraining

/// One input partition between Kafka and the engine: the batch that is being read, and how far.
final class InputPartition {
    let partition: TopicPartition
    let role: InputRole
    let lane: Int
    let queue: PartitionQueue
    let batch = MessageBatch(capacity: 1000)
    /// The next entry of the batch.
    var cursor = 0
    /// The merge time of the next record, where it belongs behind the gate; nil while the partition may go on.
    var held: Milliseconds?
    /// Nothing more was there when it was last asked.
    var isAtEnd = false
    /// When a record, or the end, was last seen; monotonic milliseconds.
    var lastProgress: Int64
    /// Dead letters below this offset were written by an earlier run.
    var committed: Int64 = 0

    init(_ partition: TopicPartition, role: InputRole, lane: Int, queue: PartitionQueue, now: Int64) {
        self.partition = partition
        self.role = role
        self.lane = lane
        self.queue = queue
        lastProgress = now
    }
}

/// Clocks of the process. The engine reads none of them.
enum Clock {
    static func wall() -> Milliseconds { read(CLOCK_REALTIME) }
    static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
