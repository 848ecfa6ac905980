import Kafka
import Testing

struct ProducerTests {
    /// A full queue must hold the caller back, and give up in time with a reason when nothing drains it.
    @Test func aFullQueueHoldsTheCallerBack() throws {
        let broker = try makeBroker(partitions: 1)
        let producer = try makeProducer(broker) { $0.maxQueuedMessages = 10 }
        // 50 times the queue: only possible when produce serves deliveries while it waits.
        for number in 0..<500 {
            try producer.produce(topic: "t", partition: 0, key: nil, value: Array("\(number)".utf8))
        }
        try producer.flush(timeoutMilliseconds: 30_000)
        #expect(producer.deliveries.delivered == 500)
        #expect(producer.outstanding == 0)

        try broker.setDown(broker: 1)
        let failure = #expect(throws: KafkaError.self) {
            for _ in 0..<11 {
                try producer.produce(topic: "t", partition: 0, key: nil, value: [1], timeoutMilliseconds: 50)
            }
        }
        #expect(failure?.code == .queueFull)
        #expect(failure?.isRetriable == true)
        #expect(failure?.topic == "t")
        #expect(producer.outstanding == 10)
    }

    /// A record that the broker refuses must be counted, with where and why, and told to whoever asked for it.
    @Test func aRefusedRecordIsCountedAndExplained() throws {
        let broker = try makeBroker(partitions: 2)
        let producer = try makeProducer(broker)
        var fates: [UInt: KafkaError.Code] = [:]
        producer.onDelivery = { token, offset, failure in
            fates[token] = failure?.code ?? KafkaError.Code.none
            #expect((offset >= 0) == (failure == nil))
        }
        try producer.produce(topic: "t", partition: 0, key: nil, value: [1], token: 7)
        try producer.flush(timeoutMilliseconds: 30_000)
        broker.inject([.topicAuthorizationFailed], into: .produce)
        try producer.produce(topic: "t", partition: 1, key: nil, value: [2], token: 8)
        try producer.flush(timeoutMilliseconds: 30_000)
        #expect(fates == [7: KafkaError.Code.none, 8: .topicAuthorizationFailed])
        let counts = producer.deliveries
        #expect(counts.delivered == 1 && counts.failed == 1 && counts.purged == 0)
        #expect(counts.firstFailure?.code == .topicAuthorizationFailed)
        #expect(counts.firstFailure?.message == "Broker: Topic authorization failed")
        #expect(counts.firstFailure?.topic == "t" && counts.firstFailure?.partition == 1)
        #expect(counts.firstFailure?.isFatal == false && counts.firstFailure?.isRetriable == false)
        producer.resetFirstFailure()
        #expect(producer.deliveries.firstFailure == nil)
    }

    /// A record that is too large fails at once and leaves the producer usable.
    @Test func aRecordThatIsTooLargeIsRefusedAtOnce() throws {
        let broker = try makeBroker(partitions: 1)
        let producer = try makeProducer(broker) { $0.additional = ["message.max.bytes": "2000"] }
        let failure = #expect(throws: KafkaError.self) {
            try producer.produce(
                topic: "t", key: nil, value: [UInt8](repeating: 0, count: 5000), headers: [Header("a", "b")])
        }
        #expect(failure?.code == .messageTooLarge)
        try producer.produce(topic: "t", key: nil, value: [1])
        try producer.flush(timeoutMilliseconds: 30_000)
        #expect(producer.deliveries.delivered == 1)
    }

    /// After a gap in the sequence nothing more can be promised: every call must say so, with the cause.
    @Test func aFatalProducerSaysWhy() throws {
        let broker = try makeBroker(partitions: 1)
        let producer = try makeProducer(broker)
        try producer.produce(topic: "t", partition: 0, key: nil, value: [1])
        try producer.flush(timeoutMilliseconds: 30_000)
        #expect(producer.fatalError == nil)
        broker.inject([.outOfOrderSequenceNumber], into: .produce)
        try producer.produce(topic: "t", partition: 0, key: nil, value: [2])
        try? producer.flush(timeoutMilliseconds: 30_000)
        #expect(producer.fatalError?.isFatal == true)
        #expect(producer.fatalError?.code == .outOfOrderSequenceNumber)
        let failure = #expect(throws: KafkaError.self) {
            try producer.produce(topic: "t", partition: 0, key: nil, value: [3])
        }
        #expect(failure?.code == .outOfOrderSequenceNumber && failure?.recovery == .recreateClient)
        #expect(failure?.operation == "produce")
    }

    /// The calls of a transaction in their order succeed; out of order they are no silent success.
    @Test func aTransactionCommitsAndAborts() throws {
        let broker = try makeBroker(partitions: 1)
        let producer = try makeProducer(broker) { $0.transactionalID = "x" }
        try producer.initTransactions(timeoutMilliseconds: 30_000)
        try producer.beginTransaction()
        try producer.produce(topic: "t", key: nil, value: [1])
        let consumer = try makeConsumer(broker)
        try producer.sendOffsets(
            [TopicPartitionOffset(TopicPartition("t", 0), 1)], consumer.groupMetadata(), timeoutMilliseconds: 30_000)
        try producer.commitTransaction(timeoutMilliseconds: 30_000)
        #expect(producer.deliveries.delivered == 1)

        // There is nothing to abort: an error without any flag, so nothing but a new producer is safe.
        let failure = #expect(throws: KafkaError.self) { try producer.abortTransaction(timeoutMilliseconds: 30_000) }
        #expect(failure?.code == .invalidState)
        #expect(failure?.recovery == .recreateClient)

        try producer.beginTransaction()
        try producer.produce(topic: "t", key: nil, value: [2])
        try producer.abortTransaction(timeoutMilliseconds: 30_000)
        try consumer.close()
    }

    /// What the worker does after a transaction error hangs on its class.
    @Test(arguments: [
        (KafkaError.Code.illegalGeneration, KafkaError.Recovery.abortTransaction),
        (.unknownMemberID, .abortTransaction),
        (.fencedInstanceID, .abortTransaction),
        (.invalidProducerEpoch, .recreateClient),
        (.producerFenced, .recreateClient),
        (.transactionalIDAuthorizationFailed, .recreateClient),
    ])
    func sendingOffsetsFailsWithTheRightClass(code: KafkaError.Code, recovery: KafkaError.Recovery) throws {
        let broker = try makeBroker(partitions: 1)
        let producer = try makeProducer(broker) { $0.transactionalID = "x" }
        try producer.initTransactions(timeoutMilliseconds: 30_000)
        try producer.beginTransaction()
        try producer.produce(topic: "t", key: nil, value: [1])
        let consumer = try makeConsumer(broker)
        let group = try consumer.groupMetadata()
        broker.inject([code], into: .transactionOffsetCommit)
        let failure = #expect(throws: KafkaError.self) {
            try producer.sendOffsets(
                [TopicPartitionOffset(TopicPartition("t", 0), 1)], group, timeoutMilliseconds: 30_000)
        }
        #expect(failure?.recovery == recovery, "\(String(describing: failure))")
        if recovery == .abortTransaction { try producer.abortTransaction(timeoutMilliseconds: 30_000) }
        try consumer.close()
    }
}
