import Statistics
import Testing

/// Protects the p-values by results that can be had without the code under test: counting, and known values.
struct PValueTests {
    /// Every order in which two samples can be pooled is equally likely: counting them is the definition.
    @Test(arguments: [(1, 1), (1, 5), (2, 3), (3, 3), (4, 4), (3, 6), (4, 6), (5, 7), (6, 6), (7, 5)])
    func exactEqualsCountingAllOrders(_ n: Int, _ m: Int) {
        var countByDistance = [Int](repeating: 0, count: n * m + 1)
        var total = 0
        for choice in 0..<(1 << (n + m)) where choice.nonzeroBitCount == n {
            var (i, j, greatest) = (0, 0, 0)
            for position in 0..<(n + m) {
                if choice >> position & 1 == 1 { i += 1 } else { j += 1 }
                greatest = max(greatest, abs(i * m - j * n))
            }
            countByDistance[greatest] += 1
            total += 1
        }
        var atLeast = 0
        for distance in stride(from: n * m, through: 0, by: -1) {
            atLeast += countByDistance[distance]
            guard countByDistance[distance] > 0 else { continue }
            let p = KolmogorovSmirnov.pValue(statistic: Double(distance) / Double(n * m), n, m, method: .exact)
            #expect(abs(p.value - Double(atLeast) / Double(total)) < 1e-13, "distance \(distance)")
            #expect(p.method == .exact)
        }
    }

    /// By hand: 2 of the 20 orders of 3 and 3 are disjoint; 3 against 4 with D = 5/12 is 31/35.
    @Test func knownValues() {
        #expect(abs(KolmogorovSmirnov.pValue(statistic: 1, 3, 3).value - 0.1) < 1e-15)
        #expect(abs(KolmogorovSmirnov.pValue(statistic: 5.0 / 12, 3, 4).value - 31.0 / 35) < 1e-15)
        #expect(KolmogorovSmirnov.pValue(statistic: 0, 50, 70).value == 1)
        // One value a side: scipy's asymptotic answer is NaN.
        #expect(KolmogorovSmirnov.pValue(statistic: 1, 1, 1, method: .asymptotic).value == 1)
    }

    @Test func methodIsChosenBySize() {
        #expect(KolmogorovSmirnov.pValue(statistic: 0.2, 10_000, 10_000).method == .exact)
        #expect(KolmogorovSmirnov.pValue(statistic: 0.2, 10_001, 50).method == .asymptotic)
        // 46 349 · 46 351 exceeds 2^31: the reduced product is too large to count paths.
        #expect(KolmogorovSmirnov.pValue(statistic: 0.2, 46_349, 46_351, method: .exact).method == .asymptotic)
    }

    /// Table of the one-sample distribution, Miller (1956): the critical values of D at 0.10, 0.05, 0.02 and 0.01.
    ///
    /// (Its values at 0.20 neglect that D⁺ and D⁻ can both be large.)
    @Test(arguments: [
        (10, [0.36866, 0.40925, 0.45662, 0.48893]),
        (20, [0.26473, 0.29408, 0.32866, 0.35241]),
        (50, [0.16959, 0.18841, 0.21068, 0.22604]),
        (100, [0.12067, 0.13403, 0.14987, 0.16081]),
    ])
    func asymptoticEqualsThePublishedTable(_ size: Int, _ critical: [Double]) {
        for (d, level) in zip(critical, [0.10, 0.05, 0.02, 0.01]) {
            // Two samples of 2n values have the effective size n.
            let p = KolmogorovSmirnov.pValue(statistic: d, 2 * size, 2 * size, method: .asymptotic)
            #expect(abs(p.value - level) < 2e-4 * level + 2e-5, "n = \(size), D = \(d)")
        }
    }

    /// The regions' formulas must meet: a p-value that jumps up with growing D would make a decision flicker.
    @Test(arguments: [2, 3, 10, 100, 280, 282, 300, 1000, 5000, 100_000, 300_000])
    func asymptoticFallsMonotonically(_ count: Int) {
        var previous = 1.0
        for step in 0...400 {
            // Denser at small D, where most of the probability is.
            let d = Double(step * step) / 160_000
            let p = KolmogorovSmirnov.pValue(statistic: d, count, count, method: .asymptotic).value
            #expect(p >= 0 && p <= 1)
            #expect(p <= previous * (1 + 1e-7), "count \(count), D = \(d): \(p) after \(previous)")
            previous = p
        }
        #expect(previous == 0)
    }

    /// Exact and asymptotic answer the same question.
    @Test func exactApproachesAsymptotic() {
        for d in [0.02, 0.03, 0.05, 0.07] {
            let exact = KolmogorovSmirnov.pValue(statistic: d, 1500, 3000, method: .exact).value
            let asymptotic = KolmogorovSmirnov.pValue(statistic: d, 1500, 3000, method: .asymptotic).value
            #expect(abs(exact - asymptotic) < 0.05 * exact)
        }
    }

    /// Small probabilities of unequal sizes must not vanish in rounding, nor large ones pass 1.
    @Test func exactKeepsItsRelativeAccuracyInTheTail() {
        // Disjoint samples: 2 of binom(70, 30) orders.
        var orders = 1.0
        for i in 1...30 { orders *= Double(40 + i) / Double(i) }
        let p = KolmogorovSmirnov.pValue(statistic: 1, 30, 40, method: .exact).value
        #expect(abs(p * orders / 2 - 1) < 1e-12)
        #expect(KolmogorovSmirnov.pValue(statistic: 1.0 / 1000, 1000, 1000, method: .exact).value == 1)
    }
}
