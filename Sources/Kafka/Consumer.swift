internal import CLibrdkafka

/// A member of a consumer group, or a reader of explicitly assigned partitions.
///
/// With ``ConsumerConfiguration/Delivery/partitionQueues`` (the default) records come out of one ``PartitionQueue`` a
/// partition, and everything else out of ``poll(timeoutMilliseconds:)``:
///
/// ```swift
/// let consumer = try Consumer(configuration)
/// try consumer.subscribe(["predictions"], rebalance: handler)
/// let waker = try Waker()
/// consumer.attach(waker)
/// while running {
///     waker.wait(timeoutMilliseconds: 1000)
///     while case let event = consumer.poll(timeoutMilliseconds: 0), isWorthHandling(event) { … }
///     for queue in queues { while queue.fill(batch) > 0 { …; batch.clear() } }
/// }
/// try consumer.close()
/// ```
///
/// Threads: one thread owns the consumer, its queues and batches, and makes all calls. That is also what keeps
/// librdkafka before 2.1 from losing records of a batch around a rebalance; pausing and seeking, which have the same
/// fault, are not offered: assign again with explicit offsets.
public final class Consumer {
    private let handle: ConsumerHandle
    /// A record that `poll` met in the common queue; the next batch starts with it.
    private var metByPoll: UnsafeMutablePointer<rd_kafka_message_t>?
    private var isServing = false

    /// - Throws: `_INVALID_ARG` for a setting that is refused or wrong. Brokers are contacted later.
    public init(_ configuration: ConsumerConfiguration) throws(KafkaError) {
        handle = try ConsumerHandle(configuration)
        handle.callbacks.consumer = self
    }

    deinit {
        if let metByPoll { rd_kafka_message_destroy(metByPoll) }
        // The client lives on until the last batch that holds records of it is cleared.
        handle.abandon()
    }

    /// The C client, for the other files of this class.
    func client(_ operation: String) throws(KafkaError) -> OpaquePointer {
        guard !handle.isDestroyed else { throw ClientHandle.closed(operation) }
        return handle.client
    }

    // MARK: Group

    /// Joins the group for these topics, instead of those before. The first join takes about 3 s.
    public func subscribe(
        _ topics: [String], rebalance: RebalanceHandler = RebalanceHandler()
    ) throws(KafkaError) {
        let client = try client("subscribe")
        handle.callbacks.handler = rebalance
        // "No particular partition" is what a subscription asks for.
        let list = rd_kafka_topic_partition_list_new(Int32(topics.count))!
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for topic in topics { rd_kafka_topic_partition_list_add(list, topic, -1) }
        try KafkaError.check(
            rd_kafka_subscribe(client, list), "subscribe", topic: topics.count == 1 ? topics[0] : nil)
    }

    /// Leaves the group. The partitions are revoked in a following ``poll(timeoutMilliseconds:)``.
    public func unsubscribe() throws(KafkaError) {
        try KafkaError.check(rd_kafka_unsubscribe(try client("unsubscribe")), "unsubscribe")
    }

    /// Whether the group has taken the partitions away without asking (poll interval or session exceeded).
    public var isAssignmentLost: Bool {
        !handle.isDestroyed && rd_kafka_assignment_lost(handle.client) != 0
    }

    /// The error that made this consumer unusable, such as a static member that was fenced; nil while it is usable.
    public var fatalError: KafkaError? {
        handle.isDestroyed ? nil : ClientHandle.fatalError(of: handle.client)
    }

    /// The name that the group's coordinator gave this member; nil before the first join.
    public var memberID: String? {
        guard !handle.isDestroyed, let name = rd_kafka_memberid(handle.client) else { return nil }
        defer { rd_kafka_mem_free(handle.client, name) }
        let text = String(cString: name)
        return text.isEmpty ? nil : text
    }

    // MARK: Assignment

    /// Reads exactly these partitions from these offsets, whatever was read before; records of before that are still in
    /// the caller's batches are the caller's to drop.
    ///
    /// Within a group this replaces what the group assigned, for as long as the generation lasts.
    public func assign(_ partitions: [TopicPartitionOffset]) throws(KafkaError) {
        let client = try client("assign partitions")
        let list = try TopicPartitionList(partitions)
        try separate(partitions.map(\.partition))
        try KafkaError.check(list.use { rd_kafka_assign(client, $0) }, "assign partitions")
    }

    /// Reads nothing any more.
    public func unassign() throws(KafkaError) {
        try KafkaError.check(rd_kafka_assign(try client("unassign partitions"), nil), "unassign partitions")
    }

    /// The partitions that are being read.
    public func assignment() throws(KafkaError) -> [TopicPartition] {
        var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        try KafkaError.check(rd_kafka_assignment(try client("list the assignment"), &list), "list the assignment")
        guard let list else { return [] }
        return TopicPartitionList(owning: list).partitions
    }

    /// Opens the queues of partitions and cuts them off the common one. Must precede `rd_kafka_assign`.
    func separate(_ partitions: [TopicPartition]) throws(KafkaError) {
        guard handle.delivery == .partitionQueues, !handle.isClosed else { return }
        for partition in partitions { try partitionQueue(for: partition).separate() }
    }

