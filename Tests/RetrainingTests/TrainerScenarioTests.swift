import Testing

@testable import Retraining

/// Trainers that are slow, die, repeat themselves or lie: what driftgate makes of them.
@Suite struct TrainerScenarioTests {
    private let start = monday + 12 * .hour
    private let check = 5 * Milliseconds.minute

    private func harness(_ configure: (inout EngineConfiguration) -> Void = { _ in }) -> EngineHarness {
        var configuration = EngineConfiguration.test
        configure(&configuration)
        let harness = EngineHarness(configuration)
        harness.injectScore { _ in 0.11 }
        harness.injectLoad { _ in 0.1 }
        return harness
    }

    @discardableResult
    private func decide(_ harness: EngineHarness, at boundary: Milliseconds) -> Decision {
        harness.pulse(boundary)
        return harness.decide(boundary)
    }

    @Test func `A trainer that sleeps through two sendings and takes the third trains once`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        for step in 1...7 { decide(harness, at: start + Int64(step) * check) }
        #expect(harness.effects.requests.map(\.attempt) == [1, 2, 3])
        harness.succeed(id, version: "v2", time: start + 36 * .minute)
        for step in 8...20 { decide(harness, at: start + Int64(step) * check) }
        #expect(harness.effects.requests.count == 3)
        #expect(!harness.effects.alerts.contains { $0.kind == .trainingOverdue })
        #expect(harness.effects.alerts.filter { $0.kind == .trainingSucceeded }.count == 1)
    }

    @Test func `A trainer that comes back after the alert of nobody is still heard, and the alert resolved`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        for step in 1...12 { decide(harness, at: start + Int64(step) * check) }
        #expect(harness.effects.alerts.last { $0.kind == .trainingOverdue }?.state == .raised)
        harness.feed(.status(id, .accepted, time: start + 61 * .minute))
        decide(harness, at: start + 13 * check)
        #expect(harness.effects.alerts.last { $0.kind == .trainingOverdue }?.state == .resolved)
        #expect(harness.effects.decisions.last?.history.openRequestID == id)
    }

    @Test func `A trainer that dies after its start is waited for until the deadline, then backed off from`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.feed(.status(id, .started, time: start + .minute))
        for hour in 1..<24 { #expect(decide(harness, at: start + Int64(hour) * .hour).reason == .trainingInProgress) }
        #expect(decide(harness, at: start + 24 * .hour).reason == .backoff)
        // Its ghost: what it says later changes nothing, and is counted.
        harness.succeed(id, version: "v2", time: start + 24 * .hour + .minute)
        let after = decide(harness, at: start + 24 * .hour + check)
        #expect(after.reason == .backoff && after.history.isAssumed)
        #expect(harness.engine.counters.repeatedStatuses == 3)
        #expect(decide(harness, at: start + 25 * .hour).outcome == .trigger)
    }

    @Test(arguments: [TrainingStatusRecord.Status.failed, .rejected, .cancelled])
    func `A trainer whose clock is a day behind is backed off from as any other`(end: TrainingStatusRecord.Status) {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.feed(.status(id, end, time: start - .day))
        let held = decide(harness, at: start + check)
        #expect(held.reason == .backoff)
        #expect(held.waitUntil == start + .hour, "no earlier than the evaluation that it was not yet known to")
        for step in 2..<12 { #expect(decide(harness, at: start + Int64(step) * check).outcome == .hold) }
    }

    @Test func `A clock that runs backwards within one training changes nothing`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.feed(.status(id, .accepted, time: start + 4 * .minute))
        harness.feed(.status(id, .started, time: start - 30 * .day))
        harness.feed(.status(id, .succeeded, version: "v2", time: start + .minute))
        let after = decide(harness, at: start + check)
        #expect(after.reason == .verifying)
        // Merge time never goes back: the end is no earlier than what was said before it.
        #expect(after.history.lastTraining == start + 4 * .minute)
        #expect(harness.engine.counters.repeatedStatuses == 0)
    }

    @Test func `Statuses of another installation on the same topic are counted and do nothing`() {
        let harness = harness()
        decide(harness, at: start)
        let foreign = RequestID.make(applicationID: "other", model: "m", sequence: start)
        harness.succeed(foreign, version: "v9", time: start + .minute)
        let after = decide(harness, at: start + check)
        #expect(after.reason == .trainingInProgress)
        #expect(harness.engine.counters.unknownRequests == 3)
        #expect(!harness.effects.alerts.contains { $0.kind == .trainingSucceeded })
    }

    @Test func `Unknown ids without end grow nothing without bound`() {
        let harness = harness()
        decide(harness, at: start)
        for number in 0..<5000 { harness.feed(.status("rt-\(number)", .started, time: start + .minute)) }
        decide(harness, at: start + check)
        #expect(harness.engine.counters.unknownRequests == 5000)
        #expect(harness.engine.orphans.count == 1000)
    }

    @Test func `A trainer that says succeeded for a request of yesterday does not end the one of today`() {
        let harness = harness()
        let first = decide(harness, at: start).requestID!
        harness.succeed(first, time: start + .minute)
        let second = decide(harness, at: start + 6 * .hour).requestID!
        #expect(second != first)
        harness.succeed(first, time: start + 6 * .hour + .minute)
        #expect(decide(harness, at: start + 6 * .hour + check).history.openRequestID == second)
    }

    @Test func `With nobody that answers, nothing is sent twice and nothing alerts`() {
        let harness = harness { $0.training.status = .none }
        decide(harness, at: start)
        for step in 1...36 { decide(harness, at: start + Int64(step) * check) }
        #expect(harness.effects.requests.map(\.attempt) == [1])
        #expect(!harness.effects.alerts.contains { $0.kind == .trainingOverdue || $0.kind == .trainingFailed })
    }

    /// Any words in any order, of any request, with any clock: the rules hold all the same.
    @Test(arguments: 0..<40)
    func `A trainer that says anything at any time breaks no rule`(seed: Int) {
        func run() -> [Effect] {
            var numbers = DeterminismTests.SeededNumbers(UInt64(seed))
            let harness = harness {
                $0.training.acceptTimeout = 10 * .minute; $0.training.deadline = 3 * .hour
            }
            var ids = ["rt-of-nobody"]
            for step in 0..<600 {
                let boundary = start + Int64(step) * check
                for _ in 0..<Int.random(in: 0...3, using: &numbers) {
                    let time = boundary + Int64.random(in: -2 * .day...(.minute), using: &numbers)
                    harness.feed(
                        .status(
                            ids.randomElement(using: &numbers)!,
                            TrainingStatusRecord.Status.allCases.randomElement(using: &numbers)!, time: time))
                }
                harness.pulse(boundary + check)
                if let id = harness.decide(boundary + check).requestID, !ids.contains(id) { ids.append(id) }
            }
            return harness.effects
        }
        let effects = run()
        #expect(effects == run(), "the same words give the same effects")
        let configuration = EngineConfiguration.test
        let firsts = effects.requests.filter { $0.attempt == 1 }
        #expect(Set(firsts.map(\.requestID)).count == firsts.count, "no request is made twice")
        #expect(effects.requests.allSatisfy { $0.attempt <= configuration.training.maximumAttempts })
        for id in Set(effects.requests.map(\.requestID)) {
            let attempts = effects.requests.filter { $0.requestID == id }.map(\.attempt)
            #expect(attempts == Array(1...attempts.count), "sendings are numbered without gaps")
        }
        let ends = effects.alerts.filter { [.trainingSucceeded, .trainingFailed].contains($0.kind) }
        #expect(Set(ends.map(\.requestID)).count == ends.count, "a request ends once")
        for decision in effects.decisions where decision.outcome == .trigger {
            #expect(decision.history.openRequestID == nil, "one request is open at a time")
            #expect(decision.history.trainingsInWeek < configuration.safeguards.maximumPerWeek)
        }
    }
}
