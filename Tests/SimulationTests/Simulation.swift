import Kafka
import Logging
import SimulatedLog

@testable import Retraining
import StateRecords
@testable import Worker

/// Runs production workers on a simulated log through the history and the faults of one seed, and then checks what they
/// left.
final class Simulation {
    var plan: Plan
    let cluster: SimulatedCluster
    private(set) var world: World!
    let logger: Logger
    /// Who gets a turn, and when somebody is stopped: apart from the log's own chance.
    var schedule: SeededGenerator
    private(set) var slots: [WorkerSlot] = []
    private(set) var violations: [String] = []
    private(set) var struck: [Fault: Int] = [:]
    private(set) var deaths: [String: Int] = [:]
    /// Leaves out the last restart of everybody.
    var stopsAfterDrain = false

    init(_ plan: Plan, isTracing: Bool = false) {
        self.plan = plan
        cluster = SimulatedCluster(
            seed: plan.seed, topics: plan.topics, wall: Plan.origin, faults: plan.faults,
            trace: Trace(capacity: 3_000, isRecording: isTracing))
        cluster.broken = plan.broken
        cluster.freezeDuration = 100...15_000
        cluster.outageDuration = 100...8_000
        cluster.slowDuration = 100...8_000
        cluster.clockJump = -4 * .hour...4 * .hour
        schedule = SeededGenerator(seed: plan.seed ^ 0x5C_4ED)
        let trace = isTracing ? cluster : nil
        logger = Logger(label: "worker") { _ in TraceLog(cluster: trace) }
        world = World(plan, cluster)
        cluster.onFault = { [unowned self] process, call, fault in
            struck[fault, default: 0] += 1
            if fault == .crash { deaths[call.rawValue, default: 0] += 1 }
        }
        cluster.whileBlocked = { [unowned self] process, until in
            while cluster.clock.now < until, !process.isDead { turn() }
        }
        for number in 0..<plan.workers { slots.append(WorkerSlot("w\(number)", self)) }
    }

    func options(of name: String) -> WorkerOptions {
        var options = plan.options
        options.kafka.groupInstanceID = plan.isStatic ? String(name.prefix { $0 != "'" }) : nil
        return options
    }

    func report(_ violation: String) {
        note("VIOLATION \(violation)")
        violations.append(violation)
    }

    func note(_ text: @autoclosure () -> String) { cluster.trace.note(cluster.clock.now, text()) }

    // MARK: Running

    /// Runs to the end; what was violated.
    @discardableResult
    func run() -> [String] {
        world.begin()
        while !world.isOver, violations.isEmpty {
            disturb()
            turn()
        }
        cluster.heal()
        drain()
        if violations.isEmpty { check() }
        if violations.isEmpty, !stopsAfterDrain { restartAll() }
        return violations
    }

    /// One worker does something, and time passes.
    private func turn() {
        let runnable = slots.filter(\.isRunnable)
        if runnable.isEmpty {
            cluster.clock.advance(by: 50)
        } else {
            schedule.pick(runnable).step()
        }
        cluster.clock.advance(by: schedule.number(in: 0...120))
        if schedule.chance(0.01) { cleanUp() }
    }

    /// What operators and supervisors do.
    private func disturb() {
        guard schedule.chance(plan.restartRate) else { return }
        let slot = schedule.pick(slots)
        switch schedule.number(in: 0...2) {
        case 0: slot.kill()
        case 1: slot.requestStop()
        default: replaceFrozen()
        }
    }

    /// A stopped process is taken for dead, and another is started under the same name.
    private func replaceFrozen() {
        guard let slot = slots.first(where: { $0.process.isFrozen && !$0.isAbandoned }) else { return }
        slot.isAbandoned = true
        slots.append(WorkerSlot(slot.name + "'", self))
    }

