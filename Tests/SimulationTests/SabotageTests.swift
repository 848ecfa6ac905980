import SimulatedLog
import Testing

@testable import Worker

/// A protection is taken out, and must be missed: a simulation that cannot see that proves nothing.
struct SabotageTests {
    /// So many seeds at most until it shows.
    static let patience: UInt64 = 60

    @Test(arguments: [Sabotage.commitOffsetsBeforeOutputs, .dropBatchAfterAbort])
    func aMechanismThatIsMissingShows(sabotage: Sabotage) {
        expectViolation("\(sabotage)") { $0.options.sabotage = [sabotage] }
    }

    /// A broker that ignores epochs is not noticed within so many seeds: that remains to be shown.
    @Test(arguments: [BrokenBroker.ignoresGenerations]) func aBrokerThatBreaksItsPromiseShows(broken: BrokenBroker) {
        expectViolation("\(broken)") { $0.broken = [broken] }
    }

    private func expectViolation(_ name: String, _ change: (inout Plan) -> Void) {
        for seed in 0..<Self.patience {
            var plan = Plan.hostile(seed: seed)
            change(&plan)
            if !Simulation(plan).run().isEmpty { return print("\(name) shows with seed \(seed)") }
        }
        Issue.record("\(name) is not noticed within \(Self.patience) seeds")
    }
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
            .partialFill: 0.2, .lateMarkers: 0.5, .delayedCommit: 0.3, .clockJump: 0.003,
        ])
        return plan
    }
}
