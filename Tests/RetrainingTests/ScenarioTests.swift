import Testing

@testable import Retraining

/// The four example scenarios of the source design, section 7: absolute quiet, plain scores, all through the engine
/// with records that flow at every boundary of five minutes. Day 1 is a Monday.
@Suite struct ScenarioTests {
    /// A value that holds from its time on.
    typealias Steps = [(from: Milliseconds, value: Double)]

    private func value(_ steps: Steps, _ time: Milliseconds) -> Double {
        steps.last { $0.from <= time }?.value ?? 0.01
    }

    private func day(_ number: Int64, hour: Int64 = 0) -> Milliseconds { monday + (number - 1) * .day + hour * .hour }

    private func decision(_ harness: EngineHarness, at boundary: Milliseconds) throws -> Decision {
        try #require(harness.effects.decisions.first { $0.evaluatedAt == boundary })
    }

    @Test func `Scenario 1: gradual drift triggers on day 7, in quiet`() throws {
        let scores: Steps = [(day(1), 0.05), (day(3), 0.07), (day(5), 0.09), (day(7), 0.11)]
        let loads: Steps = [(day(1), 0.25), (day(3), 0.28), (day(5), 0.27), (day(7), 0.22)]
        let harness = EngineHarness()
        harness.injectScore { self.value(scores, $0) }
        harness.injectLoad { self.value(loads, $0) }
        harness.run(from: day(1), to: day(7, hour: 20))

        // Confidence of no_drift is 1 - score (source 4.1).
        let held = [(day(1, hour: 12), 0.95), (day(3), 0.93), (day(5), 0.91)]
        for (time, confidence) in held {
            let decision = try decision(harness, at: time)
            #expect(decision.outcome == .hold)
            #expect(decision.reason == .noDrift)
            #expect(close(decision.confidence, confidence))
            #expect(decision.load.isQuiet)
        }
        #expect(try decision(harness, at: day(1, hour: 12)).signal?.recommendation == .healthy)
        #expect(try decision(harness, at: day(3)).signal?.recommendation == .healthy)
        #expect(try decision(harness, at: day(5)).signal?.recommendation == .monitor)

        #expect(harness.effects.triggers.count == 1)
        let trigger = try #require(harness.effects.triggers.first)
        #expect(trigger.evaluatedAt == day(7))
        #expect(trigger.reason == .driftQuiet)
        #expect(trigger.priority == .normal)
        // min(1, 0.11 / 0.15), source 2.2.
        #expect(close(trigger.confidence, 0.11 / 0.15))
        #expect(Set(harness.effects.requests.map(\.requestID)).count == 1)
        #expect(harness.effects.requests.first?.requestedAt == day(7))
    }

    @Test func `Scenario 2: sudden change at noon waits for 10 PM`() throws {
        let start = day(29)
        let noon = start + 12 * .hour
        let scores: Steps = [(start, 0.05), (noon, 0.13), (noon + 2 * .hour, 0.14)]
        let loads: Steps = [
            (start, 0.75), (noon, 0.75), (noon + 2 * .hour, 0.70), (noon + 6 * .hour, 0.42), (noon + 10 * .hour, 0.28),
        ]
        let harness = EngineHarness()
        harness.injectScore { $0 < start ? 0.05 : self.value(scores, $0) }
        // Four weeks in which the load lay at 28 % from 22:00 to 06:00 and at 70 % else: the profile of the forecast.
        for hour in 0..<28 * 24 {
            let time = day(1) + Int64(hour) * .hour
            let isNight = hour % 24 >= 22 || hour % 24 < 6
            harness.feed(.load(cpu: isNight ? 28 : 70, time: time))
        }
        harness.injectLoad { self.value(loads, $0) }
        harness.run(from: start, to: noon + 11 * .hour)

        #expect(try decision(harness, at: noon - 5 * .minute).reason == .noDrift)
        for time in [noon, noon + 2 * .hour, noon + 6 * .hour] {
            let decision = try decision(harness, at: time)
            #expect(decision.outcome == .hold)
            #expect(decision.reason == .waitingForQuiet)
            #expect(decision.waitUntil == noon + 10 * .hour)
            #expect(!decision.load.isQuiet)
            #expect(close(decision.confidence, min(1, value(scores, time) / 0.15)))
        }
        #expect(harness.effects.triggers.count == 1)
        let trigger = try #require(harness.effects.triggers.first)
        #expect(trigger.evaluatedAt == noon + 10 * .hour)
        #expect(trigger.reason == .driftQuiet)
        #expect(close(trigger.load.score, 0.28))
        #expect(close(trigger.confidence, 0.14 / 0.15))
    }

