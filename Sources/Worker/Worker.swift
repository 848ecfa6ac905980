import Contracts
import Kafka
public import Logging
public import Retraining
import Synchronization

/// Runs the engine on a Kafka cluster: source → engine → effects → sink, all on the calling thread.
///
/// **Who reads.** `scale: single`: the group subscribes to the commands topic only. Whoever is granted its partition 0
/// is active and assigns itself all partitions of all inputs; every other worker stands by. `scale: partitioned`: the
/// group subscribes to predictions and actuals; a worker runs one task for each partition number that it is granted.
///
/// **What is promised.** Outputs, dead letters, state and offsets of a checkpoint are published in one transaction. A
/// start, and every assignment, restores the state that belongs to the committed offsets. Without transactions
/// (`kafka.transactions: false`) the same is done at least once, and ids make repetitions detectable.
public final class Worker {
    public enum Ending: Equatable, Sendable {
        /// Somebody asked.
        case requested
        /// It cannot go on; a supervisor should start it again.
        case failed(String)
    }

    enum Phase {
        /// Another worker is active, or the group has not decided yet.
        case standingBy
        case restoring(Restoration)
        case working
    }

    public internal(set) var options: WorkerOptions
    let environment: WorkerEnvironment
    let logger: Logger
    /// Gets the data of each decision that was published, for the decision log.
    let onDecision: (_ json: [UInt8], _ at: Milliseconds) -> Void
    /// Who is told what happens; set before the start.
    public var listeners = WorkerListeners()
    let tally = WorkerTally()
    var lastObservation: Milliseconds = .min / 2
    /// What `requestReload` asked for.
    let requestedOptions = Mutex<WorkerOptions?>(nil)
    /// Gets where the worker stands, at start, about once a second, and when the phase changes. Called on the worker's
    /// thread: it must only put the value by.
    public var onStatus: ((WorkerStatus) -> Void)?
    /// Where a look at a model is asked for.
    public let views = ModelViewDesk()
    let waker: Waker
    let checkpointer: Checkpointer
    private let isStopping = Atomic<Bool>(false)

    var consumer: (any ConsumerClient)?
    var phase = Phase.standingBy
    /// Tasks at work, by number.
    var tasks: [Int32: ActiveTask] = [:]
    /// Tasks whose partitions were taken away: they go on if those come back unchanged.
    var parked: [Int32: ActiveTask] = [:]
    /// Set inside the rebalance handler, acted upon after the poll.
    var granted: [TopicPartition]?
    /// Who this worker is in the group's current generation: fences the offsets of a transaction.
    var group: GroupMetadata?
    /// Since when nothing is done until the group grants partitions again: it moved on during a checkpoint.
    var awaitsGroup: Milliseconds?
    var hasRejoined = false
    var failure: String?
    private var lastTick: Milliseconds = 0
    var lastCheckpoint: Milliseconds = 0
    var lastPartitionCheck: Milliseconds = 0
    var partitionCounts: [String: Int] = [:]
    private var lastStatus: (at: Milliseconds, phase: WorkerStatus.Phase)?
    var lastCommit: Milliseconds?
    var commits: UInt64 = 0

    public init(
        options: WorkerOptions, environment: WorkerEnvironment = .kafka, logger: Logger,
        onDecision: @escaping (_ json: [UInt8], _ at: Milliseconds) -> Void = { _, _ in }
    ) throws {
        self.options = options
        self.environment = environment
        self.logger = logger
        self.onDecision = onDecision
        waker = try Waker()
        let member = options.kafka.groupInstanceID ?? environment.identity
        checkpointer = Checkpointer(
            options, environment, transactionalID: "\(options.kafka.groupID)-\(member)", logger: logger)
    }

    /// Ends the work soon. From any thread.
    public func requestStop() {
        isStopping.store(true, ordering: .releasing)
        waker.signal()
    }

    /// Goes on by other options soon: from the next decision boundary on. Only what may change without a restart may
    /// differ. From any thread.
    public func requestReload(_ options: WorkerOptions) {
        requestedOptions.withLock { $0 = options }
        waker.signal()
    }

    /// A closure for other threads and signal handling, which must not hold the worker itself.
    public var stopRequest: @Sendable () -> Void {
        let stopper = Stopper(self)
        return { stopper.stop() }
    }

    /// The same for other options.
    public var reloadRequest: @Sendable (WorkerOptions) -> Void {
        let stopper = Stopper(self)
        return { stopper.reload($0) }
    }

    /// Only what any thread may call is called through it.
    private final class Stopper: @unchecked Sendable {
        private let worker: Worker
        init(_ worker: Worker) { self.worker = worker }
        func stop() { worker.requestStop() }
        func reload(_ options: WorkerOptions) { worker.requestReload(options) }
    }

    // MARK: Life

    /// Works until it is asked to stop, or cannot go on.
    public func run() throws -> Ending {
        defer { close() }
        try start()
        while true {
            waker.wait(timeoutMilliseconds: isBusy ? 0 : 100)
            if let ending = try step() { return ending }
        }
    }

