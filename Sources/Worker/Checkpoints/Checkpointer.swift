import Kafka
import Logging
import Retraining

/// Publishes checkpoints: outputs, state and offsets in one transaction, or not at all.
///
/// What the errors of a transaction ask for, by ``KafkaError/recovery``:
/// - *retry*: the same call again, with the same arguments, until the patience is over; then the outcome is unknown.
/// - *abort*: the transaction is thrown away and the same batch is published in a new one. Where the group has moved on
///   the batch waits for the next assignment.
/// - *anything else*, or an abort that fails: the outcome is unknown. The producer is destroyed; a new one under the same
///   id finishes or fences what the old one left, and everything is restored from the log.
/// - *fenced*: another worker runs under this id. This one ends; to claim the id again would fence the rightful one.
///   Where the transaction was open for longer than the brokers allow, it was they who ended it (a broker was away, or
///   this process stood still), and the outcome is unknown.
///
/// A call that had to be made twice may have left a request on its way, which would hit the next transaction (KIP-890,
/// which librdkafka lacks). The next one is then made by a new producer: its epoch is later, and the straggler is refused.
final class Checkpointer {
    enum Outcome {
        case committed
        /// Nothing was published; the group has moved on. The batch is still good.
        case groupMoved(KafkaError)
        /// Published or not: only the log knows.
        case unknown(KafkaError)
        /// This worker must end: another one runs under its id, or the brokers will not take what it publishes.
        case failed(KafkaError)
    }

    let options: WorkerOptions
    let environment: WorkerEnvironment
    let logger: Logger
    let transactionalID: String
    private var producer: (any ProducerClient)?
    /// When the transaction was begun; monotonic.
    private var began: Milliseconds = 0
    /// Something that the producer asked for may still be on its way.
    private var isTainted = false

    /// Longer than a broker takes to come back.
    static let patience: Milliseconds = 60_000
    private static let callTimeout = 5_000
    private static let attemptsMax = 20

    init(_ options: WorkerOptions, _ environment: WorkerEnvironment, transactionalID: String, logger: Logger) {
        self.options = options
        self.environment = environment
        self.transactionalID = transactionalID
        self.logger = logger
    }

    var isTransactional: Bool { options.kafka.transactions }

    /// Makes the producer ready: claims the transactional id, which ends whatever an earlier run left open.
    func prepare() throws(KafkaError) {
        guard producer == nil else { return }
        let producer = try environment.makeProducer(configuration)
        // Asked before, or the first transaction waits most of a second for it.
        for topic in [options.topics.decisions, options.topics.requests, options.topics.alerts, options.topics.state] {
            _ = try? producer.metadata(topic: topic, timeoutMilliseconds: Self.callTimeout)
        }
        if isTransactional {
            try retrying { () throws(KafkaError) in
                try producer.initTransactions(timeoutMilliseconds: Self.callTimeout)
            }
        }
        self.producer = producer
        // Whatever was asked for while the id was claimed belongs to earlier epochs.
        isTainted = false
    }

    /// Finishes what another worker left open: its transaction would hide everybody's later records until it times out.
    func finishTransaction(of owner: String) throws(KafkaError) {
        guard owner != transactionalID else { return }
        var configuration = configuration
        configuration.transactionalID = owner
        let producer = try environment.makeProducer(configuration)
        defer { try? producer.close(flushTimeoutMilliseconds: 0) }
        try retrying { () throws(KafkaError) in try producer.initTransactions(timeoutMilliseconds: Self.callTimeout) }
    }

    private var configuration: ProducerConfiguration {
        var configuration = ProducerConfiguration(bootstrapServers: options.kafka.bootstrapServers)
        configuration.clientID = options.kafka.clientID
        configuration.additional = options.kafka.properties
        if isTransactional {
            configuration.transactionalID = transactionalID
            configuration.transactionTimeoutMilliseconds = options.kafka.transactionTimeoutMilliseconds
        }
        // A dead letter is as large as the record that it keeps; what no broker takes by default is shortened.
        configuration.additional["message.max.bytes"] = configuration.additional["message.max.bytes"] ?? "2000000"
        return configuration
    }

    // MARK: Committing

    /// Publishes one batch. The same batch may be given again after `groupMoved`.
    func commit(
        _ records: [OutputRecord], _ offsets: [TopicPartitionOffset], consumer: any ConsumerClient,
        group: GroupMetadata
    ) -> Outcome {
        if !isTransactional { return commitPlainly(records, offsets, consumer) }
        for attempt in 1... {
            do {
                if isTainted { discardProducer() }
                try prepare()
                try transact(records, offsets, group)
                return .committed
            } catch {
                switch handle(error, attempt) {
                case .some(let outcome): return outcome
                case .none: environment.pause(min(1000, 50 * attempt))
                }
            }
        }
        fatalError("attempts are limited")
    }

    private func transact(
        _ records: [OutputRecord], _ offsets: [TopicPartitionOffset], _ group: GroupMetadata
    ) throws(KafkaError) {
        guard let producer else {
            throw KafkaError(code: .invalidState, message: "no producer", operation: "begin a transaction")
        }
        if options.sabotage.contains(.commitOffsetsBeforeOutputs) {
            try producer.beginTransaction()
            try producer.sendOffsets(offsets, group, timeoutMilliseconds: Self.callTimeout)
            try producer.commitTransaction(timeoutMilliseconds: Self.callTimeout)
        }
        began = environment.monotonicClock()
        try producer.beginTransaction()
        for record in records { try produce(record, producer) }
        if !options.sabotage.contains(.commitOffsetsBeforeOutputs) {
            try retrying { () throws(KafkaError) in
                try producer.sendOffsets(offsets, group, timeoutMilliseconds: Self.callTimeout)
            }
        }
        try retrying { () throws(KafkaError) in
            try producer.commitTransaction(timeoutMilliseconds: Self.callTimeout)
        }
    }

