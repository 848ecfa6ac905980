import Kafka
import Testing

/// librdkafka hangs when a client is destroyed while records or queues of it are held.
struct ClosingTests {
    /// Fills a batch with records and leaves others unread in the queue.
    private func holdRecords(
        _ broker: EmbeddedBroker, _ change: (inout ConsumerConfiguration) -> Void = { _ in }
    ) throws -> (Consumer, PartitionQueue, MessageBatch) {
        let partition = TopicPartition("t", 0)
        try produce(500, to: partition, on: broker)
        let consumer = try makeConsumer(broker, change)
        try consumer.assign([TopicPartitionOffset(partition, .beginning)])
        let queue = try consumer.partitionQueue(for: partition)
        let batch = MessageBatch(capacity: 10)
        serve(consumer) { queue.fill(batch) > 0 }
        return (consumer, queue, batch)
    }

    /// An orderly end with unread records everywhere must come back, and leave harmless objects behind.
    @Test func closingWithUnreadRecordsReturns() throws {
        let broker = try makeBroker(partitions: 1)
        let (consumer, queue, batch) = try holdRecords(broker)
        queue.attach(try Waker())
        try consumer.close()
        #expect(batch.isEmpty)
        #expect(queue.fill(batch) == 0)
        #expect(queue.length == 0)
        try consumer.close()
        #expect(throws: KafkaError.self) { try consumer.assign([]) }
    }

    /// A consumer that is dropped must not pull the records away from a batch that is still in use.
    @Test func recordsOutliveADroppedConsumer() throws {
        let broker = try makeBroker(partitions: 1)
        var held: (Consumer, PartitionQueue, MessageBatch)? = try holdRecords(broker)
        let batch = try #require(held?.2)
        let idle = MessageBatch(capacity: 1)
        _ = held?.1.fill(idle)
        idle.clear()
        held = nil
        #expect(text(batch[0].value) == "0")
        batch.clear()
    }

    /// The producer's end must not wait for records that can never be delivered.
    @Test func droppingAProducerWithUndeliverableRecordsReturns() throws {
        let broker = try makeBroker(partitions: 1)
        let producer = try makeProducer(broker)
        try producer.produce(topic: "t", partition: 0, key: nil, value: [1])
        try producer.flush(timeoutMilliseconds: 30_000)
        try broker.setDown(broker: 1)
        try producer.produce(topic: "t", partition: 0, key: nil, value: [2])
        #expect(throws: KafkaError.self) { try producer.close(flushTimeoutMilliseconds: 50) }
        #expect(producer.deliveries.delivered == 1)
        #expect(producer.deliveries.purged == 1)
        #expect(throws: KafkaError.self) { try producer.produce(topic: "t", key: nil, value: [UInt8]()) }
    }
}
