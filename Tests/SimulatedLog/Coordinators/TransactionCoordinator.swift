import Kafka

/// What a broker refuses, before a client's library has classified it.
struct Refusal: Error {
    var code: KafkaError.Code
}

/// A transaction as the brokers know it.
final class Transaction {
    let serial: Int
    var partitions: [TopicPartition] = []
    var groups: [String] = []
    /// Markers that are still to be written.
    var missingMarkers = 0

    init(_ serial: Int) { self.serial = serial }
}

/// Who may write under a transactional id, and what is open.
final class TransactionalID {
    enum Phase: Equatable {
        case empty
        case ongoing
        /// The outcome is decided; markers are being written.
        case finishing(isCommit: Bool)
        case finished(isCommit: Bool)
    }

    let name: String
    var epoch: Int16 = -1
    var timeout: Int64 = 10_000
    var phase = Phase.empty
    var current: Transaction?
    /// An id that was claimed anew while its transaction was open waits for that to be aborted.
    var isFinishing: Bool { if case .finishing = phase { true } else { false } }

    init(_ name: String) { self.name = name }
}

/// Decides about transactions, as Kafka's transaction coordinator does (KIP-98; without KIP-890, which librdkafka lacks).
final class TransactionCoordinator {
    private unowned let cluster: SimulatedCluster
    private var ids: [String: TransactionalID] = [:]
    private var transactions = 0

    init(_ cluster: SimulatedCluster) { self.cluster = cluster }

    func id(_ name: String) -> TransactionalID {
        if let id = ids[name] { return id }
        let id = TransactionalID(name)
        ids[name] = id
        return id
    }

    /// How many transactions have not ended.
    var openCount: Int { ids.values.count { $0.phase == .ongoing || $0.isFinishing } }

    /// Claims an id: fences older producers, and aborts what they left open.
    ///
    /// - Returns: the new epoch.
    /// - Throws: `CONCURRENT_TRANSACTIONS` while the abort is under way; ask again.
    func claim(_ id: TransactionalID, timeout: Int64) throws(Refusal) -> Int16 {
        if id.phase == .ongoing {
            // The fence comes first, so that nothing is added to what is being aborted.
            id.epoch += 1
            finish(id, isCommit: false)
        }
        guard !id.isFinishing else { throw Refusal(code: .concurrentTransactions) }
        id.epoch += 1
        id.timeout = timeout
        id.phase = .empty
        id.current = nil
        cluster.note("\(id.name) claimed, epoch \(id.epoch)")
        return id.epoch
    }

    /// Makes sure that a transaction is open; everything that is written belongs to it.
    ///
    /// - Throws: `CONCURRENT_TRANSACTIONS` while the last one is finishing; ask again.
    func open(_ id: TransactionalID, epoch: Int16) throws(Refusal) -> Transaction {
        try checkEpoch(id, epoch)
        if id.isFinishing { throw Refusal(code: .concurrentTransactions) }
        if id.phase == .ongoing, let current = id.current { return current }
        transactions += 1
        let transaction = Transaction(transactions)
        id.current = transaction
        id.phase = .ongoing
        // Brokers look for overdue transactions now and then only.
        expire(transaction, of: id, after: id.timeout + cluster.number(in: 0...2_000))
        return transaction
    }

    func checkEpoch(_ id: TransactionalID, _ epoch: Int16) throws(Refusal) {
        guard epoch == id.epoch || cluster.broken.contains(.ignoresEpochs) else {
            throw Refusal(code: .invalidProducerEpoch)
        }
    }

    /// Commits or aborts. Asking again for what was done succeeds.
    func end(_ id: TransactionalID, epoch: Int16, isCommit: Bool) throws(Refusal) {
        try checkEpoch(id, epoch)
        switch id.phase {
        case .ongoing: finish(id, isCommit: isCommit)
        case .finishing(isCommit), .finished(isCommit): return
        case .empty, .finishing, .finished: throw Refusal(code: .invalidTransactionState)
        }
    }

    private func expire(_ transaction: Transaction, of id: TransactionalID, after delay: Int64) {
        cluster.clock.schedule(after: delay) { [unowned self] in
            guard id.current === transaction, id.phase == .ongoing else { return }
            // A coordinator that is away loses no time.
            if let rest = cluster.outageLeft { return expire(transaction, of: id, after: rest + id.timeout) }
            cluster.note("\(id.name) transaction \(transaction.serial) timed out")
            id.epoch += 1
            finish(id, isCommit: false)
        }
    }

    private func finish(_ id: TransactionalID, isCommit: Bool) {
        guard let transaction = id.current else { return }
        cluster.note("\(id.name) transaction \(transaction.serial) \(isCommit ? "commits" : "aborts")")
        id.phase = .finishing(isCommit: isCommit)
        // The last marker is for the end of the transaction itself, so that there always is one.
        transaction.missingMarkers = transaction.partitions.count + transaction.groups.count + 1
        let isLate = cluster.draws(.lateMarkers)
        func later(_ write: @escaping () -> Void) {
            let finished = {
                write()
                transaction.missingMarkers -= 1
                if transaction.missingMarkers == 0, id.current === transaction {
                    id.phase = .finished(isCommit: isCommit)
                }
            }
            guard isLate else { return finished() }
            cluster.clock.schedule(after: cluster.number(in: 1...800), finished)
        }
        for partition in transaction.partitions {
            later { [unowned cluster] in
                cluster.log(partition)?.finish(
                    transaction.serial, isCommitted: isCommit, timestamp: cluster.clock.wall)
            }
        }
        for group in transaction.groups {
            later { [unowned cluster] in
                cluster.groups.group(group).finish(transaction.serial, isCommit: isCommit)
            }
        }
        later {}
    }
}
