import Kafka

extension SimulatedCluster {
    /// Runs a client's call, with whatever befalls it.
    ///
    /// - Parameters:
    ///   - timeout: how long the client waits for an answer, in milliseconds.
    ///   - fail: the client's own reaction to an error that requires an abort or is fatal.
    ///   - effect: what the call does at the brokers.
    func call<Answer>(
        _ call: ClientCall, of process: SimulatedProcess, operation: String, timeout: Int,
        fail: (KafkaError) -> KafkaError = { $0 }, _ effect: () throws(KafkaError) -> Answer
    ) throws(KafkaError) -> Answer {
        try checkAlive(process, operation)
        process.calls += 1
        process.lastCall = call
        if call.reachesBroker { clock.advance(by: number(in: 0...2)) }
        let fault = draw(call, process)
        // Half of what strikes the process itself strikes after the effect.
        let isEarly = fault != nil && random.chance(0.5)
        if isEarly { try strike(fault, process, operation) }
        if call.reachesBroker { try awaitBrokers(process, operation, timeout) }
        if let next = nextRefusal, next.call == call {
            nextRefusal = nil
            note("\(call.rawValue) refused: \(next.code.name)")
            throw fail(KafkaError(code: next.code, operation: operation, isRetriable: false, requiresAbort: true))
        }
        if let error = refusal(fault, call, operation) { throw fail(error) }
        // What becomes of a commit is the producer's own matter.
        let isLost = fault == .lostResponse && call.reachesBroker && call != .commitTransaction
        if isLost, random.chance(0.3) {
            // It never arrived.
            throw try timeOut(process, operation, timeout)
        }
        let answer = try effect()
        try checkAlive(process, operation)
        note("\(process.name) \(call.rawValue)")
        if let afterCall {
            afterCall(process, call)
            try checkAlive(process, operation)
        }
        if isLost {
            throw try timeOut(process, operation, timeout)
        }
        if !isEarly { try strike(fault, process, operation) }
        return answer
    }

    func checkAlive(_ process: SimulatedProcess, _ operation: String) throws(KafkaError) {
        guard process.isDead else { return }
        process.noteCallAfterDeath()
        throw KafkaError(code: .fatal, message: "the process is dead", operation: operation, isFatal: true)
    }

    /// Waits until a condition holds, as a client's library does inside a call.
    func wait(
        _ process: SimulatedProcess, _ operation: String, timeout: Int, until condition: () -> Bool
    ) throws(KafkaError) {
        let deadline = clock.now + Int64(max(0, timeout))
        while !condition() {
            guard clock.now < deadline else { throw KafkaError(code: .timedOut, operation: operation) }
            block(process, milliseconds: min(deadline - clock.now, 100))
            try checkAlive(process, operation)
        }
    }

    private func draw(_ call: ClientCall, _ process: SimulatedProcess) -> Fault? {
        guard let fault = faults.draw(weight: call.weight, from: &random) else { return nil }
        onFault?(process, call, fault)
        switch fault {
        case .outage:
            beginOutage(milliseconds: number(in: outageDuration))
            return nil
        case .rebalance:
            forceRebalance()
            return nil
        case .slowPartition:
            slowDown()
            return nil
        case .clockJump:
            let jump = number(in: clockJump)
            note("the wall clock is set by \(jump) ms")
            clock.wallOffset += jump
            return nil
        default: return fault
        }
    }

    private func strike(
        _ fault: Fault?, _ process: SimulatedProcess, _ operation: String
    ) throws(KafkaError) {
        if fault == .crash { kill(process) }
        if fault == .freeze { freeze(process, milliseconds: number(in: freezeDuration)) }
        try checkAlive(process, operation)
    }

    private func awaitBrokers(
        _ process: SimulatedProcess, _ operation: String, _ timeout: Int
    ) throws(KafkaError) {
        guard let left = outageLeft else { return }
        let patience = Int64(max(0, timeout))
        block(process, milliseconds: min(left, patience))
        try checkAlive(process, operation)
        if outageLeft != nil { throw KafkaError(code: .timedOut, operation: operation) }
    }

    private func timeOut(
        _ process: SimulatedProcess, _ operation: String, _ timeout: Int
    ) throws(KafkaError) -> KafkaError {
        block(process, milliseconds: Int64(max(0, timeout)))
        try checkAlive(process, operation)
        return KafkaError(code: .timedOut, operation: operation)
    }

    /// The error with which the brokers, or the client's library, refuse a call that had no effect.
    private func refusal(_ fault: Fault?, _ call: ClientCall, _ operation: String) -> KafkaError? {
        switch fault {
        case .retriableError where call.reachesBroker:
            let codes: [KafkaError.Code] = [
                .timedOut, .coordinatorLoadInProgress, .notLeaderForPartition, .notCoordinator, .transport,
            ]
            let error = KafkaError(code: random.pick(codes), operation: operation)
            note("\(call.rawValue) refused: \(error.code.name)")
            return error
        case .abortableError where call == .sendOffsets || call == .commitTransaction:
            let codes: [KafkaError.Code] = [
                .illegalGeneration, .unknownMemberID, .rebalanceInProgress, .messageTooLarge,
            ]
            let code = random.pick(codes)
            note("\(call.rawValue) refused: \(code.name)")
            // Such an answer means that the group has moved on; or it comes late, and nothing follows.
            if code != .messageTooLarge, random.chance(0.8) { forceRebalance() }
            return KafkaError(code: code, operation: operation, isRetriable: false, requiresAbort: true)
        case .fatalError where call == .sendOffsets || call == .commitTransaction || call == .initTransactions:
            let code = random.pick([KafkaError.Code.outOfOrderSequenceNumber, .fenced])
            note("\(call.rawValue) failed for good: \(code.name)")
            return KafkaError(code: code, operation: operation, isFatal: true)
        default: return nil
        }
    }
}
