import Retraining
import Testing

@testable import Replay

/// The evaluator's rules, the schedules and the oracle, on series small enough to be worked out by hand.
struct ClosedLoopTests {
    private static let start: Milliseconds = 1_375_056_000_000  // 2013-07-29, midnight.

    /// One metric that is always 10; the model of day d is off by `errors[d]`, and older models get worse by `ageing` a
    /// day.
    private static func entity(errors: [Double], ageing: Double = 0) -> RecordedEntity {
        let days = errors.count
        var forecasts: [Milliseconds: [RecordedEntity.StoredForecast]] = [:]
        for hour in 0..<(days * 24) {
            let values = (0..<days).map { model -> Double in
                let age = Double(hour / 24 - model)
                return age >= 0 ? 10 + errors[model] + ageing * age : .nan
            }
            forecasts[start + Int64(hour) * .hour] = [.init(metric: 0, horizonHours: 1, values: values)]
        }
        return RecordedEntity(
            name: "e", metrics: ["x"], start: start, actuals: Array(repeating: [10], count: days * 24),
            models: (0..<days).map { start + Int64($0) * .day }, modelNames: (0..<days).map { "m\($0)" },
            forecasts: forecasts, load: [], loadColumn: "cpu_pct")
    }

    @Test("the oracle is never beaten by any other choice of as many midnights")
    func oracleIsBest() throws {
        let errors: [Double] = [3, 1, 4, 1, 5, 2, 6, 0.5]
        let entity = Self.entity(errors: errors, ageing: 0.7)
        let score = ServedScore(entity: entity)
        let choices = Oracle(entity).choices(upTo: 3)
        #expect(choices.count == 4)
        let midnights = entity.models.filter { $0 > entity.servedFrom && $0 <= entity.end - .day }
        for (count, choice) in choices.enumerated() {
            #expect(choice.trainings.count == count)
            let own = try #require(score.wape(score.columns(trainingsAt: choice.trainings).columns))
            #expect(abs(own - choice.wape) < 1e-12)
            for other in Self.subsets(midnights, count) {
                let wape = try #require(score.wape(score.columns(trainingsAt: other).columns))
                #expect(wape >= choice.wape - 1e-12, "\(other)")
            }
        }
    }

    private static func subsets(_ all: [Milliseconds], _ count: Int) -> [[Milliseconds]] {
        guard count > 0 else { return [[]] }
        return all.indices.flatMap { index in
            subsets(Array(all[(index + 1)...]), count - 1).map { [all[index]] + $0 }
        }
    }

    @Test("MAPE leaves out actuals near zero, WAPE does not")
    func mape() throws {
        let entity = RecordedEntity(
            name: "e", metrics: ["x"], start: Self.start,
            actuals: (0..<48).map { [$0 % 2 == 0 ? 10 : 0.01] }, models: [Self.start], modelNames: ["m"],
            forecasts: Dictionary(
                uniqueKeysWithValues: (0..<24).map {
                    (Self.start + Int64($0) * .hour, [.init(metric: 0, horizonHours: 1, values: [11])])
                }), load: [], loadColumn: "x")
        let score = ServedScore(entity: entity)
        let columns = score.fixed(everyDays: nil).columns
        #expect(abs(try #require(score.mape(columns)) - 0.1) < 1e-9)
        #expect(try #require(score.wape(columns)) > 1)
    }

    @Test("schedules at another hour begin at that hour of the day")
    func scheduleHour() {
        let score = ServedScore(entity: Self.entity(errors: Array(repeating: 1, count: 9)))
        #expect(score.fixed(everyDays: 7, hour: 5).trainings == [Self.start + 7 * .day + 5 * .hour])
        #expect(score.fixed(everyDays: 2, hour: 23).trainings.first == Self.start + 2 * .day + 23 * .hour)
    }

    @Test("a training serves from the hour after it was asked for, and its hour is on record")
    func run() {
        // Forecasts that are right for ten days and then off by two thirds, unless the model is newer.
        let days = 40
        var forecasts: [Milliseconds: [RecordedEntity.StoredForecast]] = [:]
        var actuals: [[Double]] = []
        for hour in 0..<(days * 24) {
            let level = 20 + 5 * Double((hour % 24) / 6)
            let later = hour >= 30 * 24
            actuals.append([later ? 1.6 * level : level])
            let next = 20 + 5 * Double(((hour + 1) % 24) / 6)
            let values = (0..<days).map { day -> Double in
                guard hour >= day * 24 else { return .nan }
                return next * (day > 30 ? 1.6 : 1) * (1 + 0.02 * Double((hour * 31) % 7 - 3) / 3)
            }
            forecasts[Self.start + Int64(hour) * .hour] = [.init(metric: 0, horizonHours: 1, values: values)]
        }
        let entity = RecordedEntity(
            name: "e", metrics: ["x"], start: Self.start, actuals: actuals,
            models: (0..<days).map { Self.start + Int64($0) * .day }, modelNames: (0..<days).map { "m\($0)" },
            forecasts: forecasts, load: (0..<days * 24).map { (Self.start + Int64($0) * .hour, 20 + Double($0 % 24)) },
            loadColumn: "cpu_pct")
        var run = ClosedLoopRun(entity, configuration: ClosedLoopShell.configuration(EngineConfiguration()))
        run.run { _, _, _ in true }
        #expect(run.columns.count == days * 24)
        #expect(!run.trainings.isEmpty)
        for training in run.trainings {
            let hour = Int((training.at - Self.start) / .hour)
            let column = run.columns[hour + 1]
            #expect("m\(column)" == training.version)
            #expect(column == hour / 24)
            #expect(training.at <= entity.end - .day)
        }
    }
}
