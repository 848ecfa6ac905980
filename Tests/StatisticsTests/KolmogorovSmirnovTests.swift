import Statistics
import Testing

/// Protects the two-sample statistic by hand-computed cases and by properties that hold for any samples.
struct KolmogorovSmirnovTests {
    struct Example {
        let a: [Double]
        let b: [Double]
        let statistic: Double

        init(_ a: [Double], _ b: [Double], _ statistic: Double) {
            self.a = a
            self.b = b
            self.statistic = statistic
        }
    }

    private static let handComputed = [
        Example([1], [1], 0),
        Example([1], [2], 1),
        Example([1.5], [1, 2], 0.5),
        Example([1, 2, 3], [4, 5, 6], 1),
        Example([1, 1, 2], [1, 2, 2, 3], 5.0 / 12),
        Example([1, 2, 3, 4], [1.5, 2.5], 0.5),
        Example([0, -0.0, 1], [-0.0, 0, 0], 1.0 / 3),
        Example([-.infinity, 0, .infinity], [0, 0, 0], 1.0 / 3),
        Example([], [1, 2], 0),
    ]

    /// Samples small enough to draw the two step functions on paper.
    @Test(arguments: handComputed)
    func statisticEqualsHandComputed(_ example: Example) {
        #expect(abs(KolmogorovSmirnov.statistic(example.a, example.b) - example.statistic) < 1e-15)
        #expect(abs(KolmogorovSmirnov.statistic(example.b, example.a) - example.statistic) < 1e-15)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func statisticEqualsTheDefinition(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let a = sample(&random)
        let b = sample(&random)
        // The definition, word for word: the greatest distance over all values that occur.
        let distances = (a + b).map { value in
            abs(
                Double(a.count { $0 <= value }) / Double(a.count) - Double(b.count { $0 <= value }) / Double(b.count))
        }
        #expect(abs(KolmogorovSmirnov.statistic(a, b) - distances.max()!) < 1e-12)
    }

    @Test(arguments: 100..<120 as Range<UInt64>)
    func statisticIgnoresOrderShiftAndScale(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let a = sample(&random)
        let b = sample(&random)
        let statistic = KolmogorovSmirnov.statistic(a, b)
        #expect(KolmogorovSmirnov.statistic(a.shuffled(using: &random), b.shuffled(using: &random)) == statistic)
        // Powers of two keep every value distinct or equal as it was.
        #expect(KolmogorovSmirnov.statistic(a.map { $0 * 4 + 64 }, b.map { $0 * 4 + 64 }) == statistic)
        // Reversing the axis exchanges "below" and "above", which the two-sided statistic does not distinguish.
        #expect(KolmogorovSmirnov.statistic(a.map { -$0 }, b.map { -$0 }) == statistic)
        #expect(statistic >= 0 && statistic <= 1)
    }

    /// 0.039 for two samples of 1000, 0.029 for 1000 against 10 000: the mean of Kolmogorov's limit.
    @Test func expectedStatisticIsTheKnownMean() {
        #expect(abs(KolmogorovSmirnov.expectedStatistic(1000, 1000) - 0.03885) < 1e-5)
        #expect(abs(KolmogorovSmirnov.expectedStatistic(1000, 10_000) - 0.02881) < 1e-5)
        #expect(KolmogorovSmirnov.expectedStatistic(0, 10) == 0)
        #expect(KolmogorovSmirnov.expectedStatistic(1, 1) == 1)
    }

    @Test func expectedStatisticIsTheAverageOfIndependentSamples() {
        var random = SplitMix64(seed: 7)
        var sum = 0.0
        for _ in 0..<60 {
            sum += KolmogorovSmirnov.statistic(
                (0..<200).map { _ in random.uniform() }, (0..<300).map { _ in random.uniform() })
        }
        // The mean of 60 has a standard error of about 0.0031.
        #expect(abs(sum / 60 - KolmogorovSmirnov.expectedStatistic(200, 300)) < 0.015)
    }

    /// 1 to 60 values of few distinct ones (many ties) or of a continuous distribution.
    private func sample(_ random: inout SplitMix64) -> [Double] {
        let levels = random.below(2) == 0 ? 4.0 : 0x1p40
        let shift = Double(random.below(3))
        return (0...random.below(60)).map { _ in (random.uniform() * levels).rounded(.down) + shift }
    }
}
