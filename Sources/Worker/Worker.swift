import Contracts
public import Kafka
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

    private enum Phase {
        /// Another worker is active, or the group has not decided yet.
        case standingBy
        case restoring(Restoration)
        case working
    }

    public let options: WorkerOptions
    let environment: WorkerEnvironment
    let logger: Logger
    /// Gets the data of each decision that was published, for the decision log.
    let onDecision: (_ json: [UInt8], _ at: Milliseconds) -> Void
    /// Gets where the worker stands, at start, about once a second, and when the phase changes. Called on the worker's
    /// thread: it must only put the value by.
    public var onStatus: ((WorkerStatus) -> Void)?
    /// Where a look at a model is asked for.
    public let views = ModelViewDesk()
    let waker: Waker
    let checkpointer: Checkpointer
    private let isStopping = Atomic<Bool>(false)

    private var consumer: (any ConsumerClient)?
    private var phase = Phase.standingBy
    /// Tasks at work, by number.
    private(set) var tasks: [Int32: ActiveTask] = [:]
    /// Tasks whose partitions were taken away: they go on if those come back unchanged.
    private var parked: [Int32: ActiveTask] = [:]
    /// Set inside the rebalance handler, acted upon after the poll.
    private var granted: [TopicPartition]?
    /// Who this worker is in the group's current generation: fences the offsets of a transaction.
    private var group: GroupMetadata?
    /// Since when nothing is done until the group grants partitions again: it moved on during a checkpoint.
    private var awaitsGroup: Milliseconds?
    private(set) var failure: String?
    private var lastTick: Milliseconds = 0
    private var lastCheckpoint: Milliseconds = 0
    private var lastPartitionCheck: Milliseconds = 0
    private var partitionCounts: [String: Int] = [:]
    private var lastStatus: (at: Milliseconds, phase: WorkerStatus.Phase)?
    private var lastCommit: Milliseconds?
    private var commits: UInt64 = 0

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

    /// A closure for other threads and signal handling, which must not hold the worker itself.
    public var stopRequest: @Sendable () -> Void {
        let stopper = Stopper(self)
        return { stopper.stop() }
    }

    /// Only `requestStop` is called through it, which any thread may.
    private final class Stopper: @unchecked Sendable {
        private let worker: Worker
        init(_ worker: Worker) { self.worker = worker }
        func stop() { worker.requestStop() }
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
        let subscribed =
            options.worker.scale == .single
            ? [options.topics.commands] : [options.topics.predictions, options.topics.actuals]
        try consumer.subscribe(subscribed, rebalance: rebalanceHandler())
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
        let phase: WorkerStatus.Phase =
            switch self.phase {
            case .standingBy: .standingBy
            case .restoring: .restoring
            case .working: .working
            }
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
        case .standingBy: break
        case .restoring(let restoration):
            do {
                guard try restoration.step(deadline: environment.monotonicClock() + 200) else { break }
                try begin(restoration.tasks, consumer)
            } catch let error as KafkaError { try waitOrThrow(error) }
        case .working: try work()
        }
        failure = failure ?? checkpointer.serve()
    }

    private func work() throws {
        guard awaitsGroup == nil else { return watchGroup() }
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

    /// A group that has moved on grants partitions anew. One that never does is left by a new start.
    private func watchGroup() {
        let patience = Milliseconds(2 * options.kafka.sessionTimeoutMilliseconds + 30_000)
        guard let since = awaitsGroup, environment.monotonicClock() - since > patience else { return }
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
    private func waitOrThrow(_ error: KafkaError) throws {
        guard error.recovery == .retry else { throw error }
        logger.warning("trying again: \(error)")
        environment.pause(200)
    }

    /// Publishes what is there, with a snapshot so that the next start has nothing to do again.
    private func stop() -> Ending {
        if case .working = phase, awaitsGroup == nil {
            for task in tasks.values { task.wantsSnapshot = task.isLive }
            let deadline = environment.monotonicClock() + 5_000
            repeat {
                checkpoint()
            } while failure == nil && awaitsGroup == nil
                && tasks.values.contains(where: { $0.checkpoints.isWritingSnapshot })
                && environment.monotonicClock() < deadline
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

    private func closeTasks(_ gone: some Sequence<ActiveTask>) {
        for task in gone {
            for input in task.inputs { input.batch.clear() }
            try? task.broadcast?.close()
        }
    }

    // MARK: Checkpoints

    /// Publishes what all tasks have, in one transaction.
    private func checkpoint() {
        guard let consumer, let group else { return }
        lastCheckpoint = environment.monotonicClock()
        var records: [OutputRecord] = []
        var offsets: [TopicPartitionOffset] = []
        var prepared: [(task: ActiveTask, checkpoints: TaskCheckpoints, position: PositionRecord)] = []
        for (_, task) in tasks.sorted(by: { $0.key < $1.key }) where task.hasAnythingToCommit {
            var checkpoints = task.checkpoints
            let (state, position) = checkpoints.prepare(task, now: lastCheckpoint)
            records += task.pending + state
            for input in position.inputs where isOfGroup(input) {
                offsets.append(
                    TopicPartitionOffset(
                        TopicPartition(input.topic, input.partition), input.next, metadata: position.token))
            }
            prepared.append((task, checkpoints, position))
        }
        guard !prepared.isEmpty else { return }
        switch checkpointer.commit(records, offsets, consumer: consumer, group: group) {
        case .committed:
            lastCommit = environment.wallClock()
            commits += 1
            for entry in prepared {
                entry.task.didCommit(entry.checkpoints, entry.position)
                for decision in entry.task.takeDecisions() { onDecision(decision.json, decision.at) }
            }
        case .groupMoved(let error):
            logger.notice("waiting for the group: \(error)")
            awaitsGroup = environment.monotonicClock()
            if options.sabotage.contains(.dropBatchAfterAbort) { for entry in prepared { entry.task.dropPending() } }
        case .unknown(let error):
            logger.warning("nobody knows what became of a checkpoint; restoring from the log: \(error)")
            restore(Array(tasks.keys), consumer)
        case .failed(let error):
            failure = "\(error)"
        }
    }

    private func isOfGroup(_ input: PositionRecord.Input) -> Bool {
        options.worker.scale == .single || !(InputRole(rawValue: input.role)?.isBroadcast ?? true)
    }

    /// Throws away what is in memory and reads the state again.
    private func restore(_ numbers: [Int32], _ consumer: any ConsumerClient) {
        closeTasks(tasks.values)
        tasks = [:]
        do throws(KafkaError) {
            try consumer.assign([])
            try checkpointer.prepare()
            phase = .restoring(Restoration(self, consumer, numbers))
        } catch {
            // A new process restores as well, and its supervisor waits longer and longer.
            failure = failure ?? "\(error)"
        }
    }

    // MARK: Group

    private func consumerConfiguration() -> ConsumerConfiguration {
        var configuration = ConsumerConfiguration(
            bootstrapServers: options.kafka.bootstrapServers, groupID: options.kafka.groupID)
        configuration.groupInstanceID = options.kafka.groupInstanceID
        configuration.clientID = options.kafka.clientID
        configuration.sessionTimeoutMilliseconds = options.kafka.sessionTimeoutMilliseconds
        // Every partition is assigned with its offset; one that is gone is said, and never skipped silently.
        configuration.offsetReset = .error
        configuration.additional = options.kafka.properties
        return configuration
    }

    private func rebalanceHandler() -> RebalanceHandler {
        RebalanceHandler(
            assigned: { [unowned self] consumer, partitions in
                granted = partitions
                group = try? groupMetadata(consumer)
                return .nothingYet
            },
            revoked: { [unowned self] _, _ in
                // What is decided is published before somebody else takes over.
                if case .working = phase, awaitsGroup == nil { checkpoint() }
                park()
            },
            lost: { [unowned self] _, _ in
                logger.warning("the group took the partitions away; waiting to be granted them again")
                park()
            })
    }

    private func groupMetadata(_ consumer: any ConsumerClient) throws(KafkaError) -> GroupMetadata {
        guard options.sabotage.contains(.groupMetadataOfNonMember) else { return try consumer.groupMetadata() }
        return GroupMetadata(.init(group: options.kafka.groupID, generation: -1, id: ""))
    }

    private func park() {
        if case .working = phase {
            closeTasks(parked.values)
            parked = tasks.filter { $0.value.isLive }
            closeTasks(tasks.values.filter { !$0.isLive })
        }
        tasks = [:]
        granted = nil
        phase = .standingBy
    }

    private func followGrant(_ consumer: any ConsumerClient) throws(KafkaError) {
        guard let partitions = granted else { return }
        let numbers = self.numbers(of: partitions)
        guard !numbers.isEmpty else {
            granted = nil
            awaitsGroup = nil
            drop(parked: Array(parked.keys))
            logger.notice("another worker is active; standing by")
            return
        }
        // Only who is active claims the transactional id.
        try checkpointer.prepare()
        drop(parked: parked.keys.filter { !numbers.contains($0) })
        for number in parked.keys.sorted() {
            let isUnchanged = try isUnchanged(parked[number]!, consumer)
            if !isUnchanged { drop(parked: [number]) }
        }
        granted = nil
        awaitsGroup = nil
        logger.notice("active: \(options.worker.scale == .single ? "all inputs" : "tasks \(numbers)")")
        phase = .restoring(Restoration(self, consumer, numbers.filter { parked[$0] == nil }))
    }

    /// The numbers of the tasks that these partitions make.
    private func numbers(of partitions: [TopicPartition]) -> [Int32] {
        if options.worker.scale == .single {
            return partitions.contains(TopicPartition(options.topics.commands, 0)) ? [0] : []
        }
        func numbers(_ topic: String) -> Set<Int32> {
            Set(partitions.filter { $0.topic == topic }.map(\.partition))
        }
        let predictions = numbers(options.topics.predictions)
        guard predictions == numbers(options.topics.actuals) else {
            // Two workers would share a task.
            failure = "\(options.topics.predictions) and \(options.topics.actuals) no longer have the same partitions"
            return []
        }
        return predictions.sorted()
    }

    /// Whether nobody has written a checkpoint since this task did.
    private func isUnchanged(_ task: ActiveTask, _ consumer: any ConsumerClient) throws(KafkaError) -> Bool {
        if options.sabotage.contains(.ignoreCommittedToken) { return true }
        guard options.kafka.transactions, let token = task.checkpoints.token else { return false }
        let partitions = try groupInputs(of: task.number, consumer)
        return try consumer.committed(partitions, timeoutMilliseconds: 5_000).allSatisfy { $0.metadata == token }
    }

    private func drop(parked numbers: [Int32]) {
        closeTasks(numbers.compactMap { parked.removeValue(forKey: $0) })
    }

    /// Starts restored tasks, and those that go on from memory, with one assignment.
    private func begin(_ restored: [ActiveTask], _ consumer: any ConsumerClient) throws {
        var starts: [TopicPartitionOffset] = []
        for task in restored {
            tasks[task.number] = task
            var own: [TopicPartitionOffset] = []
            for input in task.inputs {
                let start = TopicPartitionOffset(input.partition, input.replayFrom)
                if task.broadcast != nil, input.role.isBroadcast { own.append(start) } else { starts.append(start) }
            }
            try task.broadcast?.assign(own)
        }
        let now = environment.monotonicClock()
        for (number, task) in parked {
            tasks[number] = task
            for input in task.inputs where task.broadcast == nil || !input.role.isBroadcast {
                input.reopen(try consumer.records(of: input.partition), now: now)
                starts.append(TopicPartitionOffset(input.partition, task.engine.nextOffset(lane: input.lane)))
            }
            logger.notice("\(task.name)nothing has changed: going on from memory")
        }
        parked = [:]
        try consumer.assign(starts)
        phase = .working
    }

    private func serveEvents(_ consumer: any ConsumerClient) {
        while true {
            switch consumer.poll(timeoutMilliseconds: 0) {
            case .none:
                if let fatal = consumer.fatalError { failure = failure ?? "\(fatal)" }
                return
            case .statistics: continue
            case .log(let line): logger.log(level: line.level <= 4 ? .warning : .debug, "librdkafka: \(line.message)")
            case .error(let error):
                if error.isFatal {
                    failure = "\(error)"
                    return
                }
                logger.warning("\(error)")
            }
        }
    }

    // MARK: Topics

    /// Everything that a task reads, with its role.
    func inputs(of number: Int32, _ consumer: any ConsumerClient) throws(KafkaError) -> [(TopicPartition, InputRole)] {
        let topics = options.topics
        var inputs: [(TopicPartition, InputRole)] = []
        for (topic, role) in [
            (topics.predictions, InputRole.predictions), (topics.actuals, .actuals), (topics.load, .load),
            (topics.trainingStatus, .trainingStatus), (topics.commands, .commands),
        ] {
            if options.worker.scale == .partitioned, !role.isBroadcast {
                _ = try partitions(of: topic, consumer)
                inputs.append((TopicPartition(topic, number), role))
                continue
            }
            let partitions = try partitions(of: topic, consumer)
            inputs += partitions.map { (TopicPartition(topic, $0), role) }
        }
        return inputs
    }

    /// A topic that a broker does not know at the moment is asked for again: an input must never be left out silently.
    private func partitions(of topic: String, _ consumer: any ConsumerClient) throws(KafkaError) -> [Int32] {
        let metadata = try consumer.metadata(topic: topic, timeoutMilliseconds: 15_000)
        guard let found = metadata[topic], found.error == nil, !found.partitions.isEmpty else {
            throw KafkaError(code: .leaderNotAvailable, operation: "read metadata", topic: topic)
        }
        partitionCounts[topic] = found.partitions.count
        return found.partitions.map(\.id)
    }

    /// Those whose offsets the group commits.
    func groupInputs(of number: Int32, _ consumer: any ConsumerClient) throws(KafkaError) -> [TopicPartition] {
        try inputs(of: number, consumer)
            .filter { options.worker.scale == .single || !$0.1.isBroadcast }.map(\.0)
    }

    /// Partitions that were added to an input are taken up by a new start; leaving them unread would lose records.
    private func checkPartitions() throws {
        let now = environment.monotonicClock()
        guard let consumer, now - lastPartitionCheck >= 60_000 else { return }
        lastPartitionCheck = now
        for (topic, known) in partitionCounts.sorted(by: { $0.key < $1.key }) {
            guard let found = try? consumer.metadata(topic: topic, timeoutMilliseconds: 2_000)[topic]?.partitions.count,
                found > known
            else { continue }
            failure = "topic \(topic) now has \(found) partitions instead of \(known): start again to read them all"
        }
    }

    private func sayWhatIsPromised() {
        if options.kafka.transactions {
            logger.info("transactional, with detectable duplicates: outputs, state and offsets are committed together")
        } else {
            logger.notice(
                """
                at-least-once (kafka.transactions: false): outputs and state are flushed before they count, and what a \
                crash cuts off is published again under the same ids
                """)
        }
        if options.engine.mode == .observe {
            logger.notice("mode: observe — decisions are published, nothing is requested")
        }
    }

    private func checkTopics(_ consumer: any ConsumerClient) throws {
        let metadata = try consumer.metadata(topic: nil, timeoutMilliseconds: 15_000)
        let names = options.topics
        let missing = names.all.map(\.topic).filter { name in
            metadata[name].map { $0.error != nil || $0.partitions.isEmpty } ?? true
        }
        guard missing.isEmpty else { throw WorkerError.missingTopics(missing) }
        guard options.worker.scale == .partitioned else { return }
        func count(_ topic: String) -> Int { metadata[topic]?.partitions.count ?? 0 }
        let (predictions, actuals, state) = (count(names.predictions), count(names.actuals), count(names.state))
        guard predictions == actuals else {
            throw WorkerError.partitions(
                "\(names.predictions) has \(predictions) partitions and \(names.actuals) has \(actuals): scale: "
                    + "partitioned needs the same number")
        }
        guard state >= predictions else {
            throw WorkerError.partitions(
                "\(names.state) has \(state) partitions and \(names.predictions) has \(predictions): every task writes "
                    + "to its own")
        }
    }
}

/// Why a worker could not start.
public enum WorkerError: Error, CustomStringConvertible {
    case missingTopics([String])
    case partitions(String)
    case fieldMap(String)

    public var description: String {
        switch self {
        case .missingTopics(let topics):
            """
            these topics do not exist: \(topics.joined(separator: ", ")). Create them with `driftgate topics create`, \
            or correct `topics` in the configuration.
            """
        case .partitions(let text): text + ". Create the topics with `driftgate topics create`."
        case .fieldMap(let text): "field_map: \(text)"
        }
    }
}
