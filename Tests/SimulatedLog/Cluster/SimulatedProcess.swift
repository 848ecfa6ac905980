/// A process that runs clients of the log. All its clients stop and die with it.
public final class SimulatedProcess {
    public let name: String
    public private(set) var isDead = false
    /// Stopped by `SIGSTOP`: does not even send heartbeats.
    public internal(set) var isFrozen = false
    /// Inside a call that takes time; must not be stepped meanwhile.
    public var isBlocked: Bool { blockedCalls > 0 }
    /// How many calls were made to the log.
    public internal(set) var calls = 0
    /// The last call, for counting where processes die.
    public internal(set) var lastCall: ClientCall?

    var blockedCalls = 0
    /// What a dead process believes to have waited. Nobody else sees it, but its loops end.
    var waitedInVain: Int64 = 0
    private var callsAfterDeath = 0
    /// Since when the coordinators have not heard of it.
    var silentSince: Int64?
    /// What its clients get to know once it goes on.
    var afterThaw: [() -> Void] = []

    init(_ name: String) { self.name = name }

    func die() { isDead = true }

    /// Counts a call of a dead process: code that keeps calling would never stop on a real fatal error either.
    func noteCallAfterDeath() {
        callsAfterDeath += 1
        precondition(callsAfterDeath < 100_000, "\(name) goes on calling after a fatal error")
    }
}

/// What a process can ask of the log.
public enum ClientCall: String, Sendable, CaseIterable {
    case subscribe, assign, poll, fill, commit, committed, watermarks, offsetsForTimes, metadata
    case closeConsumer
    case initTransactions, beginTransaction, produce, sendOffsets, commitTransaction, abortTransaction, flush
    case pollProducer, closeProducer

    /// Whether a broker has to answer.
    var reachesBroker: Bool {
        switch self {
        case .commit, .committed, .watermarks, .offsetsForTimes, .metadata, .initTransactions, .sendOffsets,
            .commitTransaction, .abortTransaction, .flush:
            true
        default: false
        }
    }

    /// Scales the rates of faults: some calls are made all the time.
    var weight: Double {
        switch self {
        case .poll, .fill, .pollProducer: 0.02
        case .produce: 0.2
        default: 1
        }
    }
}