    /// Compaction and retention, by their own time.
    private func cleanUp() {
        for task in plan.tasks {
            let state = TopicPartition(plan.options.topics.state, task)
            cluster.compact(state, tail: schedule.number(in: 1...20))
        }
        guard schedule.chance(0.3) else { return }
        // What the last checkpoint does not need for a restore may go.
        var needed: [TopicPartition: Int64] = [:]
        for task in plan.tasks {
            guard let position = lastPosition(of: task) else { return }
            for input in position.inputs {
                let partition = TopicPartition(input.topic, input.partition)
                needed[partition] = min(needed[partition] ?? .max, input.replayFrom)
            }
        }
        for (partition, offset) in needed.sorted(by: { $0.key < $1.key }) { cluster.trim(partition, to: offset) }
    }

    private func lastPosition(of task: Int32) -> PositionRecord? {
        let record = cluster.records(of: TopicPartition(plan.options.topics.state, task))
            .last { $0.key.map { StateKey($0) } == .position }
        guard let value = record?.value, let frame = try? StateFrame.open(value[...]) else { return nil }
        return try? PositionRecord(frame.payload)
    }

    // MARK: Ending

    /// Without faults everything gets done.
    private func drain() {
        for turns in 0..<30_000 where violations.isEmpty {
            turn()
            if turns % 25 == 0, isDrained { return }
        }
        if violations.isEmpty { report("not everything was done although nothing went wrong any more") }
    }

    private var isDrained: Bool {
        guard cluster.openTransactions == 0 else { return false }
        return plan.tasks.allSatisfy { number in
            guard let task = liveTask(number), !task.hasAnythingToCommit, !task.isBusy else { return false }
            return task.inputs.allSatisfy { input in
                input.held != nil
                    || task.engine.nextOffset(lane: input.lane) >= cluster.watermarks(of: input.partition).high
            }
        }
    }

    /// The task at work; nil while there is none, or more than one.
    func liveTask(_ number: Int32) -> ActiveTask? {
        let tasks = slots.compactMap { $0.process.isDead ? nil : $0.worker?.tasks[number] }.filter(\.isLive)
        return tasks.count == 1 ? tasks[0] : nil
    }

    private func check() {
        for task in plan.tasks {
            let oracle = Oracle(plan, cluster, task: task)
            violations += oracle.replay()
            let difference = liveTask(task).map { Self.difference(oracle.engine, $0.engine) } ?? ["is not at work"]
            if !difference.isEmpty {
                report("task \(task) against an uninterrupted engine: \(difference.joined(separator: "; "))")
            }
        }
        violations += Invariants(plan, cluster).check()
        for violation in violations { note("VIOLATION \(violation)") }
    }

    /// Which parts of the state differ.
    private static func difference(_ expected: Engine, _ actual: Engine) -> [String] {
        func units(_ engine: Engine) -> [String: [UInt8]] {
            Dictionary(uniqueKeysWithValues: engine.stateUnits().map { ($0.key, engine.encode($0)) })
        }
        let (expected, actual) = (units(expected), units(actual))
        return Set(expected.keys).union(actual.keys).sorted().filter { expected[$0] != actual[$0] }
    }

    /// Everybody dies once more; what is restored is the same.
    private func restartAll() {
        let before = plan.tasks.map { liveTask($0)?.engine }
        for slot in slots { slot.kill() }
        drain()
        guard violations.isEmpty else { return }
        for (task, engine) in zip(plan.tasks, before) {
            guard let engine, let restored = liveTask(task)?.engine else { continue }
            let difference = Self.difference(engine, restored)
            if !difference.isEmpty {
                report(
                    "task \(task) after the last restart (\(engine.lastBoundary ?? 0), \(restored.lastBoundary ?? 0)): \(difference.joined(separator: "; "))"
                )
            }
        }
        violations += Invariants(plan, cluster).check()
    }
}

/// What the workers say goes to the trace.
private struct TraceLog: LogHandler {
    weak var cluster: SimulatedCluster?
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level {
        get { cluster == nil ? .critical : .info }
        set {}
    }

    init(cluster: SimulatedCluster?) { self.cluster = cluster }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(
        level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?, source: String, file: String,
        function: String, line: UInt
    ) {
        guard let cluster else { return }
        cluster.trace.note(cluster.clock.now, "    \(level): \(message)")
    }
}
