import Statistics
import Testing

/// Protects the agreement with scipy's `ks_2samp`: statistic to 1e-12, p-values of each method to 1e-9 relative.
@Suite(.enabled(if: ReferenceVectors.isPresent, "the scipy reference vectors are not there, see the printed line"))
struct ReferenceVectorTests {
    @Test func allCasesArePresent() throws {
        #expect(try ReferenceVectors.cases().count == 202)
    }

    @Test func statisticsAndPValuesEqualScipys() throws {
        for reference in try ReferenceVectors.cases() {
            let a = try reference.a.sample()
            let b = try reference.b.sample()
            try requireSameSamples(a, b, reference)

            let statistic = KolmogorovSmirnov.statistic(a, b)
            #expect(abs(statistic - reference.auto.statistic) <= 1e-12, "\(reference.name): \(statistic)")
            #expect(KolmogorovSmirnov.statistic(b, a) == statistic, "\(reference.name): not symmetric")

            var comparison = BaselineComparison(baseline: BaselineDistribution(b))
            for value in a { comparison.add(value) }
            #expect(comparison.statistic() == statistic, "\(reference.name): window against baseline differs")

            check(.automatic, statistic, reference, reference.auto)
            check(.asymptotic, statistic, reference, reference.asymp)
            if let exact = reference.exact { check(.exact, statistic, reference, exact) }
        }
    }

    private func check(
        _ method: KolmogorovSmirnov.Method, _ statistic: Double, _ reference: ReferenceVectors.Case,
        _ expected: ReferenceVectors.Result
    ) {
        let p = KolmogorovSmirnov.pValue(statistic: statistic, reference.n, reference.m, method: method)
        // NaN of scipy: one value against one, where p is 1.
        let value = expected.pvalue ?? 1
        #expect(
            abs(p.value - value) <= 1e-9 * value,
            "\(reference.name), \(method): \(p.value) instead of \(value), D = \(statistic)")
        #expect(p.method != .automatic)
        if method == .asymptotic { #expect(p.method == .asymptotic) }
    }

    /// A sample that is not the recipe's would make every comparison meaningless.
    private func requireSameSamples(_ a: [Double], _ b: [Double], _ reference: ReferenceVectors.Case) throws {
        try #require(a.count == reference.n && b.count == reference.m, "\(reference.name)")
        let check = reference.check
        try #require(a.first == check.a_first && a.last == check.a_last, "\(reference.name)")
        try #require(b.first == check.b_first && b.last == check.b_last, "\(reference.name)")
        for (values, sum) in [(a, check.a_sum), (b, check.b_sum)] {
            let size = values.map { abs($0) }.reduce(0, +)
            try #require(abs(values.reduce(0, +) - sum) <= 1e-12 * max(size, 1), "\(reference.name)")
        }
    }
}
