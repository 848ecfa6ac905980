import Testing

@testable import Retraining

/// Series, fleets and calendars that are odd and yet real: no decision may be lost or made for nothing by them.
@Suite struct OddInputTests {
    /// What is always right, and what is always 0, has no skill to lose: it is in order, and refreshed when its time comes.
    @Test(arguments: [50, 0] as [Double]) func `A constant series is decided about`(value: Double) {
        var stream = CalibratedStream()
        var decisions: [Decision] = []
        for _ in 0..<24 * 31 {
            decisions += stream.step(level: { _ in value }, forecast: { _ in value }).decisions
        }
        #expect(decisions.last { $0.reason == .insufficientData }.map { $0.evaluatedAt < monday + 4 * .day } ?? true)
        #expect(decisions.contains { $0.reason == .forcedRefresh })
        #expect(!decisions.contains { $0.reason == .driftQuiet || $0.reason == .slaBreach })
    }

    /// One pair in six hours never fills a score; the model ages all the same.
    @Test func `A rare series is refreshed`() {
        var stream = CalibratedStream()
        var decisions: [Decision] = []
        for hour in 0..<24 * 31 {
            if hour % 6 == 0 {
                decisions += stream.step().decisions
            } else {
                decisions += stream.skip().decisions
            }
        }
        #expect(decisions.contains { $0.reason == .forcedRefresh })
    }

    /// The first value is a thousand times too large.
    @Test func `One early spike blinds nothing`() throws {
        var stream = CalibratedStream()
        var decisions: [Decision] = []
        for hour in 0..<24 * 20 {
            let isStale = hour > 24 * 14
            decisions +=
                stream.step(
                    level: { $0 == 0 ? 40_000 : CalibratedStream.level($0) },
                    forecast: { CalibratedStream.level($0) + (isStale ? 40 : 0) + Double($0 * 104_729 % 13) / 6 - 1 }
                ).decisions
        }
        let trigger = try #require(decisions.first { $0.outcome == .trigger })
        #expect(trigger.evaluatedAt > monday + 14 * .day)
        #expect(trigger.evaluatedAt < monday + 18 * .day)
    }

    /// Hourly data, several models, 5 minute interval: only boundaries on the hour are ever evaluated.
    @Test(arguments: [2, 3, 4, 6, 12]) func `Hourly data: every model gets its turn`(models: Int) {
        var configuration = EngineConfiguration.test
        configuration.quiet.rule = .adaptive
        configuration.safeguards.maximumTriggerLag = nil
        let harness = EngineHarness(configuration)
        harness.injectScore { $0 < monday + 2 * .day ? 0.01 : 0.2 }
        for hour in 0..<(33 * 24) as Range<Int64> {
            let time = monday + hour * .hour
            if hour > 0 { harness.evaluate(harness.engine.boundary(crossedBy: time + 5000)) }
            for model in 0..<models {
                harness.feed(.prediction("model-\(model)", at: time, ["a": 50], time: time + 5000))
                harness.feed(.actual("model-\(model)", at: time, ["a": 50], time: time + 5000))
            }
            harness.feed(.load(cpu: 20, time: time + 5000))
        }
        let asked = Set(harness.effects.triggers.map(\.model))
        #expect(asked.count == models)
    }

    /// One forecast in five minutes, a minute ahead.
    @Test(arguments: [60, 240, 330] as [Int64]) func `Short horizons have a skill`(seconds: Int64) {
        var configuration = EngineConfiguration()
        configuration.safeguards.maximumTriggerLag = nil
        let harness = EngineHarness(configuration)
        var last: Decision?
        for step in 0..<(12 * 24 * 9) as Range<Int64> {
            let boundary = monday + step * 5 * .minute
            if step > 0 { last = harness.decide(boundary) }
            let value = CalibratedStream.level(step / 12)
            harness.feed(
                .prediction(
                    at: boundary + 1000 + seconds * 1000, issuedAt: boundary + 1000, ["x": value + Double(step % 7)],
                    time: boundary + 1000))
            if seconds < 300 {
                harness.feed(
                    .actual(at: boundary + 1000 + seconds * 1000, ["x": value], time: boundary + 1000 + seconds * 1000))
            } else {
                harness.feed(
                    .actual(
                        at: boundary + 1000 + seconds * 1000 - 300_000, ["x": CalibratedStream.level((step - 1) / 12)],
                        time: boundary + 31_000))
            }
        }
        #expect(last!.reason != .insufficientData)
    }

    /// The fleet's actuals name the model, which predicts two of the servers.
    @Test func `Skill follows what is predicted`() {
        var configuration = EngineConfiguration()
        configuration.safeguards.maximumTriggerLag = nil
        configuration.drift.checkInterval = .hour
        for pair in 0..<4 {
            let harness = EngineHarness(configuration)
            var last: Decision?
            for hour in 0..<(24 * 9) as Range<Int64> {
                let time = monday + hour * .hour
                for server in 0..<400 {
                    harness.feed(
                        .actual(entity: "srv-\(server)", at: time, ["x": CalibratedStream.level(hour)], time: time))
                }
                for server in [2 * pair, 2 * pair + 1] {
                    harness.feed(
                        .prediction(
                            entity: "srv-\(server)", at: time + .hour, issuedAt: time,
                            ["x": CalibratedStream.level(hour + 1) + Double(hour % 7)], time: time))
                }
                last = harness.decide(time)
            }
            #expect(last!.reason != .insufficientData)
        }
    }