    // MARK: Records and events

    /// The records of one partition; the same object until the consumer is closed.
    ///
    /// May be asked for before the partition is assigned.
    public func partitionQueue(for partition: TopicPartition) throws(KafkaError) -> PartitionQueue {
        precondition(handle.delivery == .partitionQueues, "the consumer delivers through the merged queue")
        guard !handle.isClosed else { throw ClientHandle.closed("open the queue of a partition") }
        if let queue = handle.partitionQueues[partition] { return queue }
        let queue = try PartitionQueue(partition, owner: handle)
        handle.partitionQueues[partition] = queue
        return queue
    }

    /// Lets the common queue signal `waker`: rebalances, errors, statistics, logs, and records with merged delivery.
    public func attach(_ waker: Waker) {
        handle.attach(waker)
    }

    /// Serves what is not records: rebalances (the handler runs inside), errors, statistics, logs.
    ///
    /// Must be called at least every ``ConsumerConfiguration/maxPollIntervalMilliseconds``. Call it until it returns
    /// `none`: one call returns one event.
    ///
    /// - Parameter timeoutMilliseconds: how long to wait for something; also ends when a rebalance was served. With
    ///   merged delivery it ends when a record is there, which the next batch brings.
    public func poll(timeoutMilliseconds: Int) -> ClientEvent {
        precondition(!isServing, "a rebalance handler must not poll")
        if let event = handle.callbacks.inbox.take() { return event }
        guard !handle.isClosed, metByPoll == nil else { return .none }
        isServing = true
        handle.callbacks.isPolling = true
        let received = rd_kafka_consumer_poll(handle.client, Int32(milliseconds: timeoutMilliseconds))
        handle.callbacks.isPolling = false
        isServing = false
        if let received {
            let view = MessageView(received)
            if handle.delivery == .mergedQueue, view.isRecord || view.isEndOfPartition {
                metByPoll = received
            } else {
                handle.callbacks.inbox.add(.error(error(of: view)))
                rd_kafka_message_destroy(received)
            }
        }
        return handle.callbacks.inbox.take() ?? .none
    }

    /// Fills `batch` from all partitions and serves rebalances meanwhile; errors are then to be had from
    /// ``poll(timeoutMilliseconds:)`` with timeout 0. For ``ConsumerConfiguration/Delivery/mergedQueue`` only.
    ///
    /// - Parameters:
    ///   - batch: must be empty.
    ///   - timeoutMilliseconds: how long to wait for a *full* batch.
    /// - Returns: the number of entries.
    public func consumeBatch(into batch: MessageBatch, timeoutMilliseconds: Int) throws(KafkaError) -> Int {
        precondition(handle.delivery == .mergedQueue, "the consumer delivers through partition queues")
        precondition(!isServing, "a rebalance handler must not consume")
        guard !handle.isClosed else { throw ClientHandle.closed("consume") }
        if let message = metByPoll {
            precondition(batch.isEmpty, "clear the batch before it is filled again: its records would be lost")
            metByPoll = nil
            batch.append(message, owner: handle)
            return 1
        }
        isServing = true
        handle.callbacks.beginFilling(batch)
        let count = batch.fill(
            from: handle.mainQueue, owner: handle, timeout: Int32(milliseconds: timeoutMilliseconds))
        handle.callbacks.batchBeingFilled = nil
        isServing = false
        // librdkafka 2.1 and later takes records of before a rebalance out of the batch by itself.
        guard rd_kafka_version() < 0x0201_0000, handle.callbacks.entriesBeforeRebalance > 0 else { return count }
        batch.dropFirst(min(handle.callbacks.entriesBeforeRebalance, count))
        return batch.count
    }

    private func error(of view: MessageView) -> KafkaError {
        if view.errorCode == RD_KAFKA_RESP_ERR__FATAL.rawValue,
            let cause = ClientHandle.fatalError(of: handle.client)
        {
            return cause
        }
        return view.error
            ?? KafkaError(
                code: .inconsistent, message: "offset \(view.offset) came through the common queue and is lost",
                operation: "consume", topic: view.topicName, partition: view.partition, isFatal: true)
    }

    // MARK: Closing

    /// Leaves the group and destroys the client. The handler's `revoked` runs inside and may still commit.
    ///
    /// All batches that were filled from this consumer are cleared and all its queues closed first; librdkafka would
    /// hang otherwise. Does nothing the second time.
    ///
    /// - Throws: when leaving the group failed; the client is destroyed all the same.
    public func close() throws(KafkaError) {
        precondition(!isServing, "a rebalance handler must not close the consumer")
        if let metByPoll { rd_kafka_message_destroy(metByPoll) }
        metByPoll = nil
        isServing = true
        defer { isServing = false }
        let failure = handle.shutDown()
        // The closures may hold the objects that hold the consumer.
        handle.callbacks.handler = RebalanceHandler()
        if let failure { throw failure }
    }
}
