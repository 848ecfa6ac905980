import Statistics
import Testing

/// Protects mean and deviation against cancellation, weights, removal and values that are no numbers.
struct MomentsTests {
    @Test func handValues() {
        let moments = Moments([2, 4, 4, 4, 5, 5, 7, 9])
        #expect(moments.mean == 5)
        #expect(moments.standardDeviation(ddof: 0) == 2)
        #expect(abs(moments.variance(ddof: 1) - 32.0 / 7) < 1e-14)
        #expect(Moments([3]).standardDeviation(ddof: 1) == 0)
        #expect(Moments().mean == 0 && Moments().variance(ddof: 0) == 0)
    }

    /// A weight is that many occurrences.
    @Test func weightsCountAsRepetitions() {
        var weighted = Moments()
        weighted.add(1, weight: 3)
        weighted.add(5, weight: 2)
        weighted.add(6)
        let repeated = Moments([1, 1, 1, 5, 5, 6])
        #expect(abs(weighted.mean - repeated.mean) < 1e-15)
        #expect(weighted.weight == 6 && weighted.count == 3)
        #expect(abs(weighted.variance(ddof: 1) - repeated.variance(ddof: 1)) < 1e-14)
    }

    /// The textbook formula loses all digits here: mean of the squares minus square of the mean.
    @Test func aLargeOffsetCostsNoAccuracy() {
        let moments = Moments([4, 7, 13, 16].map { $0 + 1e9 })
        #expect(abs(moments.variance(ddof: 1) - 30) < 1e-6)
        #expect(Moments(repeatElement(0.1, count: 1000)).variance(ddof: 1) == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func removingAndMergingEqualComputingAnew(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let values = (0..<60).map { _ in random.normal() * 3 + 20 }
        let split = random.below(60)
        var merged = Moments(values[..<split])
        merged.merge(Moments(values[split...]))
        let all = Moments(values)
        #expect(merged.count == 60 && abs(merged.mean - all.mean) < 1e-12)
        #expect(abs(merged.variance(ddof: 1) - all.variance(ddof: 1)) < 1e-11)
        for value in values[..<split] { merged.remove(value) }
        let rest = Moments(values[split...])
        #expect(abs(merged.mean - rest.mean) < 1e-11)
        #expect(abs(merged.variance(ddof: 0) - rest.variance(ddof: 0)) < 1e-10)
        for value in values[split...] { merged.remove(value) }
        #expect(merged == Moments())
    }

    @Test func valuesThatAreNoNumbersPoisonNothing() {
        var moments = Moments([1, .nan, .infinity, 3])
        moments.add(4, weight: 0)
        moments.add(4, weight: .nan)
        moments.add(.greatestFiniteMagnitude)
        #expect(moments.count == 2 && moments.ignoredCount == 5)
        #expect(moments.mean == 2)
    }
}
