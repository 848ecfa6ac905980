import Testing

@testable import Retraining

/// Commands, modes, and a start that reads its inputs again.
@Suite struct ControlTests {
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
    private func decide(_ harness: EngineHarness, at boundary: Milliseconds, published: [PublishedRequest]? = nil)
        -> Decision
    {
        harness.pulse(boundary)
        return harness.decide(boundary, published: published)
    }

    // MARK: Pause and resume

    @Test(arguments: [nil, "m"])
    func `Pause holds triggers and goes on deciding; resume lets them go`(model: String?) {
        let harness = harness()
        harness.pulse(start)
        harness.feed(.command(.pause, model: model, time: start - .minute))
        let paused = harness.decide(start)
        #expect(paused.reason == .paused)
        #expect(paused.confidence == 0)
        #expect(paused.checks.first { $0.reason == .driftQuiet }?.answer == .trigger)
        #expect(decide(harness, at: start + check).reason == .paused)
        harness.feed(.command(.resume, model: model, time: start + check))
        #expect(decide(harness, at: start + 2 * check).reason == .driftQuiet)
        #expect(harness.effects.requests.count == 1)
    }

    @Test func `Pause of one model leaves the others`() {
        let harness = harness()
        for model in ["m", "n"] { harness.pulse(start, model: model) }
        harness.feed(.command(.pause, model: "m", time: start - .minute))
        #expect(harness.evaluate(start).decisions.map(\.reason) == [.paused, .driftQuiet])
    }

