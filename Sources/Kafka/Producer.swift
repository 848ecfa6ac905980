internal import CLibrdkafka

/// How many records were delivered so far, and how many were not.
public struct DeliveryCounts: Sendable {
    /// Acknowledged by all in-sync replicas.
    public internal(set) var delivered: UInt64 = 0
    /// Given up: the brokers refused them, or they were not acknowledged in time.
    public internal(set) var failed: UInt64 = 0
    /// Thrown away, because their transaction was aborted or the producer closed.
    public internal(set) var purged: UInt64 = 0
    /// The first failure since ``Producer/resetFirstFailure()``, with topic and partition.
    public internal(set) var firstFailure: KafkaError?

    public init(delivered: UInt64 = 0, failed: UInt64 = 0, purged: UInt64 = 0, firstFailure: KafkaError? = nil) {
        self.delivered = delivered
        self.failed = failed
        self.purged = purged
        self.firstFailure = firstFailure
    }
}

/// An idempotent, and where configured transactional, producer.
///
/// Records are copied and sent in the background. Whether they arrived shows in ``deliveries``, which advances inside
/// ``poll(timeoutMilliseconds:)``, ``flush(timeoutMilliseconds:)``, produce calls that wait, and the transactional
/// calls. Call `poll` often: librdkafka keeps the reports of delivered records, and their place in the queue, until then.
///
/// Threads: one thread owns the producer and makes all calls.
public final class Producer {
    /// Called with each record's fate where its `token` was not 0, on the owning thread, inside the calls that advance
    /// ``deliveries``. The offset is -1 where the record was not written. Must not call the producer.
    public var onDelivery: ((_ token: UInt, _ offset: Int64, _ failure: KafkaError?) -> Void)? {
        get { callbacks.onDelivery }
        set { callbacks.onDelivery = newValue }
    }

    private let callbacks = ProducerCallbacks()
    private var native: OpaquePointer?
    private let isTransactional: Bool

    /// - Throws: `_INVALID_ARG` for a setting that is refused or wrong. Brokers are contacted later.
    public init(_ configuration: ProducerConfiguration) throws(KafkaError) {
        let settings = try configuration.nativeConfiguration()
        isTransactional = configuration.transactionalID != nil
        callbacks.install(in: settings)
        let client = try settings.makeClient(RD_KAFKA_PRODUCER)
        native = client
        try KafkaError.check(rd_kafka_set_log_queue(client, nil), "redirect log lines")
    }

    deinit {
        guard let native else { return }
        // Nothing of an open transaction may become visible, and nobody waits for the rest any more: only records
        // outside of transactions get a moment to leave.
        if !isTransactional { rd_kafka_flush(native, 1000) }
        destroy()
    }

    /// The C client, for the other files of this class.
    func client(_ operation: String) throws(KafkaError) -> OpaquePointer {
        guard let native else { throw ClientHandle.closed(operation) }
        return native
    }

    // MARK: Producing

    /// Queues a record for delivery; key and value are copied.
    ///
    /// - Parameters:
    ///   - partition: nil lets the key decide as the Java clients would (murmur2), or chance where there is no key.
    ///   - key: without base address for no key.
    ///   - value: without base address for a tombstone.
    ///   - timestamp: milliseconds since 1970; nil is now.
    ///   - token: comes back through ``onDelivery``; 0 for none.
    ///   - timeoutMilliseconds: how long to wait for room in the queue. Delivery reports are served meanwhile.
    /// - Throws: `_QUEUE_FULL` after that time; `MSG_SIZE_TOO_LARGE`, `_UNKNOWN_PARTITION` and the like at once.
    public func produce(
        topic: String, partition: Int32? = nil, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer,
        headers: [Header] = [], timestamp: Int64? = nil, token: UInt = 0, timeoutMilliseconds: Int = 30_000
    ) throws(KafkaError) {
        let client = try client("produce")
        var headerList = try NativeHeaders(headers)
        var deadline: Deadline?
        while true {
            let result = clibrdkafka_produce(
                client, topic, partition ?? -1, key.baseAddress, key.count, value.baseAddress, value.count,
                headerList.pointer, timestamp ?? 0, UnsafeMutableRawPointer(bitPattern: token))
            if result == RD_KAFKA_RESP_ERR_NO_ERROR {
                headerList.handOver()
                return
            }
            guard result == RD_KAFKA_RESP_ERR__QUEUE_FULL else {
                throw ClientHandle.error(
                    result, client: client, operation: "produce", topic: topic, partition: partition)
            }
            let limit = deadline ?? Deadline(milliseconds: timeoutMilliseconds)
            deadline = limit
            if limit.hasPassed {
                throw KafkaError(
                    code: .queueFull,
                    message: "\(outstanding) records wait for delivery, and none left within \(timeoutMilliseconds) ms",
                    operation: "produce", topic: topic, partition: partition)
            }
            rd_kafka_poll(client, 10)
        }
    }

