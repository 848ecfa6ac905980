import Testing

@testable import Retraining

/// Safeguards through the engine: just before, at and just after each boundary, with a score that always asks for a
/// training and a load that is always quiet.
@Suite struct SafeguardTests {
    private static let check = 5 * Milliseconds.minute

    /// Noon on the Monday: the first trigger of every test.
    private let start = monday + 12 * .hour

    private func harness(score: Double = 0.11, _ configure: (inout EngineConfiguration) -> Void = { _ in })
        -> EngineHarness
    {
        var configuration = EngineConfiguration.test
        configure(&configuration)
        let harness = EngineHarness(configuration)
        harness.injectScore { _ in score }
        harness.injectLoad { _ in 0.1 }
        return harness
    }

    /// Triggers at a boundary and answers the request a minute later.
    @discardableResult
    private func train(
        _ harness: EngineHarness, at boundary: Milliseconds, end: TrainingStatusRecord.Status? = .succeeded,
        startFirst: Bool = true
    ) -> String {
        harness.pulse(boundary)
        let decision = harness.decide(boundary)
        #expect(decision.outcome == .trigger, "\(decision.reason.rawValue): \(decision.text)")
        let id = decision.requestID ?? ""
        if startFirst, end != nil { harness.feed(.status(id, .started, time: boundary + .minute)) }
        if let end { harness.feed(.status(id, end, version: nil, time: boundary + .minute)) }
        return id
    }

    @discardableResult
    private func decide(_ harness: EngineHarness, at boundary: Milliseconds) -> Decision {
        harness.pulse(boundary)
        return harness.decide(boundary)
    }

    // MARK: Minimum interval

    @Test func `Six hours lie between a request and the next training`() {
        let harness = harness()
        train(harness, at: start)
        let before = decide(harness, at: start + 6 * .hour - Self.check)
        #expect(before.reason == .minimumInterval)
        #expect(before.confidence == 0)
        #expect(before.waitUntil == start + 6 * .hour)
        #expect(decide(harness, at: start + 6 * .hour).reason == .driftQuiet)
    }

    @Test func `The interval counts from the request and not from its end`() {
        let harness = harness()
        let id = train(harness, at: start, end: nil)
        harness.feed(.status(id, .accepted, time: start + .minute))
        #expect(decide(harness, at: start + 5 * .hour).reason == .trainingInProgress)
        harness.feed(.status(id, .succeeded, time: start + 5 * .hour + .minute))
        #expect(decide(harness, at: start + 6 * .hour - Self.check).reason == .minimumInterval)
        #expect(decide(harness, at: start + 6 * .hour).reason == .driftQuiet)
    }

    @Test func `A failed training does not count for the interval, only its back-off does`() {
        let harness = harness()
        train(harness, at: start, end: .failed)
        let decision = decide(harness, at: start + 30 * .minute)
        #expect(decision.reason == .backoff)
        #expect(decision.checks.first { $0.reason == .minimumInterval }?.answer == .pass)
    }

    // MARK: Maximum age

    @Test func `30 days after the last training a refresh is forced, and not a minute earlier`() {
        let harness = harness(score: 0.01) { $0.safeguards.refreshLead = 0 }
        decideManually(harness)
        harness.succeed(harness.effects.requests[0].requestID, time: start)
        #expect(decide(harness, at: start + 7 * .hour).reason == .noDrift)
        let age = 30 * Milliseconds.day
        let before = decide(harness, at: start + age - Self.check)
        #expect(before.reason == .noDrift)
        #expect(before.checks.first { $0.reason == .forcedRefresh }?.answer == .pass)
        let refresh = decide(harness, at: start + age)
        #expect(refresh.reason == .forcedRefresh)
        #expect(refresh.confidence == 1)
        #expect(refresh.priority == .high)
        #expect(refresh.checks.first { $0.reason == .forcedRefresh }?.value == 30)
    }

    private func decideManually(_ harness: EngineHarness) {
        harness.pulse(start)
        harness.feed(.command(.request, time: start - .minute))
        #expect(harness.decide(start).reason == .manual)
    }

    @Test func `The lead of 48 h opens at 28 days`() {
        // Every hour is as quiet as any other: the earliest is taken as soon as the lead opens.
        let harness = harness(score: 0.01) { $0.quiet.fallbackHours = 0..<24 }
        decideManually(harness)
        harness.succeed(harness.effects.requests[0].requestID, time: start)
        #expect(decide(harness, at: start + 28 * .day - Self.check).reason == .noDrift)
        #expect(decide(harness, at: start + 28 * .day).reason == .forcedRefresh)
    }

    @Test func `An unknown last training is the first prediction, and no refresh is forced at once`() {
        let harness = harness(score: 0.01)
        let first = decide(harness, at: start)
        #expect(first.reason == .noDrift)
        #expect(first.history.isAssumed)
        #expect(first.history.lastTraining == start - .minute)
    }

    // MARK: Three in seven days