    /// What to do about a failed attempt; nil is another attempt.
    private func handle(_ error: KafkaError, _ attempt: Int) -> Outcome? {
        if Self.isFencing(error) { return fenced(error) }
        if Self.isRefusal(error) { return .failed(error) }
        guard error.recovery == .abortTransaction, let producer else {
            if options.sabotage.contains(.keepStateAfterUnknownOutcome) {
                discardProducer()
                return (try? prepare()) == nil ? .unknown(error) : nil
            }
            discardProducer()
            return .unknown(error)
        }
        do {
            try retrying { () throws(KafkaError) in
                try producer.abortTransaction(timeoutMilliseconds: Self.callTimeout)
            }
        } catch {
            if Self.isFencing(error) { return fenced(error) }
            discardProducer()
            return .unknown(error)
        }
        logger.warning("a checkpoint was thrown away and is published again: \(error)")
        if Self.isOfGroup(error) { return .groupMoved(error) }
        return attempt < Self.attemptsMax ? nil : .failed(error)
    }

    /// By another worker under this id, or by the brokers because the transaction took too long.
    private func fenced(_ error: KafkaError) -> Outcome {
        let isOverdue =
            environment.monotonicClock() - began >= Milliseconds(options.kafka.transactionTimeoutMilliseconds)
        guard isOverdue else { return .failed(error) }
        discardProducer()
        return .unknown(error)
    }

    private func commitPlainly(
        _ records: [OutputRecord], _ offsets: [TopicPartitionOffset], _ consumer: any ConsumerClient
    ) -> Outcome {
        do throws(KafkaError) {
            guard let producer else {
                throw KafkaError(code: .invalidState, message: "no producer", operation: "publish")
            }
            for record in records { try produce(record, producer) }
            try retrying(for: 300_000) { () throws(KafkaError) in
                try producer.flush(timeoutMilliseconds: Self.callTimeout)
            }
            if let failure = producer.deliveries.firstFailure { throw failure }
            do { try consumer.commit(offsets) } catch {
                // The state topic knows the position as well; the offsets are for people and lag monitors here.
                logger.warning("offsets are not committed yet: \(error)")
            }
            return .committed
        } catch {
            return .failed(error)
        }
    }

    private func produce(_ record: OutputRecord, _ producer: any ProducerClient) throws(KafkaError) {
        do {
            try producer.produce(
                topic: record.topic, partition: record.partition, key: record.key, value: record.value,
                headers: record.headers, timestamp: record.timestamp)
        } catch {
            // A full queue says nothing about the transaction: what is in it is thrown away and published again.
            var error = error
            error.requiresAbort = error.requiresAbort || error.recovery == .retry
            throw error
        }
    }

    /// Calls again while the answer is "later".
    private func retrying(
        for patience: Milliseconds = Checkpointer.patience, _ body: () throws(KafkaError) -> Void
    ) throws(KafkaError) {
        let deadline = environment.monotonicClock() + patience
        while true {
            do {
                try body()
                return
            } catch {
                guard error.recovery == .retry, environment.monotonicClock() < deadline else { throw error }
                isTainted = !options.sabotage.contains(.keepProducerAfterRepeat)
                environment.pause(100)
            }
        }
    }

    private static func isFencing(_ error: KafkaError) -> Bool {
        [.fenced, .producerFenced, .invalidProducerEpoch, .transactionCoordinatorFenced].contains(error.code)
    }

    /// What the brokers will not take at any other time either.
    private static func isRefusal(_ error: KafkaError) -> Bool {
        [
            .messageTooLarge, .topicAuthorizationFailed, .groupAuthorizationFailed, .clusterAuthorizationFailed,
            .transactionalIDAuthorizationFailed, .unknownTopic, .unknownPartition,
        ].contains(error.code)
    }

    private static func isOfGroup(_ error: KafkaError) -> Bool {
        [.illegalGeneration, .unknownMemberID, .rebalanceInProgress, .fencedInstanceID].contains(error.code)
    }

    // MARK: Background

    /// Serves events and delivery reports; what ends the worker, where something does.
    func serve() -> String? {
        guard let producer else { return nil }
        while true {
            switch producer.poll(timeoutMilliseconds: 0) {
            case .none: return nil
            case .statistics: continue
            case .log(let line): logger.log(level: line.level <= 4 ? .warning : .debug, "librdkafka: \(line.message)")
            case .error(let error):
                if error.isFatal, Self.isFencing(error) { return "\(error)" }
                logger.warning("\(error)")
            }
        }
    }

    private func discardProducer() {
        try? producer?.close(flushTimeoutMilliseconds: 0)
        producer = nil
        isTainted = false
    }

    func close() {
        do { try producer?.close(flushTimeoutMilliseconds: isTransactional ? 0 : 10_000) } catch {
            logger.error("closing the producer: \(error)")
        }
        producer = nil
    }
}