    /// Queues a record for delivery, as the function for raw buffers does.
    ///
    /// - Parameters:
    ///   - key: nil for no key.
    ///   - value: nil for a tombstone.
    public func produce(
        topic: String, partition: Int32? = nil, key: [UInt8]?, value: [UInt8]?, headers: [Header] = [],
        timestamp: Int64? = nil, token: UInt = 0, timeoutMilliseconds: Int = 30_000
    ) throws(KafkaError) {
        try withBytes(key) { (key) throws(KafkaError) in
            try withBytes(value) { (value) throws(KafkaError) in
                try produce(
                    topic: topic, partition: partition, key: key, value: value, headers: headers,
                    timestamp: timestamp, token: token, timeoutMilliseconds: timeoutMilliseconds)
            }
        }
    }

    // MARK: Delivery

    /// Serves delivery reports, errors, statistics and logs; returns one event. Call it until it returns `none`.
    public func poll(timeoutMilliseconds: Int) -> ClientEvent {
        if let event = callbacks.inbox.take() { return event }
        guard let native else { return .none }
        rd_kafka_poll(native, Int32(milliseconds: timeoutMilliseconds))
        return callbacks.inbox.take() ?? .none
    }

    /// Waits until every record is delivered or given up.
    ///
    /// - Throws: `_TIMED_OUT` when some are still under way after that time. Records that failed do not make it throw:
    ///   look at ``deliveries``.
    public func flush(timeoutMilliseconds: Int) throws(KafkaError) {
        let client = try client("flush")
        let result = rd_kafka_flush(client, Int32(milliseconds: timeoutMilliseconds))
        guard result != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        throw KafkaError(
            code: .init(result), message: "\(outstanding) records are not delivered after \(timeoutMilliseconds) ms",
            operation: "flush")
    }

    /// How many records and events wait: queued, in flight, or delivered without their report having been served.
    public var outstanding: Int {
        native.map { Int(rd_kafka_outq_len($0)) } ?? 0
    }

    /// The records delivered and failed so far.
    public var deliveries: DeliveryCounts { callbacks.counts }

    /// Makes room for the next ``DeliveryCounts/firstFailure``.
    public func resetFirstFailure() {
        callbacks.counts.firstFailure = nil
    }

    /// The error that made this producer unusable, such as a second one with its transactional id; nil while it is
    /// usable.
    public var fatalError: KafkaError? {
        native.flatMap(ClientHandle.fatalError(of:))
    }

    /// Asks the brokers about one topic, or about all. Asking for the output topics before the first transaction saves
    /// it most of a second.
    public func metadata(topic: String?, timeoutMilliseconds: Int) throws(KafkaError) -> Metadata {
        try Metadata(client: try client("read metadata"), topic: topic, timeoutMilliseconds: timeoutMilliseconds)
    }

    // MARK: Closing

    /// Flushes and destroys the client. Does nothing the second time.
    ///
    /// - Throws: `_TIMED_OUT` when records were still under way after that time; they are thrown away and the client is
    ///   destroyed all the same.
    public func close(flushTimeoutMilliseconds: Int) throws(KafkaError) {
        guard native != nil else { return }
        defer { destroy() }
        try flush(timeoutMilliseconds: flushTimeoutMilliseconds)
    }

    private func destroy() {
        guard let native else { return }
        self.native = nil
        rd_kafka_purge(native, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        // The reports of what was thrown away are counted.
        rd_kafka_poll(native, 0)
        rd_kafka_destroy(native)
    }
}

/// Hands out the bytes; without base address for nil, and with one for an empty array, which is not the same in Kafka.
func withBytes(
    _ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) throws(KafkaError) -> Void
) throws(KafkaError) {
    guard let bytes else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    if bytes.isEmpty {
        var placeholder: UInt8 = 0
        return try withUnsafeBytes(of: &placeholder) { (buffer) throws(KafkaError) in
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<0]))
        }
    }
    try bytes.withUnsafeBufferPointer { (buffer) throws(KafkaError) in try body(UnsafeRawBufferPointer(buffer)) }
}
