import Testing

@testable import Retraining

/// One record with an absurd time must not cost a model its past, its version or the worker its life.
@Suite struct HostileTimeTests {
    private let noon = monday + 12 * .hour

    @Test func `What happened cannot lie ahead`() {
        let harness = EngineHarness()
        #expect(harness.feed(.actual(at: noon + .hour, ["a": 1], time: noon)) == nil)
        #expect(harness.feed(.actual(at: noon + .hour + 1, ["a": 1], time: noon)) == .beyondHorizon)
    }

    @Test func `A forecast cannot have been issued later than it came, nor long before what it is for`() {
        let harness = EngineHarness()
        func feed(issuedAt: Milliseconds) -> EngineRejection? {
            harness.feed(.prediction(at: noon, issuedAt: issuedAt, ["a": 1], time: noon))
        }
        #expect(feed(issuedAt: noon + .hour) == nil)
        #expect(feed(issuedAt: noon + .hour + 1) == .beyondHorizon)
        let oldest = noon - harness.engine.configuration.join.maximumHorizon - .day
        #expect(feed(issuedAt: oldest) == nil)
        #expect(feed(issuedAt: oldest - 1) == .beyondHorizon)
    }

    @Test func `Forecasts of one moment are bounded`() {
        let harness = EngineHarness()
        for index in 0..<2_000 {
            #expect(harness.feed(.prediction(at: noon, issuedAt: noon - Int64(index), ["a": 1], time: noon)) == nil)
        }
        harness.evaluate(noon + 5 * .minute)
        #expect(harness.engine.retainedHalves == Int(JoinTable.predictionsPerCell))
        #expect(harness.engine.counters.evictedHalves == UInt64(2_000 - JoinTable.predictionsPerCell))
    }

    @Test func `A series that speaks a thousand times an hour still has a last value for a forecast of an hour ago`() {
        var history = SeriesHistory()
        for index in 0..<3_000 { history.add(Double(index), at: noon + Int64(index) * 3_600) }
        let now = noon + 3_000 * 3_600
        let value = history.last(at: now - .hour)
        let exact = Double((now - .hour - noon) / 3_600)
        #expect(value.map { $0 <= exact && $0 >= exact - 90 } ?? false, "known then, and at most five minutes old")
    }
}

/// Statuses and requests whose order in a history that is read again is not the order of the live run.
@Suite struct ReadAgainTests {
    private let noon = monday + 12 * .hour

    @Test func `A status that comes before its request is applied when the request is known`() {
        let harness = EngineHarness()
        harness.feed(.status("rt-x", .succeeded, time: noon - .hour))
        harness.feed(.prediction("m", at: noon, ["a": 1], time: noon - .hour))
        harness.evaluate(noon - 30 * .minute)
        harness.evaluate(noon, published: [PublishedRequest(model: "m", reason: .driftQuiet, requestID: "rt-x")])
        harness.feed(.prediction("m", at: noon + .hour, ["a": 1], time: noon))
        let decision = harness.evaluate(noon + 5 * .minute).decisions.last
        #expect(decision?.history.openRequestID == nil)
        #expect(decision?.history.isAssumed == false)
        #expect(decision?.history.trainingsInWeek == 1)
    }

    @Test func `Reading a long history makes no refresh due at once`() {
        let harness = EngineHarness()
        harness.feed(.prediction("m", at: noon, ["a": 1], time: noon))
        harness.engine.evaluateQuietly(at: noon + 5 * .minute, wallClock: noon + 40 * .day)
        let late = noon + 31 * .day
        harness.feed(.prediction("m", at: late, ["a": 1], time: late))
        harness.engine.evaluateQuietly(at: late, wallClock: noon + 40 * .day)
        harness.feed(.prediction("m", at: late + .hour, ["a": 1], time: late + 5 * .minute))
        let decisions = harness.engine.evaluateQuietly(at: late + 5 * .minute, wallClock: late + 6 * .minute)
        #expect(decisions.allSatisfy { $0.reason != .forcedRefresh })
    }
}

extension Engine {
    @discardableResult
    fileprivate func evaluateQuietly(at boundary: Milliseconds, wallClock: Milliseconds) -> [Decision] {
        var effects: [Effect] = []
        evaluate(at: boundary, wallClock: wallClock, into: &effects)
        return effects.decisions
    }
}
