import Foundation
import Kafka
import Synchronization
import Worker

/// Reads single records back from their topic, for whoever wants the whole of a decision that is not the latest.
///
/// One thread, one client, one record at a time; more than a few waiting are turned away.
final class RecordFetcher: Sendable {
    private struct Wish: Sendable {
        var partition: TopicPartition
        var offset: Int64
        var answer: @Sendable ([UInt8]?) -> Void
    }

    private let options: WorkerOptions
    private let wishes = Mutex<[Wish]>([])
    private let isWanted = DispatchSemaphore(value: 0)
    private let isStopping = Atomic<Bool>(false)
    private let hasBegun = Atomic<Bool>(false)
    private static let waitingMax = 16
    private static let patienceMilliseconds = 5_000

    init(options: WorkerOptions) { self.options = options }

    /// Nil where the record is gone, the brokers do not answer, or too many ask.
    func record(_ partition: TopicPartition, _ offset: Int64) async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            let isTaken = wishes.withLock { wishes in
                guard wishes.count < Self.waitingMax, !isStopping.load(ordering: .acquiring) else { return false }
                wishes.append(Wish(partition: partition, offset: offset) { continuation.resume(returning: $0) })
                return true
            }
            guard isTaken else { return continuation.resume(returning: nil) }
            if hasBegun.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged {
                Thread { [self] in
                    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
                    run()
                }.start()
            }
            isWanted.signal()
        }
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        isWanted.signal()
    }

    private func run() {
        var consumer: Consumer?
        let batch = MessageBatch(capacity: 1)
        while true {
            isWanted.wait()
            let wish = wishes.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let wish {
                do {
                    let client = try consumer ?? makeConsumer()
                    consumer = client
                    wish.answer(try fetch(wish, client, batch))
                } catch {
                    batch.clear()
                    try? consumer?.close()
                    consumer = nil
                    wish.answer(nil)
                }
            }
            if isStopping.load(ordering: .acquiring) { break }
        }
        for wish in wishes.withLock({ waiting in
            defer { waiting = [] }; return waiting
        }) { wish.answer(nil) }
        batch.clear()
        try? consumer?.close()
    }

    private func makeConsumer() throws(KafkaError) -> Consumer {
        var configuration = ConsumerConfiguration(
            bootstrapServers: options.kafka.bootstrapServers, groupID: options.kafka.groupID)
        configuration.clientID = options.kafka.clientID + "-lookup"
        configuration.offsetReset = .error
        configuration.delivery = .mergedQueue
        configuration.prefetchKilobytes = 64
        configuration.prefetchMessages = 1
        configuration.additional = options.kafka.properties
        return try Consumer(configuration)
    }

    private func fetch(_ wish: Wish, _ consumer: Consumer, _ batch: MessageBatch) throws(KafkaError) -> [UInt8]? {
        try consumer.assign([TopicPartitionOffset(wish.partition, wish.offset)])
        defer { try? consumer.unassign() }
        let deadline = DispatchTime.now() + .milliseconds(Self.patienceMilliseconds)
        while DispatchTime.now() < deadline {
            while case .error(let error) = consumer.poll(timeoutMilliseconds: 0) {
                if error.isFatal { throw error }
            }
            guard try consumer.consumeBatch(into: batch, timeoutMilliseconds: 100) > 0 else { continue }
            defer { batch.clear() }
            let message = batch[0]
            // What was fetched for the wish before may still come out.
            guard message.topicName == wish.partition.topic, message.partition == wish.partition.partition else {
                continue
            }
            if message.isRecord, message.offset == wish.offset { return Array(message.value) }
            if message.isRecord && message.offset > wish.offset || !message.isRecord { return nil }
        }
        return nil
    }
}