    @Test func `Scenario 3: the fourth training of a week is blocked`() throws {
        let wanted = [day(1, hour: 2), day(3, hour: 3), day(5, hour: 1), day(6, hour: 2)]
        let harness = EngineHarness()
        var version = 1
        var drifting = false
        harness.injectScore { boundary in
            if wanted.contains(boundary) { drifting = true }
            return drifting ? 0.11 : 0.05
        }
        harness.injectLoad { _ in 0.2 }
        var boundary = day(1) + 5 * .minute
        while boundary <= day(8, hour: 2) {
            harness.pulse(boundary, version: "v\(version)")
            if harness.evaluate(boundary).triggers.first != nil {
                let id = harness.effects.requests.last!.requestID
                // The trainer works for an hour; its new version has no drift.
                harness.feed(.status(id, .accepted, time: boundary + .minute))
                harness.feed(.status(id, .started, time: boundary + 2 * .minute))
                for _ in 0..<12 where boundary < day(8, hour: 2) {
                    boundary += 5 * .minute
                    harness.pulse(boundary, version: "v\(version)")
                    #expect(harness.decide(boundary).reason == .trainingInProgress)
                }
                version += 1
                drifting = false
                harness.feed(.status(id, .succeeded, version: "v\(version)", time: boundary + .minute))
            }
            boundary += 5 * .minute
        }

        let triggers = harness.effects.triggers
        #expect(triggers.map(\.evaluatedAt) == wanted[..<3] + [day(8, hour: 2)])
        #expect(triggers.allSatisfy { $0.reason == .driftQuiet })
        let blocked = try decision(harness, at: wanted[3])
        #expect(blocked.outcome == .hold)
        #expect(blocked.reason == .weeklyLimit)
        #expect(blocked.confidence == 0)
        #expect(blocked.history.trainingsInWeek == 3)
        // The oldest of the three leaves the rolling 7 days a week after Monday 2 AM; only then the next one starts.
        #expect(blocked.waitUntil == day(8, hour: 2))
        let between = harness.effects.decisions.filter {
            $0.evaluatedAt >= wanted[3] && $0.evaluatedAt < day(8, hour: 2)
        }
        #expect(between.allSatisfy { $0.reason == .weeklyLimit })
    }

    /// A model that was trained by hand on day 1 at 01:00, and the scores of scenario 4. The load is lowest from 03:00
    /// to 05:00, for which the forecast is then the lowest of the day; it is told every so often, when it has been seen.
    private func refreshed(
        incidentFrom: Milliseconds? = nil, loadEvery: Milliseconds = 30 * .minute, to end: Milliseconds
    ) -> EngineHarness {
        let scores: Steps = [(day(1), 0.05), (day(10), 0.06), (day(20), 0.07), (day(30), 0.07)]
        var configuration = EngineConfiguration.test
        configuration.drift.checkInterval = 30 * .minute
        let harness = EngineHarness(configuration)
        harness.injectScore { self.value(scores, $0) }
        harness.run(from: day(1), to: end, step: 30 * .minute) { boundary in
            if boundary == day(1, hour: 1) { harness.feed(.command(.request, time: boundary - .minute)) }
            if boundary == day(1, hour: 1) + 30 * .minute {
                harness.succeed(
                    harness.effects.requests.last!.requestID, version: "v1", time: day(1, hour: 1) + 10 * .minute)
            }
            if boundary % loadEvery == 0 {
                let time = boundary - loadEvery
                let hour = (time % .day) / .hour
                let isOpen = incidentFrom.map { time >= $0 } ?? false
                harness.feed(
                    .load(cpu: hour == 3 || hour == 4 ? 10 : 40 + Double(hour), incident: isOpen, time: time))
            }
        }
        return harness
    }

    @Test func `Scenario 4: forced refresh after 30 days`() throws {
        // An incident is open through the last 48 hours, so that no hour of them is taken early.
        let trained = day(1, hour: 1) + 10 * .minute
        let harness = refreshed(incidentFrom: day(28), to: day(31, hour: 3))
        for number in [Int64(10), 20, 30] {
            let decision = try decision(harness, at: day(number))
            #expect(decision.outcome == .hold)
            #expect(decision.reason == .noDrift)
            #expect(decision.history.lastTraining == trained)
            #expect(!decision.history.isAssumed)
        }
        #expect(harness.effects.triggers.map(\.reason) == [.manual, .forcedRefresh])
        let refresh = try #require(harness.effects.triggers.last)
        // The first boundary at which 30 days have passed since the training succeeded.
        #expect(refresh.evaluatedAt == day(31, hour: 1) + 30 * .minute)
        #expect(refresh.confidence == 1)
        #expect(refresh.priority == .high)
        #expect(harness.effects.requests.last?.priority == .high)
    }

    @Test func `Scenario 4, early: the quietest hour of days 28 to 30 is taken`() throws {
        let harness = refreshed(to: day(30))
        #expect(harness.effects.triggers.map(\.reason) == [.manual, .forcedRefresh])
        let refresh = try #require(harness.effects.triggers.last)
        // 28 days after the training is day 29, 01:10; the lowest forecast from there on begins at 03:00.
        // It starts while the 1.5 h that it needs still fit into the two quiet hours.
        #expect((day(29, hour: 3)...day(29, hour: 3) + 30 * .minute).contains(refresh.evaluatedAt))
        #expect(refresh.confidence == 1)
        #expect(refresh.priority == .high)
        #expect(refresh.signal?.recommendation == .healthy)
    }

    @Test func `Scenario 4, early, hourly load: the quietest hour is taken there too`() throws {
        let harness = refreshed(loadEvery: .hour, to: day(30))
        #expect(harness.effects.triggers.map(\.reason) == [.manual, .forcedRefresh])
        let refresh = try #require(harness.effects.triggers.last)
        #expect((day(29, hour: 3)...day(29, hour: 3) + 30 * .minute).contains(refresh.evaluatedAt))
    }

    @Test func `Scenario 4, early, without load history: the fallback hours are taken`() throws {
        var configuration = EngineConfiguration.test
        configuration.drift.checkInterval = 30 * .minute
        let harness = EngineHarness(configuration)
        harness.injectScore { _ in 0.05 }
        harness.run(from: day(1), to: day(30), step: 30 * .minute)
        // No training is known: the first prediction stands in, and 02:00 is the first quiet hour from 28 days on.
        #expect(harness.effects.triggers.map(\.evaluatedAt) == [day(29, hour: 2)])
        #expect(harness.effects.triggers.first?.reason == .forcedRefresh)
        #expect(harness.effects.triggers.first?.history.isAssumed == true)
    }
}