    @Test func `While paused, answers of trainers are taken`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.feed(.command(.pause, model: nil, time: start + .minute))
        harness.succeed(id, time: start + 2 * .minute)
        let paused = decide(harness, at: start + check)
        #expect(paused.reason == .paused)
        #expect(paused.history.lastTraining == start + 2 * .minute)
    }

    // MARK: Manual requests

    @Test func `A manual request triggers without drift, once`() {
        let harness = harness()
        harness.injectScore { _ in 0.01 }
        harness.pulse(start)
        harness.feed(.command(.request, time: start - .minute))
        let manual = harness.decide(start)
        #expect(manual.outcome == .trigger)
        #expect(manual.reason == .manual)
        #expect(manual.confidence == 1)
        #expect(manual.text.contains("test"))
        #expect(harness.effects.requests.map(\.reason) == [.manual])
        harness.succeed(manual.requestID!, time: start + .minute)
        for step in 1...100 { #expect(decide(harness, at: start + Int64(step) * check).outcome == .hold) }
    }

    @Test func `A manual request needs no predictions and no data`() {
        let harness = EngineHarness()
        harness.pulse(start)
        harness.decide(start)
        harness.feed(.actual(at: start, ["cpu_pct": 1], time: start + 3 * .day))
        harness.feed(.command(.request, time: start + 3 * .day))
        #expect(harness.decide(start + 3 * .day + check).reason == .manual)
    }

    @Test func `Commands for models that nobody knows are counted`() {
        let harness = harness()
        harness.pulse(start)
        harness.feed(.command(.request, model: "nobody", time: start - .minute))
        harness.decide(start)
        #expect(harness.engine.counters.unknownRequests == 1)
        #expect(harness.engine.modelCount == 1)
    }

    // MARK: Cancel

    @Test func `Cancel ends the open request, which then counts only if it had started`() {
        for hasStarted in [false, true] {
            let harness = harness()
            let id = decide(harness, at: start).requestID!
            harness.feed(.status(id, hasStarted ? .started : .accepted, time: start + .minute))
            harness.feed(.command(.cancel, time: start + 2 * .minute))
            harness.injectScore { _ in 0.01 }
            let decision = decide(harness, at: start + check)
            #expect(decision.history.openRequestID == nil)
            #expect(decision.history.trainingsInWeek == (hasStarted ? 1 : 0))
            #expect(harness.effects.alerts.last { $0.kind == .trainingFailed }?.text.contains("ops") == true)
            // What the trainer says afterwards changes nothing.
            harness.feed(.status(id, .succeeded, time: start + check))
            #expect(decide(harness, at: start + 2 * check).history.isAssumed)
        }
    }

    @Test func `Cancel of another request leaves the open one alone`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.feed(.status(id, .accepted, time: start + .minute))
        harness.feed(.command(.cancel, requestID: "rt-another", time: start + 2 * .minute))
        #expect(decide(harness, at: start + check).history.openRequestID == id)
        harness.feed(.command(.cancel, requestID: id, time: start + check))
        #expect(decide(harness, at: start + 2 * check).history.openRequestID == nil)
    }

    @Test func `Cancel by the request id alone finds its model`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.feed(.status(id, .accepted, time: start + .minute))
        harness.feed(.command(.cancel, model: nil, requestID: id, time: start + 2 * .minute))
        #expect(decide(harness, at: start + check).history.openRequestID == nil)
    }

    @Test func `Cancel takes back a manual request that still waits`() {
        let harness = harness()
        harness.injectScore { _ in 0.01 }
        harness.pulse(start)
        harness.feed(.command(.request, time: start - 2 * .minute))
        harness.feed(.command(.cancel, time: start - .minute))
        #expect(harness.decide(start).reason == .noDrift)
    }

    // MARK: The baseline

    @Test func `A baseline is captured on command, when it spans 7 days, and after a training`() {
        let harness = harness { $0.drift.baselineSpan = .day }
        harness.injectScore { _ in 0.01 }
        for step in 1...24 { decide(harness, at: start + Int64(step) * .hour) }
        #expect(harness.effects.decisions.last?.history.baselineVersion == nil)
        decide(harness, at: start + 25 * .hour)
        #expect(harness.effects.decisions.last?.history.baselineVersion == 1)
        harness.feed(.command(.baselineReset, time: start + 25 * .hour))
        #expect(decide(harness, at: start + 26 * .hour).history.baselineVersion == 2)
        harness.feed(.command(.request, time: start + 26 * .hour))
        let id = decide(harness, at: start + 27 * .hour).requestID!
        harness.succeed(id, time: start + 27 * .hour + .minute)
        #expect(decide(harness, at: start + 28 * .hour).history.baselineVersion == 3)
    }

    @Test func `A frozen baseline stays through trainings, until it is reset`() {
        let harness = harness()
        harness.injectScore { _ in 0.01 }
        for step in 1...10 { decide(harness, at: start + Int64(step) * check) }
        harness.feed(.command(.baselineReset, time: start + 51 * .minute))
        #expect(decide(harness, at: start + .hour).history.baselineVersion == 1)
        harness.feed(.command(.baselineFreeze, time: start + .hour))
        harness.feed(.command(.request, time: start + .hour))
        let id = decide(harness, at: start + 2 * .hour).requestID!
        harness.succeed(id, time: start + 2 * .hour + .minute)
        #expect(decide(harness, at: start + 3 * .hour).history.baselineVersion == 1)
        harness.feed(.command(.baselineReset, time: start + 3 * .hour))
        #expect(decide(harness, at: start + 4 * .hour).history.baselineVersion == 2)
    }

    // MARK: Observe

    @Test func `Observe mode requests nothing, and respects the safeguards as if it had`() {
        let harness = harness { $0.mode = .observe }
        #expect(decide(harness, at: start).outcome == .trigger)
        let held = decide(harness, at: start + 6 * .hour - check)
        #expect(held.reason == .minimumInterval)
        #expect(held.history.openRequestID == nil)
        #expect(decide(harness, at: start + 6 * .hour).outcome == .trigger)
        #expect(decide(harness, at: start + 12 * .hour).outcome == .trigger)
        #expect(decide(harness, at: start + 18 * .hour).reason == .weeklyLimit)
        #expect(decide(harness, at: start + 7 * .day).outcome == .trigger)
        #expect(harness.effects.requests.isEmpty)
        #expect(harness.effects.alerts.filter { $0.kind == .trainingTriggered }.isEmpty)
    }

    @Test func `One model may be observed while the others act`() {
        let harness = harness { configuration in
            var own = ModelOverrides()
            own.mode = .observe
            configuration.models["n"] = own
        }
        for model in ["m", "n"] { harness.pulse(start, model: model) }
        #expect(harness.evaluate(start).decisions.map(\.outcome) == [.trigger, .trigger])
        #expect(harness.effects.requests.map(\.model) == ["m"])
    }

    // MARK: Reading again

    @Test func `Requests that were published are taken as they were: same id, nothing doubled, nothing new`() {
        let live = harness()
        decide(live, at: start)
        let id = live.effects.requests[0].requestID

        let again = harness()
        // What the live run held back must not become a request now.
        #expect(decide(again, at: start - check, published: []).outcome == .hold)
        let taken = decide(
            again, at: start, published: [PublishedRequest(model: "m", reason: .driftQuiet, requestID: id)])
        #expect(taken.outcome == .trigger)
        #expect(taken.requestID == id)
        #expect(decide(again, at: start + check, published: []).reason == .trainingInProgress)
        #expect(again.effects.requests.map(\.requestID) == [id])
        // Afterwards it decides for itself, with what it has learned.
        again.succeed(id, time: start + check)
        #expect(decide(again, at: start + 2 * check).reason == .minimumInterval)
        #expect(decide(again, at: start + 6 * .hour).outcome == .trigger)
    }

    @Test func `A published request that the engine would hold is a trigger all the same`() {
        let published = [PublishedRequest(model: "m", reason: .manual, requestID: "rt-x")]
        for mode in EngineConfiguration.Mode.allCases {
            let harness = harness { $0.mode = mode }
            harness.injectScore { _ in 0.01 }
            let taken = decide(harness, at: start, published: published)
            #expect(taken.outcome == .trigger)
            #expect(taken.reason == .manual)
            #expect(decide(harness, at: start + check).history.openRequestID == "rt-x")
        }
    }

    @Test func `A published request of a model that is not known makes it known`() {
        let harness = harness()
        harness.evaluate(start, published: [PublishedRequest(model: "x", reason: .manual, requestID: "rt-x")])
        harness.feed(.status("rt-x", .succeeded, time: start + 1))
        harness.evaluate(start + check)
        #expect(harness.effects.alerts.contains { $0.kind == .trainingSucceeded && $0.model == "x" })
    }

    // MARK: Ticks

    @Test func `A tick of the wall clock says that nothing comes in, and decides nothing`() {
        let harness = harness()
        decide(harness, at: start)
        let silence = harness.engine.configuration.safeguards.actualSilence
        let last = start - .minute
        var effects: [Effect] = []
        harness.engine.tick(wallClock: last + silence - 1, lastArrival: last, into: &effects)
        #expect(effects.isEmpty)
        harness.engine.tick(wallClock: last + silence, lastArrival: last, into: &effects)
        harness.engine.tick(wallClock: last + silence + .minute, lastArrival: last, into: &effects)
        #expect(effects.alerts.map(\.kind) == [.stalledInput])
        #expect(effects.decisions.isEmpty && effects.requests.isEmpty)
        harness.engine.tick(wallClock: last + silence + .day, lastArrival: last, into: &effects)
        #expect(effects.count == 2)
        decide(harness, at: start + check)
        #expect(harness.effects.alerts.contains { $0.kind == .stalledInput && $0.state == .resolved })
    }
}
