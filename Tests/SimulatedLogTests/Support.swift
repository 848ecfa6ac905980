import Kafka
import SimulatedLog

let input = TopicPartition("in", 0)
let output = TopicPartition("out", 0)
let stateLog = TopicPartition("state", 0)
let group = "g"

func makeCluster(seed: UInt64 = 1, faults: FaultRates = .none, inputs: Int32 = 2) -> SimulatedCluster {
    SimulatedCluster(
        seed: seed,
        topics: [
            SimulatedTopic("in", partitions: inputs), SimulatedTopic("more", partitions: inputs),
            SimulatedTopic("out"), SimulatedTopic("state", isCompacted: true),
        ], faults: faults)
}

extension SimulatedCluster {
    /// A transactional producer that has claimed its id.
    func claim(_ id: String, of process: SimulatedProcess, timeout: Int = 10_000) throws -> SimulatedProducer {
        let producer = transactional(id, of: process, timeout: timeout)
        try producer.initTransactions(timeoutMilliseconds: 60_000)
        return producer
    }

    func transactional(_ id: String, of process: SimulatedProcess, timeout: Int = 10_000) -> SimulatedProducer {
        var configuration = ProducerConfiguration(bootstrapServers: "")
        configuration.transactionalID = id
        configuration.transactionTimeoutMilliseconds = timeout
        return producer(configuration, of: process)
    }

    func reader(
        of process: SimulatedProcess? = nil, _ isolation: ConsumerConfiguration.Isolation = .readCommitted,
        reset: ConsumerConfiguration.OffsetReset = .error, instance: String? = nil
    ) -> SimulatedConsumer {
        var configuration = ConsumerConfiguration(bootstrapServers: "", groupID: group)
        configuration.isolation = isolation
        configuration.offsetReset = reset
        configuration.groupInstanceID = instance
        return consumer(configuration, of: process ?? self.process("reader"))
    }

    func values(_ partition: TopicPartition, _ isolation: ConsumerConfiguration.Isolation = .readCommitted) -> [String]
    {
        records(of: partition, isolation).map { String(decoding: $0.value ?? [], as: UTF8.self) }
    }

    func append(_ text: String, to partition: TopicPartition = input, key: String? = nil, at time: Int64 = 0) {
        append(
            StoredRecord(timestamp: time, key: key.map { Array($0.utf8) }, value: Array(text.utf8)), to: partition)
    }
}

extension SimulatedProducer {
    func write(_ text: String?, to partition: TopicPartition = output, key: String? = nil) throws(KafkaError) {
        try produce(
            topic: partition.topic, partition: partition.partition, key: key.map { Array($0.utf8) },
            value: text.map { Array($0.utf8) }, headers: [], timestamp: nil)
    }

    func commit() throws(KafkaError) { try commitTransaction(timeoutMilliseconds: 10_000) }

    /// One whole transaction.
    func transact(_ texts: String..., to partition: TopicPartition = output) throws(KafkaError) {
        try beginTransaction()
        for text in texts { try write(text, to: partition, key: "k") }
        try commit()
    }
}

/// What one fill brought, as text: records by value, `end@offset`, or the error's code.
func read(_ consumer: SimulatedConsumer, _ partition: TopicPartition = output) throws -> [String] {
    let batch = MessageBatch(capacity: 100)
    _ = try consumer.records(of: partition).fill(batch, timeoutMilliseconds: 0)
    return batch.map { message in
        if message.isEndOfPartition { return "end@\(message.offset)" }
        if let error = message.error { return error.code.name }
        return String(decoding: message.value, as: UTF8.self)
    }
}

func start(_ consumer: SimulatedConsumer, _ partition: TopicPartition = output, at offset: Offset = .beginning) throws {
    try consumer.assign([TopicPartitionOffset(partition, offset)])
}

/// The error that a call throws; nil where it throws none.
func failure(_ body: () throws -> Void) -> KafkaError? {
    do {
        try body()
        return nil
    } catch { return error as? KafkaError }
}

/// A member of the group that counts what happens to it.
final class Member {
    let process: SimulatedProcess
    let consumer: SimulatedConsumer
    var owned: [TopicPartition] = []
    var metadata: GroupMetadata?
    var grants = 0
    var revocations = 0
    var losses = 0

    init(_ cluster: SimulatedCluster, _ name: String, topics: [String] = ["in"], instance: String? = nil) throws {
        process = cluster.process(name)
        consumer = cluster.reader(of: process, instance: instance)
        try consumer.subscribe(
            topics,
            rebalance: RebalanceHandler(
                assigned: { [unowned self] consumer, partitions in
                    owned = partitions
                    metadata = try? consumer.groupMetadata()
                    grants += 1
                    return .nothingYet
                },
                revoked: { [unowned self] _, _ in
                    owned = []
                    revocations += 1
                },
                lost: { [unowned self] _, _ in
                    owned = []
                    losses += 1
                }))
    }

    func poll() { _ = consumer.poll(timeoutMilliseconds: 0) }
}

/// Lets members poll for a while.
func settle(_ cluster: SimulatedCluster, _ members: Member..., seconds: Int = 10) {
    for _ in 0..<seconds * 10 {
        cluster.clock.advance(by: 100)
        for member in members { member.poll() }
    }
}