    /// Connects, checks the topics, and joins the group.
    public func start() throws {
        let consumer = try environment.makeConsumer(consumerConfiguration())
        self.consumer = consumer
        sayWhatIsPromised()
        try checkTopics(consumer)
        consumer.attach(waker)
        try join(consumer)
        logger.info("joined group \(options.kafka.groupID) as \(checkpointer.transactionalID)")
        lastTick = environment.monotonicClock()
        lastCheckpoint = lastTick
        lastPartitionCheck = lastTick
    }

    /// One turn of the work, without waiting; nil while there is more to come.
    public func step() throws -> Ending? {
        guard let consumer, failure == nil else { return failure.map(Ending.failed) ?? .requested }
        if isStopping.load(ordering: .acquiring) { return stop() }
        serveEvents(consumer)
        if failure == nil { try advance(consumer) }
        tellStatus()
        views.serve { model in tasks.values.lazy.compactMap { $0.engine.view(of: model) }.first }
        return failure.map(Ending.failed)
    }

    private func tellStatus() {
        guard let onStatus else { return }
        let phase = observedPhase
        let now = environment.monotonicClock()
        if let lastStatus, lastStatus.phase == phase, now - lastStatus.at < 1_000 { return }
        lastStatus = (now, phase)
        onStatus(
            WorkerStatus(
                at: environment.wallClock(), phase: phase, isReady: isReady, lastCheckpointAt: lastCommit,
                checkpoints: commits, tasks: tasks.values.map(\.status).sorted { $0.number < $1.number }))
    }

    private func advance(_ consumer: any ConsumerClient) throws {
        do throws(KafkaError) { try followGrant(consumer) } catch { try waitOrThrow(error) }
        switch phase {
        case .standingBy: takeRequestedOptions()
        case .restoring(let restoration):
            do {
                guard try restoration.step(deadline: environment.monotonicClock() + 200) else { break }
                try begin(restoration.tasks, consumer)
            } catch let error as KafkaError { try waitOrThrow(error) }
        case .working:
            if !waitsForReload { try work() }
            reloadIfAsked(consumer)
        }
        failure = failure ?? checkpointer.serve()
        observe()
    }

    private func work() throws {
        guard awaitsGroup == nil else { return try watchGroup() }
        for (_, task) in tasks.sorted(by: { $0.key < $1.key }) {
            task.broadcast.map(serveEvents)
            try task.pump(deadline: environment.monotonicClock() + 200) { isStopping.load(ordering: .relaxed) }
        }
        let now = environment.monotonicClock()
        if now - lastTick >= 1000 {
            lastTick = now
            for task in tasks.values { task.tick() }
            try checkPartitions()
        }
        let isDue = now - lastCheckpoint >= options.worker.checkpointInterval
        if isDue || tasks.values.contains(where: { $0.hasNews || $0.pendingBytes > ActiveTask.pendingBytesMax }) {
            checkpoint()
        }
        // What failed is told after what was done before it has been published.
        if let failed = tasks.values.compactMap(\.failure).first {
            if failure == nil { checkpoint() }
            failure = failure ?? failed
        }
    }

    /// A group that has moved on grants partitions anew. Where it does not, it is asked to by joining once more; one
    /// that never does is left by a new start.
    private func watchGroup() throws {
        guard let consumer, let since = awaitsGroup else { return }
        let session = Milliseconds(options.kafka.sessionTimeoutMilliseconds)
        let waited = environment.monotonicClock() - since
        if waited > session, !hasRejoined {
            hasRejoined = true
            logger.warning("the group refused a checkpoint and has granted nothing since; joining it again")
            return try join(consumer)
        }
        let patience = 2 * session + 30_000
        guard waited > patience else { return }
        failure = "the group refused a checkpoint \(patience / 1000) s ago and has granted nothing since"
    }

    private var isBusy: Bool {
        switch phase {
        case .standingBy: false
        case .restoring: true
        case .working: awaitsGroup == nil && tasks.values.contains(where: \.isBusy)
        }
    }

    /// Whether every task that this worker was granted is restored and at work.
    public var isReady: Bool {
        guard case .working = phase else { return false }
        return tasks.values.allSatisfy(\.isLive)
    }

    /// A broker that is away for a while ends nothing.
    func waitOrThrow(_ error: KafkaError) throws {
        guard error.recovery == .retry else { throw error }
        logger.warning("trying again: \(error)")
        environment.pause(200)
    }

    /// Publishes what is there, with a snapshot so that the next start has nothing to do again.
    private func stop() -> Ending {
        if case .working = phase, awaitsGroup == nil {
            // What is left of the time is for leaving the group.
            _ = writeSnapshots(within: max(5_000, options.worker.shutdownDeadline - 10_000))
            for task in tasks.values { task.sayGoodbye() }
        }
        return failure.map(Ending.failed) ?? .requested
    }

    public func close() {
        closeTasks(tasks.values)
        closeTasks(parked.values)
        tasks = [:]
        parked = [:]
        phase = .standingBy
        checkpointer.close()
        do { try consumer?.close() } catch { logger.warning("leaving the group: \(error)") }
        consumer = nil
    }

    func closeTasks(_ gone: some Sequence<ActiveTask>) {
        for task in gone {
            for input in task.inputs { input.batch.clear() }
            try? task.broadcast?.close()
        }
    }
}
