public import Kafka

/// A producer of a ``SimulatedCluster``, with the states and error classes of librdkafka 2.0.2.
public final class SimulatedProducer: ProducerClient {
    enum State {
        case new
        case ready
        case inTransaction
        /// Only an abort helps.
        case mustAbort(KafkaError)
        /// A commit was asked for and its outcome is not known yet.
        case committing
        case aborting
        case failed(KafkaError)
        case closed
    }

    let configuration: ProducerConfiguration
    let process: SimulatedProcess
    unowned let cluster: SimulatedCluster
    var state = State.new
    var epoch: Int16 = -1
    /// What the coordinator opened for the transaction; nil until something was sent.
    var transaction: Transaction?
    /// A commit that is still under way although nobody waits for it.
    var delayedCommit: DelayedCommit?
    private var queue: [(partition: TopicPartition, record: StoredRecord)] = []
    private var hasReportedFailure = false
    public private(set) var deliveries = DeliveryCounts()

    /// Shared by all deliveries of the same commit.
    final class DelayedCommit {
        var isObsolete = false
    }

    init(_ configuration: ProducerConfiguration, of process: SimulatedProcess, in cluster: SimulatedCluster) {
        self.configuration = configuration
        self.process = process
        self.cluster = cluster
    }

    /// Nil for a producer that is not transactional.
    var id: TransactionalID? { configuration.transactionalID.map { cluster.transactions.id($0) } }

    public var fatalError: KafkaError? {
        if case .failed(let error) = state { error } else { nil }
    }

    // MARK: Producing

    public func produce(
        topic: String, partition: Int32?, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer,
        headers: [Header], timestamp: Int64?, token: UInt, timeoutMilliseconds: Int
    ) throws(KafkaError) {
        try call(.produce, "produce", timeout: timeoutMilliseconds) { () throws(KafkaError) in
            if configuration.transactionalID != nil { try requireTransaction("produce") }
            let count = cluster.partitionCounts[topic] ?? 0
            if let partition, partition >= count {
                throw KafkaError(code: .unknownPartition, operation: "produce", topic: topic, partition: partition)
            }
            guard count > 0 else { throw KafkaError(code: .unknownTopic, operation: "produce", topic: topic) }
            let key = key.baseAddress == nil ? nil : [UInt8](key)
            let record = StoredRecord(
                timestamp: timestamp ?? cluster.clock.wall, key: key,
                value: value.baseAddress == nil ? nil : [UInt8](value), headers: headers)
            queue.append((TopicPartition(topic, partition ?? choose(key, count)), record))
            if cluster.random.chance(cluster.sendRate) { sendSome() }
        }
    }

    private func choose(_ key: [UInt8]?, _ count: Int32) -> Int32 {
        guard let key else { return Int32(cluster.number(in: 0...Int64(count - 1))) }
        return key.withUnsafeBytes { Partitioner.murmur2($0, Int(count)) }
    }

    private func requireTransaction(_ operation: String) throws(KafkaError) {
        switch state {
        case .inTransaction: return
        case .failed(let error): throw error
        // The library does not say why.
        default: throw KafkaError(code: .invalidState, operation: operation)
        }
    }

    // MARK: Sending

    /// What the background thread has sent so far.
    private func sendSome() {
        guard cluster.outageLeft == nil, !queue.isEmpty else { return }
        _ = send(cluster.sendRate >= 1 ? queue.count : Int(cluster.number(in: 1...Int64(queue.count))))
    }

    /// Sends the first records of the queue; false where the brokers ask for patience.
    private func send(_ count: Int) -> Bool {
        var sent = 0
        defer { queue.removeFirst(min(sent, queue.count)) }
        while sent < count {
            let (partition, record) = queue[sent]
            do throws(Refusal) {
                try write(record, to: partition)
                deliveries = counts(delivered: 1)
            } catch {
                switch error.code {
                case .concurrentTransactions: return false
                case .invalidProducerEpoch:
                    fail(KafkaError(code: .fenced, operation: "produce", isFatal: true))
                default:
                    let failure = KafkaError(
                        code: error.code, operation: "produce", topic: partition.topic,
                        partition: partition.partition, isRetriable: false,
                        requiresAbort: configuration.transactionalID != nil)
                    deliveries = counts(failure: failure)
                    fail(failure)
                }
            }
            sent += 1
        }
        return true
    }

