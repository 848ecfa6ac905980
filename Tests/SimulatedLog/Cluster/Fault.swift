/// What can go wrong at a client's call.
public enum Fault: Int, Sendable, CaseIterable {
    /// `kill -9`, before or after the call took effect.
    case crash
    /// `SIGSTOP`, before or after the call took effect; goes on after a while.
    case freeze
    /// The call fails in a way that passes by itself.
    case retriableError
    /// The transaction has to be aborted.
    case abortableError
    /// The client is of no more use.
    case fatalError
    /// The call took effect, or will, or will not: the answer says nothing of it.
    case lostResponse
    /// No broker answers for a while.
    case outage
    /// The group of some member shares out its partitions again.
    case rebalance
    /// A partition brings nothing for a while.
    case slowPartition
    /// The wall clock is set.
    case clockJump
    /// A fill brings fewer records than there are.
    case partialFill
    /// The markers of a transaction reach its partitions at different times.
    case lateMarkers
    /// A commit whose answer was lost takes effect later, if the producer still has its epoch then.
    case delayedCommit
    /// A delayed commit arrives although the client has asked again and got its answer: it then hits the transaction
    /// that is open by that time (what KIP-890 is about).
    case staleCommit
}

/// How likely each fault is, from 0 to 1, at a call where it can happen.
public struct FaultRates: Sendable, Equatable {
    private var rates = [Double](repeating: 0, count: Fault.allCases.count)

    public init(_ rates: [Fault: Double] = [:]) {
        for (fault, rate) in rates { self[fault] = rate }
    }

    public static let none = FaultRates()

    public subscript(fault: Fault) -> Double {
        get { rates[fault.rawValue] }
        set { rates[fault.rawValue] = newValue }
    }

    /// Those that strike a call as a whole; the others are drawn where they happen.
    public static let ofCalls: [Fault] = [
        .crash, .freeze, .retriableError, .abortableError, .fatalError, .lostResponse, .outage, .rebalance,
        .slowPartition, .clockJump,
    ]

    /// The fault of one call; nil for none.
    ///
    /// - Parameter weight: scales all rates, for calls that are made far more often than others.
    func draw(weight: Double, from random: inout SeededGenerator) -> Fault? {
        var roll = random.unit()
        for fault in Self.ofCalls {
            roll -= self[fault] * weight
            if roll < 0 { return fault }
        }
        return nil
    }
}

/// Protections of the brokers that can be switched off, to see whether anybody notices.
public enum BrokenBroker: Sendable, CaseIterable {
    /// Older producers with a transactional id are not fenced.
    case ignoresEpochs
    /// Offsets are taken from members of any generation.
    case ignoresGenerations
}

/// What becomes of a commit whose answer is lost.
public enum LostCommit: Sendable {
    /// It took effect, and the client cannot tell.
    case tookEffect
    /// It is still on its way when the client asks again and gets its answer.
    case straggles
}
