public import Kafka

/// Brokers, topics, transactions and consumer groups on one thread and in virtual time.
///
/// Everything that happens follows from the seed and from the order of the calls: the same seed gives the same trace.
/// Clients belong to a ``SimulatedProcess``. A call that takes time (a timeout, a pause, a process that is stopped)
/// lets the others go on through ``whileBlocked``.
public final class SimulatedCluster {
    public let clock: VirtualClock
    public let trace: Trace
    public var random: SeededGenerator
    public var faults: FaultRates
    public var broken: Set<BrokenBroker> = []
    /// Lets everybody else work until this moment; time may also just pass.
    public var whileBlocked: ((SimulatedProcess, _ until: Int64) -> Void)?
    /// Told about each fault that struck a call.
    public var onFault: ((SimulatedProcess, ClientCall, Fault) -> Void)?
    /// Told about each call that took effect, before its client hears of it; may stop or end the process.
    public var afterCall: ((SimulatedProcess, ClientCall) -> Void)?
    /// How long a stopped process stays stopped, in milliseconds.
    public var freezeDuration: ClosedRange<Int64> = 100...60_000
    /// How long brokers do not answer.
    public var outageDuration: ClosedRange<Int64> = 100...20_000
    /// How likely the background threads of producers send something at each call; what is left goes with the commit.
    public var sendRate = 0.2
    /// The next call of this kind is refused with this error, and nothing else happens.
    public var nextRefusal: (call: ClientCall, code: KafkaError.Code)?
    /// What becomes of the next commit, of which its client hears nothing.
    public var nextLostCommit: LostCommit?
    /// Lets a commit arrive that straggles.
    public var straggler: (() -> Void)?
    public var slowDuration: ClosedRange<Int64> = 100...20_000
    /// By how much the wall clock is set, forth or back.
    public var clockJump: ClosedRange<Int64> = -3_600_000...3_600_000

    let topics: [String: SimulatedTopic]
    private(set) var partitionCounts: [String: Int32]
    private var logs: [TopicPartition: PartitionLog] = [:]
    private var outageUntil: Int64 = 0
    private(set) var transactions: TransactionCoordinator!
    private(set) var groups: GroupCoordinator!

    /// - Parameters:
    ///   - seed: of everything that is left to chance.
    ///   - wall: what wall clocks show at the start, in milliseconds since 1970.
    public init(
        seed: UInt64, topics: [SimulatedTopic], wall: Int64 = 1_750_000_000_000, faults: FaultRates = .none,
        trace: Trace = Trace()
    ) {
        random = SeededGenerator(seed: seed)
        clock = VirtualClock(wall: wall)
        self.faults = faults
        self.trace = trace
        self.topics = Dictionary(uniqueKeysWithValues: topics.map { ($0.name, $0) })
        partitionCounts = self.topics.mapValues(\.partitions)
        for topic in topics {
            for number in 0..<topic.partitions {
                let partition = TopicPartition(topic.name, number)
                logs[partition] = PartitionLog(partition, topic)
            }
        }
        transactions = TransactionCoordinator(self)
        groups = GroupCoordinator(self)
    }

    // MARK: Clients

    public func process(_ name: String) -> SimulatedProcess { SimulatedProcess(name) }

    public func consumer(_ configuration: ConsumerConfiguration, of process: SimulatedProcess) -> SimulatedConsumer {
        SimulatedConsumer(configuration, of: process, in: self)
    }

    public func producer(_ configuration: ProducerConfiguration, of process: SimulatedProcess) -> SimulatedProducer {
        SimulatedProducer(configuration, of: process, in: self)
    }

    // MARK: Processes

    /// Ends a process as `kill -9` does.
    public func kill(_ process: SimulatedProcess) {
        guard !process.isDead else { return }
        note("\(process.name) dies")
        process.die()
        fallSilent(process)
    }

    /// What a process sees of time: for one that is dead and does not know it, time goes on by its own waiting.
    public func monotonicTime(of process: SimulatedProcess) -> Int64 { clock.now + process.waitedInVain }

    /// Lets a process wait while the others go on.
    public func block(_ process: SimulatedProcess, milliseconds: Int64) {
        guard milliseconds > 0 else { return }
        if process.isDead {
            process.noteCallAfterDeath()
            process.waitedInVain += milliseconds
            return
        }
        let until = clock.now + milliseconds
        process.blockedCalls += 1
        whileBlocked?(process, until)
        if clock.now < until { clock.advance(to: until) }
        process.blockedCalls -= 1
    }

    /// Stops a process for a while, as `SIGSTOP` and `SIGCONT` do.
    public func freeze(_ process: SimulatedProcess, milliseconds: Int64) {
        guard !process.isDead, !process.isFrozen else { return }
        note("\(process.name) stops for \(milliseconds) ms")
        process.isFrozen = true
        fallSilent(process)
        block(process, milliseconds: milliseconds)
        process.isFrozen = false
        guard !process.isDead else { return }
        process.silentSince = nil
        note("\(process.name) goes on")
        let news = process.afterThaw
        process.afterThaw = []
        for tell in news { hearLater(process, tell) }
    }

