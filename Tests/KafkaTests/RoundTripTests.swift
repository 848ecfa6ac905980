import Glibc
import Kafka
import Testing

struct RoundTripTests {
    /// What a record is made of must come back byte for byte: dead letters and replays depend on it.
    @Test(arguments: [ProducerConfiguration.Compression.none, .lz4])
    func everyPartOfARecordComesBack(compression: ProducerConfiguration.Compression) throws {
        let broker = try makeBroker(partitions: 1)
        let producer = try makeProducer(broker) { $0.compression = compression }
        let headers = [Header("a", "1"), Header("none", nil), Header("empty", []), Header("a", "2")]
        try producer.produce(
            topic: "t", partition: 0, key: Array("key".utf8), value: [0, 255, 10], headers: headers,
            timestamp: 1_729_180_800_123)
        try producer.produce(topic: "t", partition: 0, key: Array("gone".utf8), value: nil)
        try producer.produce(topic: "t", partition: 0, key: [], value: [])
        try producer.flush(timeoutMilliseconds: 30_000)

        let consumer = try makeConsumer(broker)
        let partition = TopicPartition("t", 0)
        try consumer.assign([TopicPartitionOffset(partition, .beginning)])
        let queue = try consumer.partitionQueue(for: partition)
        let batch = MessageBatch(capacity: 10)
        var seen = 0
        serve(consumer) {
            guard queue.fill(batch) > 0 else { return seen == 3 }
            for message in batch where message.isRecord {
                switch message.offset {
                case 0:
                    #expect(text(message.key) == "key")
                    #expect(Array(message.value) == [0, 255, 10])
                    #expect(message.timestamp == 1_729_180_800_123)
                    #expect(message.headers == headers)
                    #expect(message.header(named: "a").map(text) == "2")
                    #expect(message.header(named: "none")?.baseAddress == nil)
                    #expect(message.header(named: "absent") == nil)
                    #expect(message.topicName == "t")
                case 1:
                    #expect(message.isTombstone)
                    #expect(text(message.key) == "gone")
                    #expect(message.headers.isEmpty)
                    #expect(message.timestamp > 1_729_180_800_123)
                default:
                    #expect(!message.isTombstone && message.value.isEmpty)
                    #expect(message.key.baseAddress != nil && message.key.isEmpty)
                }
                seen += 1
            }
            batch.clear()
            return seen == 3
        }
        try consumer.close()
    }

    /// Restoring stops at this event; it must come with the offset of the next record, also for an empty partition.
    @Test func theEndOfAPartitionIsReportedWithItsOffset() throws {
        let broker = try makeBroker(partitions: 2)
        try produce(5, to: TopicPartition("t", 0), on: broker)
        let consumer = try makeConsumer(broker)
        let partitions = [TopicPartition("t", 0), TopicPartition("t", 1)]
        try consumer.assign(partitions.map { TopicPartitionOffset($0, .beginning) })
        let batch = MessageBatch(capacity: 10)
        var ends: [Int32: Int64] = [:]
        try serve(consumer) {
            for partition in partitions {
                _ = try consumer.partitionQueue(for: partition).fill(batch)
                for message in batch where message.isEndOfPartition { ends[message.partition] = message.offset }
                batch.clear()
            }
            return ends.count == 2
        }
        #expect(ends == [0: 5, 1: 0])
        #expect(try consumer.watermarks(partitions[0], timeoutMilliseconds: 10_000) == Watermarks(low: 0, high: 5))
        #expect(try consumer.position([partitions[0]]).map(\.offset) == [Offset(5)])
        try consumer.close()
    }

    /// The merged mode must deliver all partitions, keep their order, and hand on a record that `poll` met first.
    @Test func mergedDeliveryBringsAllPartitionsInOrder() throws {
        let broker = try makeBroker(partitions: 3)
        for partition in 0..<3 { try produce(100, to: TopicPartition("t", Int32(partition)), on: broker) }
        let consumer = try makeConsumer(broker) { $0.delivery = .mergedQueue }
        try consumer.assign((0..<3).map { TopicPartitionOffset(TopicPartition("t", $0), .beginning) })
        let batch = MessageBatch(capacity: 16)
        var next: [Int32: Int64] = [:]
        try serve(consumer) {
            _ = try consumer.consumeBatch(into: batch, timeoutMilliseconds: 10)
            for message in batch where message.isRecord {
                #expect(message.offset == next[message.partition, default: 0])
                next[message.partition] = message.offset + 1
            }
            batch.clear()
            return next == [0: 100, 1: 100, 2: 100]
        }
        try consumer.close()
    }

    /// Another client must be able to read what is written, key, headers and all.
    @Test(.enabled(if: access("/usr/bin/kcat", X_OK) == 0))
    func kcatReadsWhatWasProduced() throws {
        let broker = try makeBroker(partitions: 1)
        let producer = try makeProducer(broker)
        try producer.produce(
            topic: "t", partition: 0, key: Array("k".utf8), value: Array("hello".utf8), headers: [Header("h", "v")],
            timestamp: 1_729_180_800_123)
        try producer.flush(timeoutMilliseconds: 30_000)
        let command =
            "/usr/bin/kcat -C -q -e -b \(broker.bootstrapServers) -t t -p 0 -o beginning -f '%T|%k|%s|%h|%o' 2>&1"
        let pipe = try #require(popen(command, "r"))
        var output: [UInt8] = []
        var byte = fgetc(pipe)
        while byte != EOF {
            output.append(UInt8(byte))
            byte = fgetc(pipe)
        }
        #expect(pclose(pipe) == 0)
        #expect(String(decoding: output, as: UTF8.self) == "1729180800123|k|hello|h=v|0")
    }

    /// Keys must land where producers in Java put them, or partitioned workers would see a model in two places.
    @Test func keysArePartitionedAsJavaDoes() throws {
        let broker = try makeBroker(partitions: 1)
        try broker.createTopic("many", partitions: 100)
        let producer = try makeProducer(broker)
        // Values of org.apache.kafka.common.utils.Utils.toPositive(murmur2(key)) % 100.
        let expected: [(key: String, partition: Int32)] = [
            ("foobar", 66), ("21", 40), ("a-little-bit-long-string", 12),
        ]
        for entry in expected { try producer.produce(topic: "many", key: Array(entry.key.utf8), value: []) }
        try producer.flush(timeoutMilliseconds: 30_000)
        let consumer = try makeConsumer(broker) { $0.delivery = .mergedQueue }
        try consumer.assign((0..<100).map { TopicPartitionOffset(TopicPartition("many", $0), .beginning) })
        let batch = MessageBatch(capacity: 200)
        var found: [String: Int32] = [:]
        try serve(consumer) {
            _ = try consumer.consumeBatch(into: batch, timeoutMilliseconds: 10)
            for message in batch where message.isRecord { found[text(message.key)] = message.partition }
            batch.clear()
            return found.count == expected.count
        }
        for entry in expected { #expect(found[entry.key] == entry.partition) }
        try consumer.close()
    }
}