    @Test(arguments: [TrainingStatusRecord.Status.succeeded, .failed])
    func `Succeeded and failed trainings count for the week`(end: TrainingStatusRecord.Status) {
        let harness = harness()
        for number in 0..<3 { train(harness, at: start + Int64(number) * .day, end: end) }
        let held = decide(harness, at: start + 3 * .day)
        #expect(held.reason == .weeklyLimit)
        #expect(held.confidence == 0)
        #expect(held.waitUntil == start + 7 * .day)
        #expect(held.history.trainingsInWeek == 3)
        #expect(decide(harness, at: start + 7 * .day - Self.check).reason == .weeklyLimit)
        #expect(decide(harness, at: start + 7 * .day).reason == .driftQuiet)
    }

    @Test func `Two trainings in the week hold nothing back`() {
        let harness = harness()
        for number in 0..<2 { train(harness, at: start + Int64(number) * .day) }
        #expect(decide(harness, at: start + 2 * .day).reason == .driftQuiet)
    }

    @Test func `Rejected requests do not count for the week`() {
        let harness = harness()
        for number in 0..<4 { train(harness, at: start + Int64(number) * .day, end: .rejected, startFirst: false) }
        #expect(decide(harness, at: start + 4 * .day).history.trainingsInWeek <= 1)
    }

    @Test func `A cancelled request counts only if it had started`() {
        let early = harness()
        for number in 0..<3 { train(early, at: start + Int64(number) * .day, end: .cancelled, startFirst: false) }
        #expect(decide(early, at: start + 3 * .day).outcome == .trigger)

        let late = harness()
        for number in 0..<3 { train(late, at: start + Int64(number) * .day, end: .cancelled, startFirst: true) }
        #expect(decide(late, at: start + 3 * .day).reason == .weeklyLimit)
    }

    @Test func `An expired request counts`() {
        let harness = harness { $0.training.deadline = 2 * .hour }
        for number in 0..<3 {
            train(harness, at: start + Int64(number) * .day, end: nil)
            #expect(decide(harness, at: start + Int64(number) * .day + 2 * .hour).reason == .backoff)
        }
        #expect(decide(harness, at: start + 3 * .day).reason == .weeklyLimit)
    }

    @Test func `An open request counts`() {
        let harness = harness()
        for number in 0..<2 { train(harness, at: start + Int64(number) * .day) }
        train(harness, at: start + 2 * .day, end: nil)
        let open = decide(harness, at: start + 2 * .day + .hour)
        #expect(open.reason == .trainingInProgress)
        #expect(open.checks.first { $0.reason == .weeklyLimit }?.answer == .hold)
        #expect(open.history.trainingsInWeek == 3)
    }

    @Test func `A forced refresh comes before the weekly limit`() {
        // Three failures in the week, and no success for 30 days.
        let harness = harness {
            $0.safeguards.maximumAge = 3 * .day; $0.safeguards.refreshLead = 0
        }
        for number in 0..<3 { train(harness, at: start + Int64(number) * 12 * .hour, end: .failed) }
        #expect(decide(harness, at: start + 2 * .day).reason == .weeklyLimit)
        #expect(decide(harness, at: start + 3 * .day).reason == .forcedRefresh)
    }

    // MARK: Back-off

    @Test func `Back-off is 1 h, doubles to 6 h, and a success ends it`() {
        let harness = harness { $0.safeguards.maximumPerWeek = 100 }
        var boundary = start
        for wait in [1, 2, 4, 6, 6].map({ Int64($0) * .hour }) {
            train(harness, at: boundary, end: .failed)
            // The failure was told a minute after the boundary.
            let free = boundary + .minute + wait
            let held = decide(harness, at: free.floored(to: Self.check))
            #expect(held.reason == .backoff)
            #expect(held.confidence == 0)
            #expect(held.waitUntil == free)
            boundary = free.floored(to: Self.check) + Self.check
        }
        train(harness, at: boundary, end: .succeeded)
        boundary += 6 * .hour
        train(harness, at: boundary, end: .failed)
        let again = decide(harness, at: boundary + Self.check)
        #expect(again.waitUntil == boundary + .minute + .hour)
    }

    @Test func `Back-off ends at its very minute`() {
        let harness = harness()
        let id = train(harness, at: start, end: nil)
        harness.feed(.status(id, .failed, time: start + Self.check))
        #expect(decide(harness, at: start + .hour).reason == .backoff)
        #expect(decide(harness, at: start + .hour + Self.check).reason == .driftQuiet)
    }

    // MARK: Catching up

    private static let lags: [(Milliseconds, Reason)] = [
        (899_999, .driftQuiet), (900_000, .driftQuiet), (900_001, .catchingUp), (40 * .day, .catchingUp),
        (-40 * .day, .driftQuiet),
    ]

    @Test(arguments: lags)
    func `Triggers are held while stream time lags by more than 15 minutes`(lag: Milliseconds, reason: Reason) {
        let harness = harness()
        harness.pulse(start)
        let decision = harness.decide(start, wallClock: start + lag)
        #expect(decision.reason == reason)
        #expect(decision.cut.wallClock == start + lag)
    }

