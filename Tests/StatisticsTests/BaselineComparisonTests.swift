import Statistics
import Testing

/// Protects the incremental statistic: whatever was added and removed before, it equals the one computed from scratch.
struct BaselineComparisonTests {
    /// How the values of a test are drawn: from heavy ties to none, inside and outside of the baseline.
    enum Shape: CaseIterable {
        case continuous, ties, fewLevels, constant, aboveBaseline, betweenLevels
    }

    @Test(arguments: Shape.allCases, [(1, 1), (1, 40), (40, 1), (30, 50), (200, 300), (700, 150)])
    func slidingEqualsFromScratch(_ shape: Shape, _ sizes: (Int, Int)) {
        var random = SplitMix64(seed: UInt64(sizes.0 * 1000 + sizes.1))
        let baseline = (0..<sizes.1).map { _ in baselineValue(shape, &random) }
        var comparison = BaselineComparison(baseline: BaselineDistribution(baseline))
        let sorted = baseline.sorted()
        var window: [Double] = []
        for step in 0..<(3 * sizes.0 + 60) {
            let value = windowValue(shape, &random)
            comparison.add(value)
            window.append(value)
            if window.count > sizes.0 { comparison.remove(window.removeFirst()) }
            if step % 7 == 0 || window.count < 4 {
                expect(
                    &comparison,
                    statistic: KolmogorovSmirnov.statistic(sorted: window.sorted(), sorted: sorted))
            }
        }
        #expect(comparison.count == window.count)
    }

    /// Blocks split, merge and disappear in any order, not only as a sliding window makes them.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func anyOrderEqualsFromScratch(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let levels = [3.0, 50, 0x1p30][random.below(3)]
        let baseline = (0..<400).map { _ in (random.uniform() * levels).rounded(.down) }
        let sorted = baseline.sorted()
        var comparison = BaselineComparison(baseline: BaselineDistribution(baseline))
        var window: [Double] = []
        var isGrowing = true
        for step in 0..<4000 {
            if window.count > 900 { isGrowing = false }
            if window.count < 2 { isGrowing = true }
            let isAdding = window.isEmpty || random.below(10) < (isGrowing ? 8 : 2)
            if isAdding {
                let value = (random.uniform() * levels).rounded(.down) + Double(random.below(2)) / 2
                window.append(value)
                comparison.add(value)
            } else {
                let index = random.below(window.count)
                comparison.remove(window[index])
                window.swapAt(index, window.count - 1)
                window.removeLast()
            }
            if step % 97 == 0 {
                expect(
                    &comparison,
                    statistic: KolmogorovSmirnov.statistic(sorted: window.sorted(), sorted: sorted))
            }
        }
        // Down to nothing, in ascending order, and up again: no block may be left behind.
        for value in window.sorted() { comparison.remove(value) }
        #expect(comparison.count == 0)
        expect(&comparison, statistic: 0)
        comparison.add(sorted[0])
        expect(&comparison, statistic: KolmogorovSmirnov.statistic(sorted: [sorted[0]], sorted: sorted))
    }

    @Test func aRankMaySpareTheSecondSearch() {
        let baseline = BaselineDistribution([3, 1, 2, 2])
        var byRank = BaselineComparison(baseline: baseline)
        var byValue = BaselineComparison(baseline: baseline)
        for value in [0.5, 1, 1.5, 2, 2, 9] {
            byRank.add(baseline.rank(of: value))
            byValue.add(value)
        }
        expect(&byRank, statistic: byValue.statistic())
        byRank.remove(baseline.rank(of: 2))
        byValue.remove(2)
        expect(&byRank, statistic: byValue.statistic())
        byRank.removeAll()
        #expect(byRank.count == 0)
        expect(&byRank, statistic: 0)
    }

    @Test func notANumberIsIgnoredOnBothSides() {
        let baseline = BaselineDistribution([1, .nan, 2])
        #expect(baseline.count == 2 && baseline.ignoredCount == 1)
        var comparison = BaselineComparison(baseline: baseline)
        let outcomes = [comparison.add(.nan), comparison.remove(.nan), comparison.add(.infinity)]
        #expect(outcomes == [false, false, true])
        expect(&comparison, statistic: 1)
    }

    @Test func emptySidesSayNothing() {
        var comparison = BaselineComparison(baseline: BaselineDistribution([]))
        comparison.add(1)
        expect(&comparison, statistic: 0)
        let p = comparison.pValue()
        #expect(p.value == 1)
    }

    @Test func pValueIsThatOfTheStatistic() {
        let baseline = BaselineDistribution((0..<500).map(Double.init))
        var comparison = BaselineComparison(baseline: baseline)
        for value in 0..<100 { comparison.add(Double(value) * 6) }
        let statistic = comparison.statistic()
        for method in KolmogorovSmirnov.Method.allCases {
            let p = comparison.pValue(method: method)
            #expect(p == KolmogorovSmirnov.pValue(statistic: statistic, 100, 500, method: method))
        }
    }

    /// Asking for the statistic mutates, which `#expect` does not allow in its expression.
    private func expect(
        _ comparison: inout BaselineComparison, statistic expected: Double,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let statistic = comparison.statistic()
        #expect(statistic == expected, sourceLocation: sourceLocation)
    }

    private func baselineValue(_ shape: Shape, _ random: inout SplitMix64) -> Double {
        switch shape {
        case .continuous, .aboveBaseline: random.normal()
        case .ties: (random.normal() * 10).rounded()
        case .fewLevels: Double(random.below(3))
        case .constant: 5
        case .betweenLevels: Double(2 * random.below(20))
        }
    }

    private func windowValue(_ shape: Shape, _ random: inout SplitMix64) -> Double {
        switch shape {
        case .aboveBaseline: random.normal() + 50
        case .constant: Double(4 + random.below(3))
        case .betweenLevels: Double(random.below(40))
        default: baselineValue(shape, &random)
        }
    }
}
