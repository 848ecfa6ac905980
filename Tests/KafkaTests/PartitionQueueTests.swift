import Glibc
import Kafka
import Testing

struct PartitionQueueTests {
    /// Merging by time leaves partitions unread for a while: the others must go on, and nothing may be lost.
    @Test func anUnreadPartitionDoesNotBlockTheOthers() throws {
        let broker = try makeBroker(partitions: 2)
        let unread = TopicPartition("t", 0)
        let read = TopicPartition("t", 1)
        // A prefetch that holds a fraction of the records, so that back-pressure reaches the fetcher.
        let consumer = try makeConsumer(broker) { $0.additional = ["queued.min.messages": "100"] }
        try produce(3000, to: unread, on: broker)
        try produce(3000, to: read, on: broker)
        try consumer.assign([TopicPartitionOffset(unread, .beginning), TopicPartitionOffset(read, .beginning)])
        let batch = MessageBatch(capacity: 64)
        for partition in [read, unread] {
            let queue = try consumer.partitionQueue(for: partition)
            var next: Int64 = 0
            let errors = serve(consumer) {
                _ = queue.fill(batch)
                for message in batch where message.isRecord {
                    #expect(message.partition == partition.partition)
                    #expect(message.offset == next)
                    next += 1
                }
                batch.clear()
                return next == 3000
            }
            #expect(errors.isEmpty)
        }
        try consumer.close()
    }

    /// A batch that was consumed in part keeps its records while others are filled and cleared.
    @Test func aBatchConsumedInPartKeepsTheRest() throws {
        let broker = try makeBroker(partitions: 2)
        let partitions = [TopicPartition("t", 0), TopicPartition("t", 1)]
        for partition in partitions { try produce(500, to: partition, on: broker) }
        let consumer = try makeConsumer(broker)
        try consumer.assign(partitions.map { TopicPartitionOffset($0, .beginning) })
        let kept = MessageBatch(capacity: 500)
        serve(consumer) { (try? consumer.partitionQueue(for: partitions[0]).fill(kept)) ?? 0 > 0 }
        let half = kept.count / 2
        let before = kept[..<half].map { text($0.value) }
        let other = MessageBatch(capacity: 500)
        var seen = 0
        try serve(consumer) {
            seen += try consumer.partitionQueue(for: partitions[1]).fill(other)
            other.clear()
            return seen >= 500
        }
        let after = kept[half...].filter(\.isRecord).map { text($0.value) }
        #expect(before + after == (0..<(before.count + after.count)).map(String.init))
        try consumer.close()
        #expect(kept.isEmpty)
    }

    /// The worker parks on one descriptor: records in any queue must end the wait, and so must another thread.
    @Test func aWakerIsSignalledByQueuesAndByThreads() throws {
        let broker = try makeBroker(partitions: 2)
        let consumer = try makeConsumer(broker)
        let waker = try Waker()
        let partitions = [TopicPartition("t", 0), TopicPartition("t", 1)]
        try consumer.assign(partitions.map { TopicPartitionOffset($0, .beginning) })
        consumer.attach(waker)
        for partition in partitions { try consumer.partitionQueue(for: partition).attach(waker) }
        let batch = MessageBatch(capacity: 100)
        /// Reads until a record comes, sleeping on the waker alone.
        func nextRecord() throws -> String? {
            for _ in 0..<1000 {
                #expect(waker.wait(timeoutMilliseconds: 30_000), "the waker slept although something was to come")
                while case .error(let error) = consumer.poll(timeoutMilliseconds: 0) { Issue.record(error) }
                var found: String?
                for partition in partitions {
                    let queue = try consumer.partitionQueue(for: partition)
                    while queue.fill(batch) > 0 {
                        for message in batch where message.isRecord { found = text(message.value) }
                        batch.clear()
                    }
                }
                if let found { return found }
            }
            return nil
        }
        let producer = try makeProducer(broker)
        for round in 0..<5 {
            try producer.produce(topic: "t", partition: Int32(round % 2), key: nil, value: Array("\(round)".utf8))
            try producer.flush(timeoutMilliseconds: 30_000)
            #expect(try nextRecord() == "\(round)")
        }
        // End-of-partition events may still come; then nothing does, until the other thread signals.
        onNewThread { waker.signal() }
        #expect(waker.wait(timeoutMilliseconds: 30_000))
        while waker.wait(timeoutMilliseconds: 100) {
            for partition in partitions {
                while try consumer.partitionQueue(for: partition).fill(batch) > 0 { batch.clear() }
            }
            _ = consumer.poll(timeoutMilliseconds: 0)
        }
        Waker.signal(fileDescriptor: waker.fileDescriptor)
        #expect(waker.wait(timeoutMilliseconds: 0))
        #expect(!waker.wait(timeoutMilliseconds: 0))
        try consumer.close()
    }

    /// After an abort the worker reads the same records again: nothing that was prefetched before may come in between.
    @Test func assigningAgainStartsExactlyAtTheNewOffset() throws {
        let broker = try makeBroker(partitions: 1)
        let partition = TopicPartition("t", 0)
        try produce(500, to: partition, on: broker)
        let consumer = try makeConsumer(broker)
        let batch = MessageBatch(capacity: 20)
        for start: Int64 in [0, 490, 10, 10] {
            try consumer.assign([TopicPartitionOffset(partition, start)])
            let queue = try consumer.partitionQueue(for: partition)
            serve(consumer) { queue.fill(batch) > 0 }
            #expect(batch.first?.offset == start)
            batch.clear()
        }
        try consumer.unassign()
        #expect(try consumer.assignment().isEmpty)
        #expect(try consumer.partitionQueue(for: partition).fill(batch) == 0)
        try consumer.close()
    }

    /// An offset that is not in the log must be reported where the partition is read, not skipped.
    @Test func anOffsetOutsideTheLogIsAnErrorOfItsPartition() throws {
        let broker = try makeBroker(partitions: 1)
        let partition = TopicPartition("t", 0)
        try produce(3, to: partition, on: broker)
        let consumer = try makeConsumer(broker)
        try consumer.assign([TopicPartitionOffset(partition, 1000)])
        let batch = MessageBatch(capacity: 10)
        var failure: KafkaError?
        try serve(consumer) {
            _ = try consumer.partitionQueue(for: partition).fill(batch)
            for message in batch {
                #expect(!message.isRecord)
                failure = failure ?? message.error
            }
            batch.clear()
            return failure != nil
        }
        #expect(failure?.code == .autoOffsetReset)
        #expect(failure?.topic == "t" && failure?.partition == 0)
        try consumer.close()
    }
}
