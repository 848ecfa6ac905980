import Testing

/// Production workers on a simulated log, under faults that follow from a seed. A few seeds, so that a failure shows
/// early; `scripts/simulate` runs thousands, optimised.
struct SimulationTests {
    @Test(arguments: 0..<20 as Range<UInt64>) func nothingIsLostAndNothingIsDoubled(seed: UInt64) {
        for violation in Simulation(Plan(seed: seed)).run().prefix(5) {
            Issue.record("seed \(seed): \(violation)\nagain: scripts/simulate --trace \(seed)")
        }
    }
}