    /// Nothing starts in a blackout.
    @Test(arguments: ["deadline", "refresh", "severe"]) func `A blackout lets nothing start`(kind: String) {
        var configuration = EngineConfiguration.test
        configuration.quiet.rule = .adaptive
        configuration.drift.checkInterval = .hour
        let from = monday + (kind == "refresh" ? 27 : 3) * .day
        configuration.quiet.blackouts = [.init(from: from, to: from + 5 * .day, name: "freeze")]
        let harness = EngineHarness(configuration)
        harness.injectScore { kind == "refresh" || $0 < from + .hour ? 0.01 : kind == "severe" ? 0.2 : 0.11 }
        harness.run(from: monday, to: from + 5 * .day, step: .hour) { harness.feed(.load(cpu: 20, time: $0 - .minute)) }
        let inside = harness.effects.triggers.filter { $0.evaluatedAt >= from && $0.evaluatedAt < from + 5 * .day }
        #expect(inside.isEmpty)
    }

    /// A busy day.
    @Test func `A busy day is not quiet`() {
        var configuration = EngineConfiguration.test
        configuration.quiet.rule = .adaptive
        configuration.drift.checkInterval = .hour
        let from = monday + 7 * .day
        configuration.quiet.calendar.busyDays = [Int(from / .day)]
        let harness = EngineHarness(configuration)
        harness.injectScore { $0 < from + .hour ? 0.01 : 0.11 }
        harness.run(from: monday, to: from + 2 * .day, step: .hour) { harness.feed(.load(cpu: 20, time: $0 - .minute)) }
        let trigger = harness.effects.triggers.first
        #expect(trigger.map { $0.evaluatedAt >= from + .day } ?? false)
    }

    /// Low now, a blackout in half an hour.
    @Test func `A training that would run into a blackout waits`() {
        var configuration = EngineConfiguration.test
        configuration.quiet.rule = .adaptive
        configuration.drift.checkInterval = 15 * .minute
        let from = monday + 7 * .day
        configuration.quiet.blackouts = [.init(from: from, to: from + .day, name: "freeze")]
        let harness = EngineHarness(configuration)
        harness.injectScore { $0 < from - 15 * .minute ? 0.01 : 0.11 }
        harness.run(from: monday, to: from + 2 * .day, step: 15 * .minute) {
            harness.feed(.load(cpu: 20, time: $0 - .minute))
        }
        let trigger = harness.effects.triggers.first
        #expect(trigger.map { $0.evaluatedAt >= from + .day } ?? false)
    }

    /// Plain: a training in the first hours must not make a baseline of a few values.
    @Test func `An early training makes no baseline of a few hours`() {
        var configuration = EngineConfiguration()
        configuration.drift.scoring = .plain
        configuration.quiet.rule = .absolute
        configuration.drift.checkInterval = .hour
        configuration.safeguards.maximumTriggerLag = nil
        let harness = EngineHarness(configuration)
        var asked: String?
        for hour in 0..<(24 * 6) as Range<Int64> {
            let time = monday + hour * .hour
            harness.feed(.actual(at: time, ["x": CalibratedStream.level(hour)], time: time))
            harness.feed(
                .prediction(at: time + .hour, issuedAt: time, ["x": CalibratedStream.level(hour + 1)], time: time))
            harness.feed(.load(cpu: 20, time: time))
            if hour == 9 { harness.feed(.command(.request, time: time)) }
            let effects = harness.evaluate(time)
            if let request = effects.requests.first, asked == nil {
                asked = request.requestID
                harness.succeed(request.requestID, version: "v1", time: time + .minute)
            }
        }
        let drift = harness.effects.decisions.filter { $0.signal?.recommendation == .retrain }.count
        let last = harness.effects.decisions.last!
        #expect(drift == 0)
    }

    /// An incident that was opened and not closed.
    @Test func `An incident is open until it is closed`() {
        var configuration = EngineConfiguration.test
        configuration.quiet.rule = .adaptive
        let from = monday + 7 * .day
        let harness = EngineHarness(configuration)
        harness.injectScore { $0 < from + .hour ? 0.01 : 0.11 }
        harness.run(from: monday, to: from, step: 5 * .minute) { harness.feed(.load(cpu: 20, time: $0 - .minute)) }
        harness.feed(.load(entity: "alertmanager", incident: true, time: from + .minute))
        harness.run(from: from, to: from + 6 * .hour, step: 5 * .minute) {
            harness.feed(.load(cpu: 20, time: $0 - .minute))
        }
        let trigger = harness.effects.triggers.first
        #expect(trigger == nil)
    }
}
