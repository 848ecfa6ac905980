public import Kafka

extension SimulatedProducer {
    private var transactionalID: TransactionalID {
        get throws(KafkaError) {
            guard let id else { throw KafkaError(code: .notConfigured, operation: "use transactions") }
            return id
        }
    }

    public func initTransactions(timeoutMilliseconds: Int) throws(KafkaError) {
        let operation = "initialise transactions"
        try call(.initTransactions, operation, timeout: timeoutMilliseconds) { () throws(KafkaError) in
            switch state {
            case .new: break
            case .failed(let error): throw error
            default: throw KafkaError(code: .invalidState, operation: operation)
            }
            let id = try transactionalID
            var claimed: Int16?
            try cluster.wait(process, operation, timeout: timeoutMilliseconds) {
                claimed = try? cluster.transactions.claim(
                    id, timeout: Int64(configuration.transactionTimeoutMilliseconds))
                return claimed != nil
            }
            epoch = claimed ?? -1
            state = .ready
        }
    }

    public func beginTransaction() throws(KafkaError) {
        try call(.beginTransaction, "begin a transaction", timeout: 0) { () throws(KafkaError) in
            switch state {
            case .ready:
                state = .inTransaction
                transaction = nil
            case .failed(let error): throw error
            default: throw KafkaError(code: .invalidState, operation: "begin a transaction")
            }
        }
    }

    public func sendOffsets(
        _ offsets: [TopicPartitionOffset], _ group: GroupMetadata, timeoutMilliseconds: Int
    ) throws(KafkaError) {
        let operation = "send offsets to the transaction"
        try call(.sendOffsets, operation, timeout: timeoutMilliseconds) { () throws(KafkaError) in
            switch state {
            case .inTransaction: break
            case .mustAbort(let error), .failed(let error): throw error
            default: throw KafkaError(code: .invalidState, operation: operation)
            }
            guard let member = group.made else {
                preconditionFailure("the metadata is not of a simulated group")
            }
            let transaction = try open(operation, timeout: timeoutMilliseconds)
            let target = cluster.groups.group(member.group)
            do throws(Refusal) {
                if !cluster.broken.contains(.ignoresGenerations) {
                    try target.check(member: member.id, generation: member.generation, isTransactional: true)
                }
            } catch {
                throw fail(
                    KafkaError(
                        code: error.code, operation: operation, isRetriable: false, isFatal: false,
                        requiresAbort: true))
            }
            if !transaction.groups.contains(member.group) { transaction.groups.append(member.group) }
            target.add(offsets, to: transaction.serial)
        }
    }

    public func commitTransaction(timeoutMilliseconds: Int) throws(KafkaError) {
        let operation = "commit the transaction"
        try call(.commitTransaction, operation, timeout: timeoutMilliseconds) { () throws(KafkaError) in
            switch state {
            case .inTransaction:
                try sendAll(operation, timeout: timeoutMilliseconds)
                if case .mustAbort(let error) = state { throw error }
                if case .failed(let error) = state { throw error }
            case .committing: break
            case .mustAbort(let error), .failed(let error): throw error
            default: throw KafkaError(code: .invalidState, operation: operation)
            }
            state = .committing
            if let lost = cluster.nextLostCommit { throw try lose(lost, operation) }
            if cluster.draws(.lostResponse) { throw try loseCommit(operation, timeout: timeoutMilliseconds) }
            if transaction != nil { try end(isCommit: true, operation) }
            if !cluster.draws(.staleCommit) { delayedCommit?.isObsolete = true }
            delayedCommit = nil
            state = .ready
        }
    }

    public func abortTransaction(timeoutMilliseconds: Int) throws(KafkaError) {
        let operation = "abort the transaction"
        try call(.abortTransaction, operation, timeout: timeoutMilliseconds) { () throws(KafkaError) in
            switch state {
            case .inTransaction, .mustAbort, .aborting: break
            case .failed(let error): throw error
            // Nothing is open, or what is open is being committed.
            default: throw KafkaError(code: .invalidState, operation: operation)
            }
            state = .aborting
            purge()
            if transaction != nil { try end(isCommit: false, operation) }
            state = .ready
        }
    }

    private func open(_ operation: String, timeout: Int) throws(KafkaError) -> Transaction {
        let id = try transactionalID
        var answer: Result<Transaction, Refusal> = .failure(Refusal(code: .timedOut))
        try cluster.wait(process, operation, timeout: timeout) {
            answer = Result { () throws(Refusal) in try cluster.transactions.open(id, epoch: epoch) }
            if case .failure(let refusal) = answer { return refusal.code != .concurrentTransactions }
            return true
        }
        switch answer {
        case .success(let opened):
            transaction = opened
            return opened
        case .failure: throw fail(KafkaError(code: .fenced, operation: operation, isFatal: true))
        }
    }

    private func end(isCommit: Bool, _ operation: String) throws(KafkaError) {
        do throws(Refusal) {
            try cluster.transactions.end(id!, epoch: epoch, isCommit: isCommit)
        } catch {
            let code = error.code == .invalidProducerEpoch ? KafkaError.Code.fenced : error.code
            throw fail(KafkaError(code: code, operation: operation, isFatal: true))
        }
    }

    private func lose(_ lost: LostCommit, _ operation: String) throws(KafkaError) -> KafkaError {
        cluster.nextLostCommit = nil
        cluster.note("\(process.name) does not hear of its commit")
        switch lost {
        case .tookEffect:
            try end(isCommit: true, operation)
            return KafkaError(code: .inconsistent, operation: operation, isRetriable: false, isFatal: false)
        case .straggles:
            let (id, epoch) = (try transactionalID, epoch)
            cluster.straggler = { [unowned cluster] in
                let arrived = (try? cluster.transactions.end(id, epoch: epoch, isCommit: true)) != nil
                cluster.note("\(id.name) late commit \(arrived ? "arrived" : "was refused")")
            }
            return KafkaError(code: .timedOut, operation: operation)
        }
    }

    /// The answer to a commit is lost: it took effect, or it will, or it never arrived.
    private func loseCommit(_ operation: String, timeout: Int) throws(KafkaError) -> KafkaError {
        if let id, transaction != nil {
            let epoch = epoch
            if cluster.draws(.delayedCommit) {
                let delay = cluster.number(in: 1...30_000)
                cluster.note("\(process.name) commit arrives in \(delay) ms")
                let delayed = delayedCommit ?? DelayedCommit()
                delayedCommit = delayed
                cluster.clock.schedule(after: delay) { [unowned cluster] in
                    guard !delayed.isObsolete else { return }
                    let arrived = (try? cluster.transactions.end(id, epoch: epoch, isCommit: true)) != nil
                    cluster.note("\(id.name) late commit \(arrived ? "arrived" : "was refused")")
                }
            } else if cluster.random.chance(0.5) {
                try end(isCommit: true, operation)
            }
        }
        cluster.note("\(process.name) does not hear of its commit")
        cluster.block(process, milliseconds: min(Int64(max(0, timeout)), 20_000))
        try cluster.checkAlive(process, operation)
        if cluster.random.chance(0.5) { return KafkaError(code: .timedOut, operation: operation) }
        return KafkaError(code: .inconsistent, operation: operation, isRetriable: false, isFatal: false)
    }
}
