import Statistics
import Testing

/// Protects the noise floors that calibrated scoring subtracts.
struct BlockFloorsTests {
    @Test func tenWindowLengthsMakeNineteenBlocks() {
        var random = SplitMix64(seed: 1)
        let baseline = (0..<2000).map { _ in random.normal() }
        let floors = BlockFloors(baseline: baseline, windowLength: 200)
        #expect(floors.statistics.count == 19 && floors.shifts.count == 19 && floors.blockLength == 200)
        // An odd length still gives half-overlapping blocks, none past the end.
        #expect(BlockFloors(baseline: Array(baseline[..<1010]), windowLength: 101).statistics.count == 19)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func eachBlockIsHeldAgainstTheRest(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let levels = seed % 2 == 0 ? 6.0 : 0x1p30
        let baseline = (0..<90).map { _ in (random.uniform() * levels).rounded(.down) }
        let floors = BlockFloors(baseline: baseline, windowLength: 18)
        for block in 0..<9 {
            let range = (block * 9)..<(block * 9 + 18)
            let rest = Array(baseline[..<range.lowerBound] + baseline[range.upperBound...])
            let inside = Array(baseline[range])
            #expect(floors.statistics[block] == KolmogorovSmirnov.statistic(inside, rest))
            let restMoments = Moments(rest)
            let shift = abs(Moments(inside).mean - restMoments.mean) / restMoments.standardDeviation(ddof: 1)
            #expect(abs(floors.shifts[block] - shift) < 1e-9)
        }
        #expect(floors.statistics.count == 9)
        #expect(abs(floors.meanStatistic - floors.statistics.reduce(0, +) / 9) < 1e-15)
        #expect(floors.shiftQuantile(1) == floors.shifts.max())
        #expect(floors.statisticQuantile(0) == floors.statistics.min())
    }

    @Test func independentValuesHaveTheExpectedFloor() {
        var random = SplitMix64(seed: 3)
        let floors = BlockFloors(baseline: (0..<3000).map { _ in random.normal() }, windowLength: 300)
        let expected = KolmogorovSmirnov.expectedStatistic(300, 2700)
        #expect(floors.meanStatistic > 0.6 * expected && floors.meanStatistic < 1.6 * expected)
    }

    /// What the floors are for: a series that depends on its past differs from itself by far more.
    @Test func dependentValuesHaveAHigherFloor() {
        var random = SplitMix64(seed: 5)
        var state = 0.0
        let baseline = (0..<3000).map { _ in
            state = 0.97 * state + random.normal()
            return state
        }
        let floors = BlockFloors(baseline: baseline, windowLength: 300)
        #expect(floors.meanStatistic > 2 * KolmogorovSmirnov.expectedStatistic(300, 2700))
    }

    @Test func constantBaselinesHaveNoFloor() {
        let floors = BlockFloors(baseline: [Double](repeating: 0.1, count: 100), windowLength: 10)
        #expect(floors.meanStatistic == 0 && floors.meanShift == 0)
    }

    /// A step in an otherwise constant series: an infinite number of deviations, capped.
    @Test func aChangeOfAConstantIsCapped() {
        let baseline = [Double](repeating: 1, count: 10) + [Double](repeating: 2, count: 10)
        let floors = BlockFloors(baseline: baseline, windowLength: 10)
        #expect(floors.shifts.first == BlockFloors.maximumShift)
        #expect(floors.statistics.first == 1)
    }

    @Test(arguments: [[], [1], [1, 2], [1, 2, 3], [.nan, .infinity], [1, 2, 3, 4], [5, 5, 5, 5, 9]])
    func tinyBaselinesGiveFiniteFloors(_ baseline: [Double]) {
        for windowLength in [1, 3, 1000] {
            let floors = BlockFloors(baseline: baseline, windowLength: windowLength)
            for value in [
                floors.meanStatistic, floors.meanShift, floors.statisticQuantile(0.9), floors.shiftQuantile(0.9),
            ] {
                #expect(value.isFinite && value >= 0)
            }
            #expect(floors.meanStatistic <= 1)
            #expect(floors.blockLength >= 1)
        }
    }

    @Test func hugeValuesStayFinite() {
        let huge = (0..<40).map { $0 % 2 == 0 ? 1e308 : -1e308 }
        let floors = BlockFloors(baseline: huge, windowLength: 4)
        #expect(floors.shifts.allSatisfy { $0.isFinite && $0 <= BlockFloors.maximumShift })
    }
}
