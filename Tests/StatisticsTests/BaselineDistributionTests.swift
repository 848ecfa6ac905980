import Statistics
import Testing

/// Protects the prepared baseline: its order of ranks, its moments and its quantiles.
struct BaselineDistributionTests {
    @Test func ranksFollowTheOrderOfTheValues() {
        let baseline = BaselineDistribution([5, 1, 3, 3, -0.0, .infinity])
        let values = [-Double.infinity, -1, 0, 0.5, 1, 2, 3, 4, 5, 6, .infinity]
        let ranks = values.map { baseline.rank(of: $0) }
        #expect(zip(ranks, ranks.dropFirst()).allSatisfy { $0 < $1 || $0 == $1 })
        // −∞ and −1 are both in the gap below everything; all others differ.
        #expect(ranks[0] == ranks[1])
        #expect(Set(ranks).count == values.count - 1)
        #expect(baseline.rank(of: 0.0) == baseline.rank(of: -0.0))
    }

    @Test func momentsAndRangeAreThoseOfTheValues() {
        let baseline = BaselineDistribution([2, 4, 4, 4, 5, 5, 7, 9])
        #expect(baseline.mean == 5)
        #expect(abs(baseline.standardDeviation - (32.0 / 7).squareRoot()) < 1e-15)
        #expect(baseline.minimum == 2 && baseline.maximum == 9)
        #expect(BaselineDistribution([3.3, 3.3, 3.3]).standardDeviation == 0)
        #expect(BaselineDistribution([]).minimum == nil)
        #expect(BaselineDistribution([]).standardDeviation == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func quantilesEqualThoseOfTheSortedSample(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let levels = seed % 2 == 0 ? 5.0 : 0x1p30
        let values = (0...random.below(80)).map { _ in (random.uniform() * levels).rounded(.down) }
        let baseline = BaselineDistribution(values)
        for probability in [0, 0.01, 0.25, 0.5, 0.77, 0.99, 1] {
            #expect(baseline.quantile(probability) == Quantiles.quantile(values, probability))
        }
    }

    @Test func orderDoesNotMatter() {
        var random = SplitMix64(seed: 4)
        let values = (0..<100).map { _ in Double(random.below(30)) }
        let baseline = BaselineDistribution(values)
        let shuffled = BaselineDistribution(values.shuffled(using: &random))
        #expect(baseline.count == shuffled.count)
        for value in -1...31 { #expect(baseline.rank(of: Double(value)) == shuffled.rank(of: Double(value))) }
    }
}
