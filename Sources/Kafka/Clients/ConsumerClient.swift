/// What a worker asks of a consumer: a ``Consumer`` of librdkafka, or a reader of a simulated log.
///
/// Calls are made a batch at a time, never a record, so that going through a protocol costs nothing that counts. One
/// thread owns the client and makes all calls.
public protocol ConsumerClient: AnyObject {
    func subscribe(_ topics: [String], rebalance: RebalanceHandler) throws(KafkaError)
    func assign(_ partitions: [TopicPartitionOffset]) throws(KafkaError)
    func unassign() throws(KafkaError)
    /// Whether the group has taken the partitions away without asking (poll interval or session exceeded).
    var isAssignmentLost: Bool { get }
    /// The error that made this consumer unusable; nil while it is usable.
    var fatalError: KafkaError? { get }

    /// The records of one partition, apart from all others; the same object each time.
    func records(of partition: TopicPartition) throws(KafkaError) -> any PartitionRecords
    func attach(_ waker: Waker)
    /// Serves what is not records, one event a call; rebalances run inside.
    func poll(timeoutMilliseconds: Int) -> ClientEvent

    func commit(_ offsets: [TopicPartitionOffset]) throws(KafkaError)
    /// What the group committed; throws `UNSTABLE_OFFSET_COMMIT` or a timeout while a transaction is open.
    func committed(
        _ partitions: [TopicPartition], timeoutMilliseconds: Int
    ) throws(KafkaError) -> [TopicPartitionOffset]
    func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) throws(KafkaError) -> Watermarks
    func offsets(
        at times: [TopicPartition: Int64], timeoutMilliseconds: Int
    ) throws(KafkaError) -> [TopicPartitionOffset]
    func groupMetadata() throws(KafkaError) -> GroupMetadata
    func metadata(topic: String?, timeoutMilliseconds: Int) throws(KafkaError) -> Metadata
    func close() throws(KafkaError)
}

/// The records of one partition.
public protocol PartitionRecords: AnyObject {
    var partition: TopicPartition { get }
    /// Takes what is there, as far as it fits; the batch must be empty. The end of the partition is an entry too.
    func fill(_ batch: MessageBatch, timeoutMilliseconds: Int) -> Int
    func attach(_ waker: Waker)
}

extension Consumer: ConsumerClient {
    public func records(of partition: TopicPartition) throws(KafkaError) -> any PartitionRecords {
        try partitionQueue(for: partition)
    }
}

extension PartitionQueue: PartitionRecords {}
