/// How a ``Producer`` connects and what it promises.
///
/// Every producer is idempotent and waits for all in-sync replicas.
public struct ProducerConfiguration: Sendable {
    /// How record batches are compressed.
    public enum Compression: String, Sendable {
        case none
        case gzip
        case snappy
        case lz4
        case zstd
    }

    /// `host:port`, comma-separated.
    public var bootstrapServers: String
    /// What brokers call this client in their logs and quotas.
    public var clientID = "driftgate"
    /// Makes the producer transactional. Unique to one worker: a second producer with the same id fences the first.
    public var transactionalID: String?
    /// After this time the broker aborts a transaction that its producer left open. Short, because readers see nothing
    /// behind an open transaction.
    public var transactionTimeoutMilliseconds = 10_000
    public var compression = Compression.lz4
    /// How long a record waits for others to share its batch.
    public var lingerMilliseconds = 5
    /// How many records wait for delivery at most; then producing waits.
    public var maxQueuedMessages = 100_000
    /// How often statistics arrive as ``ClientEvent/statistics(_:)``; 0 is never.
    public var statisticsIntervalMilliseconds = 0
    /// Passed on to librdkafka as it is; wins over the defaults. Keys that would break a guarantee are refused.
    public var additional: [String: String] = [:]

    public init(bootstrapServers: String) {
        self.bootstrapServers = bootstrapServers
    }

    /// Checks all keys and values without connecting.
    ///
    /// - Throws: `_INVALID_ARG` that names the setting and says what to do.
    public func validate() throws(KafkaError) {
        _ = try nativeConfiguration()
    }

    func nativeConfiguration() throws(KafkaError) -> NativeConfiguration {
        try RefusedSettings.producer.check(additional)
        let configuration = NativeConfiguration()
        try configuration.set(defaults)
        try configuration.set(additional)
        return configuration
    }

    private var defaults: [String: String] {
        var values = [
            "bootstrap.servers": bootstrapServers,
            "client.id": clientID,
            "enable.idempotence": "true",
            "acks": "all",
            "compression.type": compression.rawValue,
            "linger.ms": String(lingerMilliseconds),
            "queue.buffering.max.messages": String(maxQueuedMessages),
            "statistics.interval.ms": String(statisticsIntervalMilliseconds),
            // The partitioner of the Java clients, so that a key lands where theirs would put it, null keys anywhere.
            "partitioner": "murmur2_random",
            "socket.nagle.disable": "true",
            // Log lines come out of `poll` instead of being written to standard error by librdkafka's threads.
            "log.queue": "true",
        ]
        if let transactionalID {
            values["transactional.id"] = transactionalID
            values["transaction.timeout.ms"] = String(transactionTimeoutMilliseconds)
        }
        return values
    }
}
