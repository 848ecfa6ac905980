import SimulatedLog
import Testing

@testable import Worker

/// A protection is taken out, and must be missed: a simulation that cannot see that proves nothing.
struct SabotageTests {
    /// So many seeds at most until it shows.
    static let patience: UInt64 = 60

    static let bySeeds: [Sabotage] = [
        .commitOffsetsBeforeOutputs, .dropBatchAfterAbort, .forgetSkips, .repeatDeadLetters,
    ]

    @Test(arguments: bySeeds)
    func aMechanismThatIsMissingShows(sabotage: Sabotage) {
        expectViolation("\(sabotage)") { $0.options.sabotage = [sabotage] }
    }

    @Test func aBrokerThatIgnoresGenerationsShows() {
        expectViolation("ignoresGenerations") { $0.broken = [.ignoresGenerations] }
    }

    /// What is left out here shows in ``InterleavingTests``.
    @Test func everyMechanismIsTakenOutSomewhere() {
        let byName = InterleavingTests.wrongRules.flatMap { Array($0.0) }
        #expect(Set(byName).union(Self.bySeeds).union([.skipPositionCheck]) == Set(Sabotage.allCases))
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
