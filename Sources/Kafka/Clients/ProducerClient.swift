/// What a worker asks of a producer: a ``Producer`` of librdkafka, or a writer to a simulated log.
public protocol ProducerClient: AnyObject {
    func initTransactions(timeoutMilliseconds: Int) throws(KafkaError)
    func beginTransaction() throws(KafkaError)
    /// Queues a record; key and value are copied. Without base address: no key, a tombstone.
    func produce(
        topic: String, partition: Int32?, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer,
        headers: [Header], timestamp: Int64?, token: UInt, timeoutMilliseconds: Int
    ) throws(KafkaError)
    func sendOffsets(
        _ offsets: [TopicPartitionOffset], _ group: GroupMetadata, timeoutMilliseconds: Int
    ) throws(KafkaError)
    func commitTransaction(timeoutMilliseconds: Int) throws(KafkaError)
    func abortTransaction(timeoutMilliseconds: Int) throws(KafkaError)

    func poll(timeoutMilliseconds: Int) -> ClientEvent
    func flush(timeoutMilliseconds: Int) throws(KafkaError)
    var deliveries: DeliveryCounts { get }
    var fatalError: KafkaError? { get }
    func metadata(topic: String?, timeoutMilliseconds: Int) throws(KafkaError) -> Metadata
    func close(flushTimeoutMilliseconds: Int) throws(KafkaError)
}

extension ProducerClient {
    /// - Parameters:
    ///   - key: nil for no key.
    ///   - value: nil for a tombstone.
    public func produce(
        topic: String, partition: Int32?, key: [UInt8]?, value: [UInt8]?, headers: [Header], timestamp: Int64?
    ) throws(KafkaError) {
        try withBytes(key) { (key) throws(KafkaError) in
            try withBytes(value) { (value) throws(KafkaError) in
                try produce(
                    topic: topic, partition: partition, key: key, value: value, headers: headers,
                    timestamp: timestamp, token: 0, timeoutMilliseconds: 30_000)
            }
        }
    }
}

extension Producer: ProducerClient {}
