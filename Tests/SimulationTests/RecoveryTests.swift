import Kafka
import Retraining
import SimulatedLog
import StateRecords
import Testing

@testable import Worker

/// Failures that a worker lives through in the same process, and states that it refuses in plain words.
struct RecoveryTests {
    private func plan(_ scale: WorkerSettings.Scale = .single, partitions: Int32 = 1) -> Plan {
        var plan = Plan.hostile(seed: 3)
        plan.faults = .none
        plan.restartRate = 0
        plan.workers = 1
        plan.isStatic = true
        plan.partitions = partitions
        plan.options.worker.scale = scale
        plan.options.worker.checkpointInterval = 1_000
        plan.options.worker.collectedBytesMax = 512 << 20
        plan.options.kafka.sessionTimeoutMilliseconds = 45_000
        plan.options.kafka.transactionTimeoutMilliseconds = 3_000
        return plan
    }

    /// Acts once, at the fifth call of a kind.
    private func run(
        _ plan: Plan, at call: ClientCall, _ act: @escaping (Simulation, SimulatedProcess) -> Void
    ) -> (violations: [String], process: String) {
        let simulation = Simulation(plan)
        var calls = 0
        simulation.cluster.afterCall = { [unowned simulation] process, made in
            guard made == call else { return }
            calls += 1
            if calls == 5 { act(simulation, process) }
        }
        simulation.stopsAfterDrain = true
        let violations = simulation.run()
        #expect(calls >= 5)
        return (violations, simulation.slots[0].process.name)
    }

    /// The brokers end a transaction that is open for too long, and the worker hears that it was fenced. Nobody else has
    /// its id: it restores, and goes on.
    @Test func aTransactionThatTookTooLongIsNoFencing() {
        let result = run(plan(), at: .sendOffsets) { simulation, process in
            simulation.cluster.freeze(process, milliseconds: 9_000)
        }
        #expect(result.violations.isEmpty, "\(result.violations)")
        #expect(result.process == "w0.1", "the same process goes on")
    }

    /// The group refuses a checkpoint and grants nothing anew: the worker joins again.
    @Test func aGroupThatRefusesAndGrantsNothingIsJoinedAgain() {
        let result = run(plan(), at: .beginTransaction) { simulation, _ in
            simulation.cluster.nextRefusal = (.sendOffsets, .illegalGeneration)
        }
        #expect(result.violations.isEmpty, "\(result.violations)")
        #expect(result.process == "w0.1", "the same process goes on")
    }

    /// More partitions move models to tasks that do not know them.
    @Test func partitionsThatWereAddedAreRefused() {
        let topics = plan().options.topics
        let result = run(plan(.partitioned, partitions: 2), at: .sendOffsets) { simulation, process in
            for topic in [topics.predictions, topics.actuals, topics.state] { simulation.cluster.expand(topic, to: 3) }
            simulation.cluster.kill(process)
        }
        #expect(result.violations.first?.contains("had 2 partitions; it has 3") ?? false, "\(result.violations)")
    }

    @Test func anInputThatIsNoLongerConfiguredIsRefused() {
        let result = run(plan(), at: .sendOffsets) { simulation, process in
            // Any other topic.
            simulation.plan.options.topics.load = simulation.plan.options.topics.alerts
            simulation.cluster.kill(process)
        }
        #expect(
            result.violations.first?.contains("which `topics` no longer names") ?? false, "\(result.violations)")
    }

    /// Retention removes what was read long ago: a request names what is there, and says that this is not all.
    @Test func aRequestNamesNothingThatRetentionHasRemoved() throws {
        var plan = plan()
        plan.options.engine.safeguards.maximumAge = 12 * .hour
        plan.options.engine.safeguards.minimumInterval = 2 * .hour
        plan.options.engine.training.window = 10 * .day
        let input = TopicPartition(plan.options.topics.actuals, 0)
        var start: Int64 = 0
        var cluster: SimulatedCluster?
        let result = run(plan, at: .sendOffsets) { simulation, _ in
            cluster = simulation.cluster
            guard let engine = simulation.slots[0].worker?.tasks[0]?.engine else { return }
            start = engine.nextOffset(lane: engine.lane(topic: input.topic, partition: 0, role: .actuals)) / 2
            simulation.cluster.trim(input, to: start)
        }
        try #require(start > 0)
        #expect(result.violations.isEmpty, "\(result.violations)")
        let requests = try #require(cluster).history(of: TopicPartition(plan.options.topics.requests, 0))
            .map { String(decoding: $0.value ?? [], as: UTF8.self) }
        let froms = requests.compactMap { $0.firstMatch(of: /"actuals":\{"0":\[(\d+),/) }.compactMap { Int64($0.1) }
        #expect(froms.count == requests.count && froms.contains { $0 >= start }, "\(requests)")
        #expect(zip(froms, requests).allSatisfy { $0.0 == 0 || $0.1.contains(#""complete":false"#) })
    }

    /// A partition whose timestamps stand still never gets to the next boundary: what it brings is evaluated all the
    /// same, and a restore does it again.
    @Test func aPartitionThatNeverGetsToABoundaryDoesNotGrowMemory() {
        var plan = plan()
        plan.options.worker.collectedBytesMax = 2_000
        let simulation = Simulation(plan)
        var largest = 0
        simulation.cluster.afterCall = { [unowned simulation] process, call in
            guard call == .fill, let engine = simulation.slots[0].worker?.tasks[0]?.engine else { return }
            largest = max(largest, engine.collectedBytes)
        }
        let violations = simulation.run()
        #expect(violations.isEmpty, "\(violations)")
        // One batch is taken whole.
        #expect(largest < 2_000 + 1_000 * 200)
        let boundaries = simulation.cluster.history(of: TopicPartition(plan.options.topics.state, 0)).compactMap {
            record -> Int64? in
            guard let key = record.key, case .cut(let boundary) = StateKey(key) else { return nil }
            return boundary
        }
        let interval = plan.options.engine.drift.checkInterval
        #expect(boundaries.contains { $0 % interval != 0 }, "something was evaluated early")
    }
}
