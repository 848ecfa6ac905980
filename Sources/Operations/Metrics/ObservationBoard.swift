import Synchronization
public import Worker

/// Where the worker's thread leaves what it says about itself, and others read it. Locked once a second.
public final class ObservationBoard: Sendable {
    private let observed = Mutex<WorkerObservation?>(nil)
    /// Statistics that nobody has looked at yet: of the group's consumer, and of one that reads broadcast topics.
    private let statistics = Mutex<[Bool: [UInt8]]>([:])
    private let lag = Mutex(ConsumerLag())

    public init() {}

    public func put(_ observation: WorkerObservation) { observed.withLock { $0 = observation } }
    /// Only kept: parsed when somebody asks, on the thread of who asks.
    public func put(statistics json: [UInt8], isOfGroup: Bool) { statistics.withLock { $0[isOfGroup] = json } }

    /// The last observation; nil before the first one.
    public var observation: WorkerObservation? { observed.withLock { $0 } }

    /// How far the partitions reach, by all statistics until now.
    func consumerLag() -> ConsumerLag {
        let fresh = statistics.withLock { waiting in
            defer { waiting = [:] }
            return waiting
        }
        return lag.withLock { lag in
            for (_, json) in fresh { lag.take(json) }
            return lag
        }
    }
}
