import Testing

/// Production workers on a simulated log, under faults that follow from a seed.
struct SimulationTests {
    @Test(arguments: SimulationSettings.seeds) func nothingIsLostAndNothingIsDoubled(seed: UInt64) {
        let simulation = Simulation(Plan(seed: seed), isTracing: SimulationSettings.isTracing)
        let violations = simulation.run()
        if SimulationSettings.isTracing { print(simulation.cluster.trace.text) }
        for violation in violations.prefix(5) {
            Issue.record("seed \(seed): \(violation)\nagain: scripts/simulate --trace \(seed)")
        }
    }
}
