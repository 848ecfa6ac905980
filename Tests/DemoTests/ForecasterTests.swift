import Retraining
import Testing

@testable import Demo

/// The story rests on a model that is really good, really gets worse, and really recovers.
@Suite struct ForecasterTests {
    private static let start = CalendarTime.milliseconds(year: 2025, month: 9, day: 1)
    private static let changeDay: Int64 = 14

    private static let world = World(
        seed: 7, start: start, ticks: 48 * 19, changeAt: start + changeDay * .day + 10 * .hour, serverCount: 3)

    private func train(upToDay day: Int64, hour: Int64 = 0) throws -> Forecaster {
        let end = Self.world.tick(at: Self.start + day * .day + hour * .hour)
        return try Forecaster.train(on: Self.world.table(ticks: 0..<end), version: "v")
    }

    private func error(of model: Forecaster, days: Range<Int>) -> Double {
        model.meanError(
            on: Self.world.table(ticks: 0..<Self.world.ticks), issuedIn: (days.lowerBound * 48)..<(days.upperBound * 48)
        )
    }

    @Test func itIsGoodThenBadThenGoodAgain() throws {
        let first = try train(upToDay: 9)
        #expect(error(of: first, days: 9..<14) < 0.065)
        #expect(error(of: first, days: 15..<18) > 0.11)
        let second = try train(upToDay: 15, hour: 2)
        #expect(error(of: second, days: 16..<18) < 0.08)
    }

    @Test func gapsInTheDataAreSteppedOver() throws {
        var table = Self.world.table(ticks: 0..<(48 * 9))
        for tick in 100..<120 { table.set(.nan, at: table.time(ofTick: tick), series: 3) }
        let model = try Forecaster.train(on: table, version: "gaps")
        #expect(error(of: model, days: 9..<12).isFinite)
    }

    @Test func tooShortAWindowIsRefusedWithWords() {
        #expect(throws: Forecaster.TrainingError.tooFewRows(found: 7, needed: 48)) {
            try Forecaster.train(on: Self.world.table(ticks: 0..<10), version: "short")
        }
    }

    @Test func ridgeFindsTheWeightsOfALine() throws {
        var regression = RidgeRegression(width: 2)
        for x in 0..<20 { regression.add(features: [1, Double(x)], target: 3 + 2 * Double(x), weight: 1) }
        let weights = try #require(regression.solution(penalty: 1e-9))
        #expect(abs(weights[0] - 3) < 1e-6 && abs(weights[1] - 2) < 1e-6)
    }

    @Test func ridgeSaysWhenThereIsNoUniqueSolution() {
        var regression = RidgeRegression(width: 2)
        regression.add(features: [1, 1], target: 1, weight: 1)
        #expect(regression.solution(penalty: 0) == nil)
    }
}
