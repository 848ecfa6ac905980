public import Retraining

/// Where a worker stands, task by task and partition by partition: handed over about once a second, for people who look
/// into it. ``WorkerObservation`` is its account of all tasks since the start of the process, for metrics.
public struct WorkerStatus: Sendable {
    public enum Phase: String, Sendable, CaseIterable {
        /// Another worker is active, or the group has not decided yet.
        case standingBy = "standing_by"
        case restoring
        case working
    }

    /// Milliseconds since 1970.
    public var at: Milliseconds
    public var phase: Phase
    /// Every task that was granted is restored and at work.
    public var isReady: Bool
    /// When the last checkpoint was committed; nil before the first one of this process.
    public var lastCheckpointAt: Milliseconds?
    /// Checkpoints committed by this process.
    public var checkpoints: UInt64
    public var tasks: [Task]

    /// One task of the worker.
    public struct Task: Sendable {
        public var number: Int32
        /// Highest merge time of a prediction or actual; nil before the first.
        public var streamTime: Milliseconds?
        /// The last boundary that models were evaluated at.
        public var lastBoundary: Milliseconds?
        /// Evaluations of before the last restore are being done again.
        public var isReplaying: Bool
        public var isCaughtUp: Bool
        public var models: Int
        public var entities: Int
        /// Predictions and actuals that wait for each other.
        public var retainedHalves: Int
        public var counters: EngineCounters
        /// Records that were not taken, by reason.
        public var rejects: [String: UInt64]
        public var inputs: [Input]
    }

    /// One partition that a task reads.
    public struct Input: Sendable {
        public var topic: String
        public var partition: Int32
        /// Next offset that the engine takes.
        public var nextOffset: Int64
        /// Next offset of the last checkpoint.
        public var committedOffset: Int64
        /// Nothing more was there when it was last asked.
        public var isAtEnd: Bool
    }

    public init(
        at: Milliseconds, phase: Phase, isReady: Bool, lastCheckpointAt: Milliseconds? = nil, checkpoints: UInt64 = 0,
        tasks: [Task] = []
    ) {
        self.at = at
        self.phase = phase
        self.isReady = isReady
        self.lastCheckpointAt = lastCheckpointAt
        self.checkpoints = checkpoints
        self.tasks = tasks
    }
}

extension ActiveTask {
    var status: WorkerStatus.Task {
        WorkerStatus.Task(
            number: number, streamTime: engine.streamTime, lastBoundary: engine.lastBoundary, isReplaying: !isLive,
            isCaughtUp: isCaughtUp, models: engine.modelCount, entities: engine.entityCount,
            retainedHalves: engine.retainedHalves, counters: engine.counters, rejects: rejects.counts,
            inputs: inputs.map {
                WorkerStatus.Input(
                    topic: $0.partition.topic, partition: $0.partition.partition,
                    nextOffset: engine.nextOffset(lane: $0.lane), committedOffset: $0.committed, isAtEnd: $0.isAtEnd)
            })
    }
}
