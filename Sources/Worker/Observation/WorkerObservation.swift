public import Kafka
public import Retraining

/// What a worker says about itself once a second: a value, for metrics, health checks and people.
///
/// Totals count since the start of the process and never go down, whatever tasks come and go.
public struct WorkerObservation: Sendable {
    public typealias Phase = WorkerStatus.Phase

    public struct Rejects: Sendable, Hashable {
        public var role: InputRole
        /// One of a bounded set: `RejectReason`, or an engine's refusal.
        public var reason: String

        public init(role: InputRole, reason: String) {
            self.role = role
            self.reason = reason
        }
    }

    public struct Alerts: Sendable, Hashable {
        public var kind: Alert.Kind
        public var state: Alert.State

        public init(kind: Alert.Kind, state: Alert.State) {
            self.kind = kind
            self.state = state
        }
    }

    public var phase = Phase.standingBy
    /// Every task that this worker was granted is restored and at work.
    public var isReady = false
    /// By the wall clock.
    public var at: Milliseconds = 0
    public var tasks = 0
    /// Every input has been read to its end once.
    public var isCaughtUp = false
    public var counters = EngineCounters()
    public var rejects: [Rejects: UInt64] = [:]
    public var decisions: [Reason: UInt64] = [:]
    /// First sendings, and sendings again.
    public var requests: [Reason: UInt64] = [:]
    public var resentRequests: UInt64 = 0
    public var alerts: [Alerts: UInt64] = [:]
    public var verdicts: [Verdict.Outcome: UInt64] = [:]
    public var checkpoints = CheckpointTally()
    public var restores = RestoreTally()
    /// Of the task that is furthest behind.
    public var streamTime: Milliseconds?
    public var lastBoundary: Milliseconds?
    public var entities = 0
    public var retainedHalves = 0
    /// The next record that will be read of each input; of the task that is furthest behind.
    public var positions: [TopicPartition: Int64] = [:]
    /// By name; one dictionary a task.
    public var models: [[String: ModelObservation]] = []

    public init() {}
}

/// What became of checkpoints, and how long they took.
public struct CheckpointTally: Sendable, Equatable {
    public enum Outcome: String, Sendable, CaseIterable {
        case committed
        /// The group moved on; the same batch is published after the next assignment.
        case deferred
        /// Nobody knows; everything is restored from the log.
        case unknown
        case failed
    }

    /// Upper edges in milliseconds; a last bucket is open.
    public static let edges: [Milliseconds] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000]

    public private(set) var outcomes: [Outcome: UInt64] = [:]
    /// Durations of committed ones by bucket: not cumulative.
    public private(set) var buckets = [UInt64](repeating: 0, count: edges.count + 1)
    /// Milliseconds over all committed ones.
    public private(set) var duration: Milliseconds = 0
    public private(set) var bytes: UInt64 = 0
    /// When one was last committed, by the wall clock.
    public private(set) var lastCommitted: Milliseconds?

    public init() {}

    mutating func note(_ outcome: Outcome, took: Milliseconds, bytes: Int, at wallClock: Milliseconds) {
        outcomes[outcome, default: 0] += 1
        guard outcome == .committed else { return }
        buckets[Self.edges.firstIndex { took <= $0 } ?? Self.edges.count] += 1
        duration += took
        self.bytes += UInt64(bytes)
        lastCommitted = wallClock
    }
}

/// Restores of tasks from the log.
public struct RestoreTally: Sendable, Equatable {
    public internal(set) var count: UInt64 = 0
    /// How long the last one took, until all evaluations were done again.
    public internal(set) var lastDuration: Milliseconds?

    public init() {}
}
