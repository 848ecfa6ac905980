import Replay
import Retraining
import Testing

@testable import Demo

/// Which stored forecast counts as served decides every figure of the recorded sets.
@Suite struct DataSetTests {
    private static let start = CalendarTime.milliseconds(year: 2013, month: 7, day: 29)

    /// One metric that is always 10; model m on day m is off by `10 − m`, and stored for two days only.
    private static func entity(days: Int = 4) -> RecordedEntity {
        var forecasts: [Milliseconds: [RecordedEntity.StoredForecast]] = [:]
        for hour in 0..<(days * 24) {
            let values = (0..<days).map { model -> Double in
                let age = hour - model * 24
                return age >= 0 && (age < 48 || model == 0 && hour < 60) ? Double(model) : .nan
            }
            forecasts[start + Int64(hour) * .hour] = [.init(metric: 0, horizonHours: 1, values: values)]
        }
        return RecordedEntity(
            name: "e", metrics: ["x"], start: start, actuals: Array(repeating: [10], count: days * 24),
            models: (0..<days).map { start + Int64($0) * .day }, modelNames: (0..<days).map { "m\($0)" },
            forecasts: forecasts, load: [], loadColumn: "cpu_pct")
    }

    @Test func aTrainingUsesDataUpToTheLastMidnight() {
        let entity = Self.entity()
        #expect(entity.newestModel(at: Self.start + .day - 1) == 0)
        #expect(entity.newestModel(at: Self.start + .day) == 1)
        #expect(entity.newestModel(at: Self.start + 2 * .day + 5 * .hour) == 2)
    }

    @Test func itServesFromOneHourAfterTheRequest() {
        let columns = ServedScore(entity: Self.entity()).columns(trainingsAt: [Self.start + 30 * .hour]).columns
        #expect(columns[30] == 0 && columns[31] == 1 && columns.last == 1)
    }

    @Test func theOldestStoredModelSpeaksForOneThatIsTooOld() {
        let entity = Self.entity()
        let forecast = entity.forecasts[Self.start + 70 * .hour]![0]
        #expect(forecast.values[0].isNaN)
        #expect(entity.served(forecast, column: 0) == 1)
        #expect(entity.served(forecast, column: 2) == 2)
        #expect(entity.served(forecast, column: 3) == nil)
    }

    @Test func wapeLeavesOutTheLastDay() throws {
        let entity = Self.entity(days: 2)
        // Scored are the 24 hours up to and including the last but 24th; model 0 is off by all of 10.
        let score = ServedScore(entity: entity)
        #expect(try #require(score.wape(score.fixed(everyDays: nil).columns)) == 1)
    }

    @Test func fixedSchedulesTrainAtTheirIntervalOnly() {
        let score = ServedScore(entity: Self.entity(days: 9))
        #expect(score.fixed(everyDays: 7).trainings == [Self.start + 7 * .day])
        #expect(score.fixed(everyDays: 1).trainings.count == 7)
        #expect(score.fixed(everyDays: nil).trainings.isEmpty)
    }

    @Test func rowsMayMissTrailingCells() throws {
        let text =
            "ts,metric,horizon_h,m2013-07-29,m2013-07-30\n2013-07-29T01:00:00Z,x,1,33\n2013-07-29T02:00:00Z,x,6,,4.5\n"
        let table = try CommaSeparated(path: "t.csv", bytes: Array(text.utf8))
        var rows: [(Milliseconds, String, Double, Double, Double)] = []
        try table.forEachRow { rows.append((try $0.time(0), $0.text(1), $0.number(2), $0.number(3), $0.number(4))) }
        #expect(rows.count == 2)
        #expect(rows[0].0 == Self.start + .hour && rows[0].3 == 33 && rows[0].4.isNaN)
        #expect(rows[1].2 == 6 && rows[1].3.isNaN && rows[1].4 == 4.5)
    }

    @Test func aWrongTimeNamesFileAndLine() throws {
        let table = try CommaSeparated(path: "t.csv", bytes: Array("ts,x\nyesterday,1\n".utf8))
        #expect { try table.forEachRow { _ = try $0.time(0) } } throws: { "\($0)".contains("t.csv, line 2") }
    }

    @Test func loadThatIsNoPercentageIsSetAgainstItsOwnPast() {
        let samples = (0..<100).map { (time: Self.start + Int64($0) * .hour, value: Double($0 % 10) * 100) }
        let entity = RecordedEntity(
            name: "e", metrics: [], start: Self.start, actuals: [], models: [Self.start], modelNames: ["m"],
            forecasts: [:], load: samples, loadColumn: "requests")
        var load = RecordedLoad(entity: entity)
        let taken = load.take(upTo: Self.start + 99 * .hour)
        #expect(taken.count == 100)
        #expect(taken.allSatisfy { (0...100).contains($0.cpuPercent) })
        #expect(taken[99].cpuPercent == 100 && taken[90].cpuPercent == 0)
        let rest = load.take(upTo: Self.start + 200 * .hour)
        #expect(rest.isEmpty)
    }
}
