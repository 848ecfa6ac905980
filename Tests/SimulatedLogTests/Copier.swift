import Kafka
import SimulatedLog

/// The smallest correct consumer and producer: copies `in` to `out`, each record once.
final class Copier {
    let process: SimulatedProcess
    private let cluster: SimulatedCluster
    private let consumer: SimulatedConsumer
    private let producer: SimulatedProducer
    private var metadata: GroupMetadata?
    /// Granted, but the committed offsets are not known yet.
    private var pending: [TopicPartition] = []
    private var positions: [TopicPartition: Int64] = [:]
    private var isReady = false
    private let batch = MessageBatch(capacity: 20)
    /// It cannot go on.
    private(set) var hasEnded = false

    init(_ cluster: SimulatedCluster, _ name: String, restart: Int) {
        self.cluster = cluster
        process = cluster.process("\(name).\(restart)")
        var configuration = ConsumerConfiguration(bootstrapServers: "", groupID: group)
        configuration.groupInstanceID = name
        consumer = cluster.consumer(configuration, of: process)
        producer = cluster.transactional(name, of: process)
    }

    func start() {
        attempt { () throws(KafkaError) in
            try consumer.subscribe(
                ["in"],
                rebalance: RebalanceHandler(
                    assigned: { [unowned self] consumer, partitions in
                        metadata = try? consumer.groupMetadata()
                        pending = partitions
                        return .nothingYet
                    }, revoked: { [unowned self] _, _ in forget() }, lost: { [unowned self] _, _ in forget() }))
        }
    }

    private func forget() {
        metadata = nil
        pending = []
        positions = [:]
    }

    func step() {
        for _ in 0..<10 {
            guard case .error(let error) = consumer.poll(timeoutMilliseconds: 0) else { break }
            if error.isFatal { hasEnded = true }
        }
        attempt { () throws(KafkaError) in
            if !isReady {
                try producer.initTransactions(timeoutMilliseconds: 1_000)
                isReady = true
            }
            try takeOver()
            for partition in positions.keys.sorted() { try copy(partition) }
        }
    }

    /// Goes on from what was committed, once no transaction can change it.
    private func takeOver() throws(KafkaError) {
        guard !pending.isEmpty else { return }
        let committed = try consumer.committed(pending, timeoutMilliseconds: 500)
        let starts = committed.map { TopicPartitionOffset($0.partition, $0.offset.value ?? 0) }
        try consumer.assign(starts)
        positions = Dictionary(uniqueKeysWithValues: starts.map { ($0.partition, $0.offset.rawValue) })
        pending = []
    }

    private func copy(_ partition: TopicPartition) throws(KafkaError) {
        batch.clear()
        guard let metadata, let position = positions[partition],
            try consumer.records(of: partition).fill(batch, timeoutMilliseconds: 0) > 0
        else { return }
        var next = position
        do throws(KafkaError) {
            try producer.beginTransaction()
            for message in batch {
                next = message.isRecord ? message.offset + 1 : message.offset
                guard message.isRecord else { continue }
                try producer.write(String(decoding: message.value, as: UTF8.self))
            }
            let offset = TopicPartitionOffset(partition, next)
            try retrying { () throws(KafkaError) in
                try producer.sendOffsets([offset], metadata, timeoutMilliseconds: 1_000)
            }
            try retrying { () throws(KafkaError) in try producer.commitTransaction(timeoutMilliseconds: 1_000) }
            positions[partition] = next
        } catch {
            guard error.recovery == .abortTransaction else { throw error }
            try retrying { () throws(KafkaError) in try producer.abortTransaction(timeoutMilliseconds: 1_000) }
            // An abort does not rewind.
            try consumer.assign(
                positions.sorted { $0.key < $1.key }.map { TopicPartitionOffset($0.key, $0.value) })
        }
    }

    private func retrying(_ body: () throws(KafkaError) -> Void) throws(KafkaError) {
        var last: KafkaError?
        for _ in 0..<5 {
            do { return try body() } catch {
                guard error.recovery == .retry else { throw error }
                last = error
            }
        }
        var error = last!
        error.isFatal = true
        throw error
    }

    private func attempt(_ body: () throws(KafkaError) -> Void) {
        guard !hasEnded else { return }
        do { try body() } catch { if error.recovery != .retry { hasEnded = true } }
    }
}