    @Test func `Without a wall clock, or without a bound, nothing lags`() {
        let replay = harness()
        #expect(decide(replay, at: start).reason == .driftQuiet)
        let unbounded = harness { $0.safeguards.maximumTriggerLag = nil }
        unbounded.pulse(start)
        #expect(unbounded.decide(start, wallClock: start + 90 * .day).reason == .driftQuiet)
    }

    // MARK: Silence

    @Test func `24 h without predictions hold, and are never refreshed`() {
        let harness = harness {
            $0.safeguards.maximumAge = 26 * .hour; $0.safeguards.actualSilence = 48 * .hour
        }
        harness.feed(.prediction(at: start, ["cpu_pct": 50], time: start))
        harness.injectScore { _ in 0.01 }
        func actualsOnly(_ boundary: Milliseconds) -> Decision {
            harness.feed(.actual(at: boundary - .minute, ["cpu_pct": 50], time: boundary - .minute))
            return harness.decide(boundary)
        }
        #expect(actualsOnly(start + 24 * .hour - Self.check).reason == .noDrift)
        let silent = actualsOnly(start + 24 * .hour)
        #expect(silent.reason == .noPredictions)
        #expect(silent.confidence == 0)
        let retired = actualsOnly(start + 27 * .hour)
        #expect(retired.reason == .noPredictions)
        #expect(retired.checks.first { $0.reason == .forcedRefresh }?.answer == .trigger)
    }

    @Test func `Actuals that stop while predictions go on are a stalled input`() {
        let harness = harness()
        harness.feed(.prediction(at: start, ["cpu_pct": 50], time: start))
        harness.feed(.actual(at: start, ["cpu_pct": 50], time: start))
        func predictionsOnly(_ boundary: Milliseconds) -> Decision {
            harness.feed(.prediction(at: boundary, ["cpu_pct": 50], time: boundary - .minute))
            return harness.decide(boundary)
        }
        harness.injectScore { _ in 0.01 }
        let silence = harness.engine.configuration.safeguards.actualSilence
        #expect(predictionsOnly(start + silence - Self.check).reason == .noDrift)
        #expect(predictionsOnly(start + silence).reason == .stalledInput)
        #expect(harness.effects.alerts.map(\.kind) == [.stalledInput])
        // It is over as soon as actuals come again.
        #expect(decide(harness, at: start + silence + Self.check).reason == .noDrift)
        #expect(harness.effects.alerts.last?.state == .resolved)
    }

    @Test func `A model whose actuals never came stalls as well`() {
        let harness = harness(score: 0.01)
        harness.feed(.prediction(at: start, ["cpu_pct": 50], time: start))
        harness.evaluate(start + Self.check)
        let later = start + harness.engine.configuration.safeguards.actualSilence
        harness.feed(.prediction(at: later, ["cpu_pct": 50], time: later - .minute))
        #expect(harness.decide(later).reason == .stalledInput)
    }

    // MARK: Open requests

    @Test func `Requests that are open over all models are bounded`() {
        var configuration = EngineConfiguration.test
        configuration.safeguards.maximumOpenRequests = 2
        let harness = EngineHarness(configuration)
        harness.injectScore { _ in 0.11 }
        harness.injectLoad { _ in 0.1 }
        for model in ["a", "b", "c"] { harness.pulse(start, model: model) }
        let decisions = harness.evaluate(start).decisions
        #expect(decisions.map(\.reason) == [.driftQuiet, .driftQuiet, .openRequestLimit])
        let freed = decisions[0].requestID!
        harness.succeed(freed, time: start + .minute)
        for model in ["a", "b", "c"] { harness.pulse(start + Self.check, model: model) }
        let next = harness.evaluate(start + Self.check).decisions
        #expect(next.map(\.reason) == [.minimumInterval, .trainingInProgress, .driftQuiet])
    }

    // MARK: Manual

    @Test func `A manual request skips the interval and the weekly limit, and counts`() {
        let harness = harness { $0.safeguards.maximumPerWeek = 1 }
        train(harness, at: start)
        harness.feed(.command(.request, time: start + 30 * .minute))
        let manual = decide(harness, at: start + .hour)
        #expect(manual.reason == .manual)
        #expect(manual.outcome == .trigger)
        #expect(manual.priority == .high)
        #expect(manual.history.trainingsInWeek == 1)
        harness.succeed(manual.requestID!, time: start + .hour + .minute)
        let after = decide(harness, at: start + .hour + Self.check)
        #expect(after.reason == .minimumInterval)
        #expect(after.waitUntil == start + 7 * .hour)
        #expect(after.history.trainingsInWeek == 2)
    }

    @Test func `A manual request waits for an open one`() {
        let harness = harness()
        let id = train(harness, at: start, end: nil)
        harness.feed(.status(id, .accepted, time: start + .minute))
        harness.feed(.command(.request, time: start + 2 * .minute))
        #expect(decide(harness, at: start + Self.check).reason == .trainingInProgress)
        #expect(harness.effects.requests.count == 1)
    }
}
