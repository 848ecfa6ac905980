@testable import Statistics
import Testing

/// Protects the shortcut that sums only every s-th term of Smirnov's formula.
struct OneSidedTailTests {
    @Test(arguments: [401, 500, 909, 1000, 5000, 20_000])
    func sampledSumEqualsTheFullSum(_ size: Int) {
        for scaled in [1.0, 2.0, 2.2, 3, 4, 6, 10, 20, 50, 120, 369] {
            let x = (scaled / Double(size)).squareRoot()
            guard x < 0.25 else { continue }
            let full = KolmogorovDistribution.oneSided(x, sampleSize: size, step: 1)
            let sampled = KolmogorovDistribution.oneSided(x, sampleSize: size)
            #expect(abs(sampled - full) <= 1e-11 * full, "n = \(size), n x² = \(scaled)")
        }
    }

    /// P(D⁺ ≥ x) of one value is 1 − x, of two (1 − x)² + x (1 − 2x)⁺ · … by hand: 1 − x² − x for x ≤ 1/2, (1 − x)² above.
    @Test func smallSamplesEqualTheFormulaByHand() {
        for x in [0.1, 0.3, 0.5, 0.7, 0.9] {
            #expect(abs(KolmogorovDistribution.oneSided(x, sampleSize: 1) - (1 - x)) < 1e-14)
            let two = (1 - x) * (1 - x) + (x < 0.5 ? 2 * x * (0.5 - x) : 0)
            #expect(abs(KolmogorovDistribution.oneSided(x, sampleSize: 2) - two) < 1e-14)
        }
    }

    @Test func stirlingErrorJoinsItsSeries() {
        // ln n! by summation, on both sides of the boundary between table and series.
        for n in [1, 2, 10, 15, 16, 17, 40, 170] {
            var logFactorial = 0.0
            for i in 1...n { logFactorial += logarithm(Double(i)) }
            let value = Double(n)
            let expected =
                logFactorial - (value + 0.5) * logarithm(value) + value - logarithm(2 * Double.pi) / 2
            #expect(abs(KolmogorovDistribution.stirlingError(value) - expected) < 1e-12)
        }
    }
}