    private func write(_ record: StoredRecord, to partition: TopicPartition) throws(Refusal) {
        guard let log = cluster.log(partition) else { throw Refusal(code: .unknownTopicOrPartition) }
        let size = (record.key?.count ?? 0) + (record.value?.count ?? 0)
        if size > log.settings.maximumRecordBytes { throw Refusal(code: .messageTooLarge) }
        if log.settings.isCompacted, record.key == nil { throw Refusal(code: .invalidConfiguration) }
        var record = record
        if let id {
            let transaction = try cluster.transactions.open(id, epoch: epoch)
            self.transaction = transaction
            if !transaction.partitions.contains(partition) { transaction.partitions.append(partition) }
            record.transaction = transaction.serial
        }
        let offset = log.append(record)
        cluster.note("\(process.name) writes \(partition)@\(offset)")
    }

    private func counts(delivered: UInt64 = 0, failure: KafkaError? = nil, purged: Int = 0) -> DeliveryCounts {
        DeliveryCounts(
            delivered: deliveries.delivered + delivered, failed: deliveries.failed + (failure == nil ? 0 : 1),
            purged: deliveries.purged + UInt64(purged), firstFailure: deliveries.firstFailure ?? failure)
    }

    /// Takes the state that an error leads to.
    @discardableResult
    func fail(_ error: KafkaError) -> KafkaError {
        if case .failed = state { return error }
        if error.isFatal {
            state = .failed(error)
        } else if error.requiresAbort, case .inTransaction = state {
            state = .mustAbort(error)
        }
        return error
    }

    func purge() {
        deliveries = counts(purged: queue.count)
        queue.removeAll()
    }

    /// Sends everything, and waits for it.
    func sendAll(_ operation: String, timeout: Int) throws(KafkaError) {
        try cluster.wait(process, operation, timeout: timeout) { cluster.outageLeft == nil && send(queue.count) }
    }

    public func flush(timeoutMilliseconds: Int) throws(KafkaError) {
        try call(.flush, "flush", timeout: timeoutMilliseconds) { () throws(KafkaError) in
            try sendAll("flush", timeout: timeoutMilliseconds)
        }
    }

    public func poll(timeoutMilliseconds: Int) -> ClientEvent {
        do {
            try call(.pollProducer, "poll", timeout: 0) { if cluster.random.chance(cluster.sendRate) { sendSome() } }
        } catch {
            return .none
        }
        guard let fatalError, !hasReportedFailure else { return .none }
        hasReportedFailure = true
        return .error(fatalError)
    }

    public func metadata(topic: String?, timeoutMilliseconds: Int) throws(KafkaError) -> Metadata {
        try call(.metadata, "read metadata", timeout: timeoutMilliseconds) { cluster.metadata(topic: topic) }
    }

    public func close(flushTimeoutMilliseconds: Int) throws(KafkaError) {
        if case .closed = state { return }
        try call(.closeProducer, "close the producer", timeout: flushTimeoutMilliseconds) { () throws(KafkaError) in
            defer {
                purge()
                state = .closed
            }
            // What an open transaction left behind is aborted by the brokers in the end.
            if id == nil { try sendAll("close the producer", timeout: flushTimeoutMilliseconds) }
        }
    }

    func call<Answer>(
        _ call: ClientCall, _ operation: String, timeout: Int, _ effect: () throws(KafkaError) -> Answer
    ) throws(KafkaError) -> Answer {
        if case .closed = state {
            throw KafkaError(code: .invalidState, message: "the client is closed", operation: operation)
        }
        return try cluster.call(
            call, of: process, operation: operation, timeout: timeout, fail: { fail($0) }, effect)
    }
}
