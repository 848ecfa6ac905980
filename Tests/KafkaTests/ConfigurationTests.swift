import Kafka
import Testing

struct ConfigurationTests {
    /// These would break a guarantee silently; the operator must learn which key and what to do instead.
    @Test(arguments: [
        "enable.auto.commit", "isolation.level", "transactional.id", "enable.auto.offset.store", "auto.offset.reset",
        "partition.assignment.strategy", "group.protocol", "enable.partition.eof",
    ])
    func consumersRefuseSettingsThatBreakGuarantees(key: String) {
        var configuration = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupID: "g")
        configuration.additional = [key: "x"]
        let failure = #expect(throws: KafkaError.self) { try configuration.validate() }
        #expect(failure?.code == .invalidArgument)
        #expect(failure?.message.contains("'\(key)'") == true)
        #expect(throws: KafkaError.self) { _ = try Consumer(configuration) }
    }

    @Test(arguments: ["enable.idempotence", "acks", "transactional.id", "partitioner", "delivery.report.only.error"])
    func producersRefuseSettingsThatBreakGuarantees(key: String) {
        var configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
        configuration.additional = [key: "x"]
        let failure = #expect(throws: KafkaError.self) { try configuration.validate() }
        #expect(failure?.message.contains("'\(key)'") == true)
    }

    /// Mistakes must be found before the worker starts, and named.
    @Test func unknownKeysAndWrongValuesAreNamed() {
        var configuration = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupID: "g")
        configuration.additional = ["no.such.setting": "1"]
        let unknown = #expect(throws: KafkaError.self) { try configuration.validate() }
        #expect(unknown?.message.contains("no.such.setting") == true)
        configuration.additional = ["fetch.wait.max.ms": "soon"]
        let wrong = #expect(throws: KafkaError.self) { try configuration.validate() }
        #expect(wrong?.message.contains("fetch.wait.max.ms") == true)
    }

    /// Tuning must reach librdkafka, over the defaults.
    @Test func tuningIsPassedThrough() throws {
        var consumer = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupID: "g")
        consumer.groupInstanceID = "worker-1"
        consumer.additional = ["queued.min.messages": "5", "fetch.wait.max.ms": "100", "security.protocol": "ssl"]
        try consumer.validate()
        var producer = ProducerConfiguration(bootstrapServers: "localhost:9092")
        producer.transactionalID = "g-worker-1"
        producer.additional = ["batch.num.messages": "10", "message.max.bytes": "1048576"]
        try producer.validate()
    }
}