    /// Tells a process something with its next heartbeat, once it runs.
    func hearLater(_ process: SimulatedProcess, _ tell: @escaping () -> Void) {
        if process.isDead { return }
        if process.isFrozen { return process.afterThaw.append(tell) }
        clock.schedule(after: number(in: 0...3_000)) { [unowned self] in
            if process.isFrozen { hearLater(process, tell) } else { tell() }
        }
    }

    private func fallSilent(_ process: SimulatedProcess) {
        guard process.silentSince == nil else { return }
        process.silentSince = clock.now
        groups.watch(process)
    }

    // MARK: Brokers

    /// No broker answers for this long; nothing times out there meanwhile.
    public func beginOutage(milliseconds: Int64) {
        note("outage of \(milliseconds) ms")
        outageUntil = max(outageUntil, clock.now + milliseconds)
    }

    public func endOutage() { outageUntil = 0 }

    /// How long it lasts still; nil while the brokers answer.
    public var outageLeft: Int64? { outageUntil > clock.now ? outageUntil - clock.now : nil }

    /// All groups share out their partitions anew, one after the other.
    public func forceRebalance() { groups.forceRebalance(&random) }

    /// All partitions bring records again, and nothing goes wrong any more.
    public func heal() {
        note("healed")
        faults = .none
        endOutage()
        for log in logs.values { log.slowUntil = 0 }
    }

    /// How many transactions have not ended.
    public var openTransactions: Int { transactions.openCount }

    // MARK: Partitions

    func log(_ partition: TopicPartition) -> PartitionLog? { logs[partition] }

    public var partitions: [TopicPartition] { logs.keys.sorted() }

    /// Adds partitions to a topic until it has this many. Groups take no notice before their next rebalance.
    public func expand(_ topic: String, to count: Int32) {
        guard let settings = topics[topic] else { preconditionFailure("there is no \(topic)") }
        for number in partitionCounts[topic]!..<count {
            let partition = TopicPartition(topic, number)
            logs[partition] = PartitionLog(partition, settings)
        }
        partitionCounts[topic] = count
    }

    /// Appends a record outside of any transaction, as a client of the harness's own that nothing befalls.
    @discardableResult
    public func append(_ record: StoredRecord, to partition: TopicPartition) -> Int64 {
        precondition(record.transaction == nil && record.kind == .record)
        guard let log = logs[partition] else { preconditionFailure("there is no \(partition)") }
        return log.append(record)
    }

    /// What a reader gets that reads the whole partition now.
    public func records(
        of partition: TopicPartition, _ isolation: ConsumerConfiguration.Isolation = .readCommitted
    ) -> [StoredRecord] {
        guard let log = logs[partition] else { return [] }
        let limit = log.end(for: isolation)
        return log.entries.filter { $0.offset < limit && log.isVisible($0, isolation) }
    }

    /// All committed records that were ever written, those that compaction and retention took among them.
    public func history(of partition: TopicPartition) -> [StoredRecord] { logs[partition]?.history ?? [] }

    /// The partitions of a topic.
    public func partitions(of topic: String) -> [TopicPartition] {
        (0..<(partitionCounts[topic] ?? 0)).map { TopicPartition(topic, $0) }
    }

    /// Everything that is stored, markers and aborted records included.
    public func entries(of partition: TopicPartition) -> [StoredRecord] { logs[partition]?.entries ?? [] }

    public func watermarks(
        of partition: TopicPartition, _ isolation: ConsumerConfiguration.Isolation = .readUncommitted
    ) -> Watermarks {
        Watermarks(low: logs[partition]?.start ?? 0, high: logs[partition]?.end(for: isolation) ?? 0)
    }

    /// Cleans a compacted partition, except for this many offsets at its end.
    public func compact(_ partition: TopicPartition, tail: Int64) {
        guard let log = logs[partition], log.settings.isCompacted else { return }
        log.compact(tail: tail, now: clock.now)
    }

    /// Drops records below this offset, as retention by size does.
    public func trim(_ partition: TopicPartition, to offset: Int64) { logs[partition]?.trim(to: offset) }

    /// Drops records that are older than this, up to the first that is not, as retention by time does.
    public func trim(_ partition: TopicPartition, before time: Int64) {
        guard let log = logs[partition] else { return }
        log.trim(to: log.entries.first { $0.timestamp >= time }?.offset ?? log.end)
    }

    /// What a group committed for a partition, with the pending offsets left out; nil for nothing.
    public func committed(_ group: String, _ partition: TopicPartition) -> Int64? {
        groups.group(group).committed[partition]?.offset
    }

    /// Every offset that a group committed, in the order in which it happened.
    public func commits(_ group: String) -> [TopicPartitionOffset] { groups.group(group).history }

    public func generation(_ group: String) -> Int32 { groups.group(group).generation }

    // MARK: Chance

    func note(_ text: @autoclosure () -> String) { trace.note(clock.now, text()) }

    func number(in range: ClosedRange<Int64>) -> Int64 { random.number(in: range) }

    func draws(_ fault: Fault) -> Bool { random.chance(faults[fault]) }

    /// Makes one partition bring nothing for a while.
    func slowDown() {
        let log = logs[random.pick(partitions)]
        log?.slowUntil = clock.now + number(in: slowDuration)
        note("\(log?.partition.description ?? "") is slow")
    }
}
