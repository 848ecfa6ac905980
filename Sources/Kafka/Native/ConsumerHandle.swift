internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// Owns the C consumer and ends it in the only order that cannot hang: records, queues, close, destroy.
///
/// Batches that hold records hold this object as well, so the client outlives them; ``shutDown()`` empties them first.
final class ConsumerHandle {
    let client: OpaquePointer
    let callbacks: ConsumerCallbacks
    let delivery: ConsumerConfiguration.Delivery
    /// The common queue: rebalances, errors, statistics, logs, and records where partitions are not separate.
    let mainQueue: OpaquePointer
    var partitionQueues: [TopicPartition: PartitionQueue] = [:]
    private var registration: WakerRegistration?
    /// Closing has begun: no more queues and records.
    private(set) var isClosed = false
    /// The ``Consumer`` is gone: whoever still holds records lets go of the client with them.
    private(set) var isAbandoned = false
    /// The C client is gone.
    private(set) var isDestroyed = false

    /// A batch that has been filled from this consumer. Guarded, because the last reference to a batch may be dropped
    /// on another thread. Touched once a batch, never once a fill.
    private struct KnownBatch: @unchecked Sendable {
        weak var batch: MessageBatch?
    }
    private let batches = Mutex<[ObjectIdentifier: KnownBatch]>([:])

    init(_ configuration: ConsumerConfiguration) throws(KafkaError) {
        let native = try configuration.nativeConfiguration()
        callbacks = ConsumerCallbacks()
        delivery = configuration.delivery
        callbacks.install(in: native)
        client = try native.makeClient(RD_KAFKA_CONSUMER)
        rd_kafka_poll_set_consumer(client)
        if let failure = rd_kafka_set_log_queue(client, nil).failure { callbacks.inbox.add(.error(failure)) }
        mainQueue = rd_kafka_queue_get_consumer(client)
    }

    deinit {
        shutDown()
    }

    func remember(_ batch: MessageBatch) {
        let known = KnownBatch(batch: batch)
        let key = ObjectIdentifier(batch)
        batches.withLock { $0[key] = known }
    }

    func forget(_ batch: MessageBatch) {
        let key = ObjectIdentifier(batch)
        batches.withLock { _ = $0.removeValue(forKey: key) }
    }

    func attach(_ waker: Waker) {
        registration = nil
        guard !isClosed else { return }
        registration = WakerRegistration(queue: mainQueue, waker: waker)
    }

    /// The ``Consumer`` was deallocated, perhaps without having been closed.
    func abandon() {
        isAbandoned = true
        let known = batches.withLock { Array($0.values) }
        for entry in known { entry.batch?.releaseIfEmpty() }
    }

    /// Leaves the group and destroys the client. Returns the error of leaving, if any. Does nothing the second time.
    @discardableResult
    func shutDown() -> KafkaError? {
        guard !isClosed else { return nil }
        isClosed = true
        let known = batches.withLock { batches in
            defer { batches.removeAll() }
            return Array(batches.values)
        }
        for entry in known { entry.batch?.release() }
        for queue in partitionQueues.values { queue.release() }
        registration = nil
        rd_kafka_queue_destroy(mainQueue)
        // Serves the last rebalance; the closures of the application run in here.
        let result = rd_kafka_consumer_close(client)
        partitionQueues.removeAll()
        isDestroyed = true
        guard destroyClient() else {
            return KafkaError(code: .timedOut, message: "the client does not end", operation: "destroy the consumer")
        }
        guard result != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return KafkaError(code: .init(result), operation: "leave the group")
    }

    /// Destroys the client whose group was left. librdkafka 2.0.2 was seen to spin for ever in here after an error of
    /// the coordinator; whoever has to end, or to go on with a new client, must not wait for that. Returns false where
    /// it takes too long: the client and what it may still call are then left behind.
    private func destroyClient() -> Bool {
        struct Client: @unchecked Sendable { let pointer: OpaquePointer }
        let (client, ended) = (Client(pointer: client), DispatchSemaphore(value: 0))
        DispatchQueue(label: "driftgate.kafka.destroy").async {
            rd_kafka_destroy(client.pointer)
            ended.signal()
        }
        guard ended.wait(timeout: .now() + .seconds(10)) == .timedOut else { return true }
        _ = Unmanaged.passRetained(callbacks)
        return false
    }
}

extension rd_kafka_resp_err_t {
    fileprivate var failure: KafkaError? {
        self == RD_KAFKA_RESP_ERR_NO_ERROR
            ? nil : KafkaError(code: .init(self), operation: "redirect log lines")
    }
}
