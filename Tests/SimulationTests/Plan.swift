import Retraining
import SimulatedLog

@testable import Worker

/// What one seed stands for: how driftgate is set up, how it is run, and what goes wrong.
struct Plan {
    let seed: UInt64
    var options = WorkerOptions()
    var partitions: Int32 = 1
    var workers = 2
    var isStatic = true
    var faults = FaultRates.none
    var models = 3
    /// Hours of stream time.
    var hours = 70
    /// How often anything is stopped on purpose, at each turn.
    var restartRate = 0.0
    var broken: Set<BrokenBroker> = []

    /// The world's clocks run faster than the log's: an hour of the stream is a second.
    static let acceleration: Int64 = 3600
    /// What the world's clocks show at the start: a Monday.
    static let origin: Milliseconds = 1_749_427_200_000

    init(seed: UInt64) {
        self.seed = seed
        var random = SeededGenerator(seed: seed &* 0x9E37_79B9 ^ 0x51_7CC1)
        models = random.number(in: 2...4)
        hours = random.number(in: 40...90)
        options.worker.scale = random.chance(0.35) ? .partitioned : .single
        workers = options.worker.scale == .single ? random.number(in: 1...2) : random.number(in: 1...3)
        partitions = random.number(in: 1...3)
        isStatic = random.chance(0.7)
        restartRate = random.pick([0, 0.001, 0.003])
        options.kafka.sessionTimeoutMilliseconds = 6_000
        options.kafka.transactionTimeoutMilliseconds = random.pick([3_000, 10_000])
        options.worker.checkpointInterval = random.pick([200, 1_000, 3_000])
        options.worker.snapshotInterval = random.pick([.hour, 6 * .hour, 40 * .hour])
        options.output.decisions = random.pick([.all, .all, .changes])
        options.output.logDirectory = nil
        // Now and then less than comes between two boundaries.
        options.worker.collectedBytesMax = random.pick([512 << 20, 512 << 20, 4_000])
        Self.setUpEngine(&options.engine, &random)
        drawFaults(&random)
    }

    private static func setUpEngine(_ engine: inout EngineConfiguration, _ random: inout SeededGenerator) {
        engine.drift.checkInterval = random.pick([.hour, 2 * .hour])
        engine.drift.scoring = random.pick([.plain, .plain, .calibrated])
        engine.drift.window = random.pick([.count, .span])
        engine.drift.windowSize = random.number(in: 10...60)
        engine.drift.minimumSamples = 4
        engine.drift.baselineSpan = 5 * .hour
        engine.drift.persistence = random.pick([0, 2 * .hour])
        engine.quiet.rule = random.pick([.absolute, .adaptive])
        engine.safeguards.minimumInterval = random.pick([2 * .hour, 6 * .hour])
        engine.safeguards.maximumAge = random.pick([12 * .hour, 2 * .day])
        engine.safeguards.refreshLead = 4 * .hour
        engine.safeguards.maximumPerWeek = 20
        engine.safeguards.maximumTriggerLag = random.pick([nil, nil, 6 * .hour])
        // Nobody but the clock knows when the alert of silence is due: see what is left out in the tests' notes.
        engine.safeguards.actualSilence = 300 * .day
        engine.training.acceptTimeout = 3 * .hour
        engine.training.deadline = 20 * .hour
        engine.training.status = random.pick([.topic, .topic, .topic, .none])
        engine.training.window = .day
        if random.chance(0.3) { engine.limits.models = 2 }
        if random.chance(0.3) { engine.limits.entities = 3 }
    }

    /// Each seed has some kinds of faults, some of them often.
    private mutating func drawFaults(_ random: inout SeededGenerator) {
        for fault in Fault.allCases where random.chance(0.5) {
            switch fault {
            case .partialFill: faults[fault] = random.pick([0.1, 0.5])
            case .lateMarkers, .delayedCommit, .staleCommit: faults[fault] = random.pick([0.1, 0.5])
            case .outage, .slowPartition, .clockJump: faults[fault] = random.pick([0.0005, 0.003])
            case .fatalError: faults[fault] = random.pick([0.001, 0.005])
            case .crash, .freeze, .rebalance: faults[fault] = random.pick([0.002, 0.01])
            case .retriableError, .abortableError, .lostResponse: faults[fault] = random.pick([0.005, 0.03])
            }
        }
    }

    var topics: [SimulatedTopic] {
        let names = options.topics
        return [
            SimulatedTopic(names.predictions, partitions: partitions),
            SimulatedTopic(names.actuals, partitions: partitions), SimulatedTopic(names.load),
            SimulatedTopic(names.trainingStatus), SimulatedTopic(names.commands),
            SimulatedTopic(names.decisions, partitions: 2), SimulatedTopic(names.requests),
            SimulatedTopic(names.alerts), SimulatedTopic(names.deadLetters, partitions: 2),
            SimulatedTopic(names.state, partitions: partitions, isCompacted: true),
        ]
    }

    /// Numbers of the tasks that do all the work together.
    var tasks: [Int32] { options.worker.scale == .single ? [0] : Array(0..<partitions) }
}

extension Plan {
    /// What strikes at the seams of transactions, all at once.
    static func hostile(seed: UInt64) -> Plan {
        var plan = Plan(seed: seed)
        plan.workers = 2
        plan.hours = 40
        plan.options.kafka.sessionTimeoutMilliseconds = 3_000
        plan.options.kafka.transactionTimeoutMilliseconds = 20_000
        plan.restartRate = 0.003
        plan.faults = FaultRates([
            .crash: 0.02, .freeze: 0.01, .abortableError: 0.03, .lostResponse: 0.03, .rebalance: 0.01,
            .partialFill: 0.2, .lateMarkers: 0.5, .delayedCommit: 0.3, .staleCommit: 0.5, .clockJump: 0.003,
        ])
        return plan
    }
}
