internal import CLibrdkafka

/// The records of one partition, apart from all others.
///
/// A partition that is not read keeps its prefetched records here (up to `queued.max.messages.kbytes`), then fetching
/// from it pauses; the others go on. That is how partitions are merged by time without pausing any of them through the
/// broker.
///
/// It exists for as long as the consumer, whether or not the partition is assigned. After a rebalance it delivers again
/// if the partition comes back. Records of before are dropped by librdkafka when it is filled next; those that are in
/// the caller's batches are the caller's to drop.
///
/// Threads: belongs to the consumer's thread.
public final class PartitionQueue {
    /// Which partition's.
    public let partition: TopicPartition
    private var native: OpaquePointer?
    private var registration: WakerRegistration?
    private unowned let owner: ConsumerHandle

    init(_ partition: TopicPartition, owner: ConsumerHandle) throws(KafkaError) {
        self.partition = partition
        self.owner = owner
        native = rd_kafka_queue_get_partition(owner.client, partition.topic, partition.partition)
        guard native != nil else {
            throw KafkaError(
                code: .unknownPartition, operation: "open the queue of a partition", topic: partition.topic,
                partition: partition.partition)
        }
        separate()
    }

    deinit {
        release()
    }

    /// Takes what is there, as far as it fits.
    ///
    /// - Parameters:
    ///   - batch: must be empty.
    ///   - timeoutMilliseconds: 0 takes what is there. Otherwise librdkafka waits until the batch is *full* or the time
    ///     is over: prefer 0 after ``Waker/wait(timeoutMilliseconds:)``.
    /// - Returns: the number of entries, errors and the end of the partition included. 0 after the consumer was closed.
    public func fill(_ batch: MessageBatch, timeoutMilliseconds: Int = 0) -> Int {
        guard let native else { return 0 }
        return batch.fill(from: native, owner: owner, timeout: Int32(milliseconds: timeoutMilliseconds))
    }

    /// Lets the queue signal `waker` from now on, instead of the one before.
    public func attach(_ waker: Waker) {
        registration = nil
        guard let native else { return }
        registration = WakerRegistration(queue: native, waker: waker)
    }

    /// How many entries wait.
    public var length: Int {
        guard let native else { return 0 }
        return rd_kafka_queue_length(native)
    }

    /// Keeps the records from flowing into the consumer's common queue.
    ///
    /// librdkafka forwards a partition's queue to the common one when fetching starts, unless the application has
    /// chosen otherwise before. So this runs before `rd_kafka_assign`; the choice outlives unassignment, and setting it
    /// again does no harm.
    func separate() {
        guard let native else { return }
        rd_kafka_queue_forward(native, nil)
    }

    /// Gives the C queue back. Closing the consumer needs that.
    func release() {
        registration = nil
        if let native { rd_kafka_queue_destroy(native) }
        native = nil
    }
}
