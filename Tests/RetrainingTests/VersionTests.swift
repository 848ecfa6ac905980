import Testing

@testable import Retraining

/// Error windows hold pairs of the version in service only. A version serves from its first non-shadow prediction.
@Suite struct VersionTests {
    private let noon = monday + 12 * .hour
    private let check = 5 * Milliseconds.minute

    /// One forecast and its actual of 100, issued when they arrive.
    private func pair(
        _ harness: EngineHarness, _ version: String, _ value: Double, time: Milliseconds, isShadow: Bool = false,
        entity: String = "srv-1"
    ) {
        harness.feed(
            .prediction(version: version, entity: entity, at: time, isShadow: isShadow, ["a": value], time: time))
        harness.feed(.actual(entity: entity, at: time, ["a": 100], time: time))
    }

    @Test func `A new version empties the error windows and fills them with its own pairs`() {
        let harness = EngineHarness()
        for minute in 0..<4 { pair(harness, "v1", 50, time: noon + Int64(minute) * .minute) }
        let before = harness.decide(noon + check)
        #expect(before.modelVersion == "v1")
        #expect(before.signal?.pairs == 4)
        #expect(close(before.signal?.errors.mape, 0.5))

        pair(harness, "v2", 90, time: noon + check)
        let after = harness.decide(noon + 2 * check)
        #expect(after.modelVersion == "v2")
        #expect(after.signal?.pairs == 1)
        #expect(close(after.signal?.errors.mape, 0.1))
        // The distribution of the actuals is the machines' and not the model's.
        #expect(after.signal?.actuals == 5)
    }

    @Test func `Old forecasts whose actuals come after the switch do not count`() {
        let harness = EngineHarness()
        harness.feed(.prediction(version: "v1", at: noon + 10 * .minute, ["a": 50], time: noon))
        harness.evaluate(noon + check)
        harness.feed(.prediction(version: "v2", at: noon + 10 * .minute, ["a": 90], time: noon + check))
        harness.feed(.actual(at: noon + 10 * .minute, ["a": 100], time: noon + 10 * .minute))
        let signal = harness.decide(noon + 3 * check).signal
        #expect(signal?.pairs == 1)
        #expect(close(signal?.errors.mape, 0.1))
    }

    @Test func `Shadow predictions neither serve nor enter the windows`() {
        let harness = EngineHarness()
        pair(harness, "v1", 90, time: noon)
        pair(harness, "v2", 10, time: noon + 1, isShadow: true)
        harness.feed(.prediction(version: "v2", at: noon + 2, isShadow: true, ["cpu_pct": 900], time: noon + 2))
        let decision = harness.decide(noon + check)
        #expect(decision.modelVersion == "v1")
        #expect(decision.signal?.pairs == 1)
        #expect(close(decision.signal?.errors.mape, 0.1))
        #expect(decision.signal?.terms.anomalyRate == 0)
    }

    @Test func `The same version as a shadow stays out as well`() {
        let harness = EngineHarness()
        pair(harness, "v1", 90, time: noon)
        harness.feed(.prediction(version: "v1", at: noon, issuedAt: noon, isShadow: true, ["a": 10], time: noon))
        #expect(harness.decide(noon + check).signal?.pairs == 1)
    }

    @Test func `Stragglers of a replaced version do not flip the service`() {
        let harness = EngineHarness()
        for minute in 0..<3 { pair(harness, "v1", 50, time: noon + Int64(minute) * .minute) }
        pair(harness, "v2", 90, time: noon + 3 * .minute)
        harness.evaluate(noon + check)
        // An instance that was not told yet goes on for a while, in turn with the new one.
        for minute in 6..<16 {
            let time = noon + Int64(minute) * .minute
            pair(harness, "v1", 50, time: time, entity: "srv-2")
            pair(harness, "v2", 90, time: time + 1000, entity: "srv-1")
        }
        let decision = harness.decide(noon + 4 * check)
        #expect(decision.modelVersion == "v2")
        #expect(decision.signal?.pairs == 11)
        #expect(close(decision.signal?.errors.mape, 0.1))
    }

    @Test func `Stragglers do not enter the anomaly window`() {
        let harness = EngineHarness()
        harness.feed(.prediction(version: "v1", at: noon, ["cpu_pct": 50], time: noon))
        harness.feed(.prediction(version: "v2", at: noon, ["cpu_pct": 50], time: noon + 1))
        harness.feed(.prediction(version: "v1", at: noon, issuedAt: noon, ["cpu_pct": 500], time: noon + 2))
        #expect(harness.decide(noon + check).signal?.terms.anomalyRate == 0)
    }

    @Test func `A roll-back returns to the old version once it has spoken twice alone`() {
        let harness = EngineHarness()
        pair(harness, "v1", 80, time: noon)
        pair(harness, "v2", 50, time: noon + .minute)
        #expect(harness.decide(noon + check).modelVersion == "v2")
        pair(harness, "v1", 80, time: noon + check)
        #expect(harness.decide(noon + 2 * check).modelVersion == "v2")
        pair(harness, "v1", 80, time: noon + 2 * check)
        pair(harness, "v1", 80, time: noon + 2 * check + .minute)
        let back = harness.decide(noon + 3 * check)
        #expect(back.modelVersion == "v1")
        #expect(close(back.signal?.errors.mape, 0.2))
        // And v2 is a straggler now.
        pair(harness, "v2", 50, time: noon + 3 * check)
        #expect(harness.decide(noon + 4 * check).modelVersion == "v1")
    }

    @Test func `An unnamed version is a straggler too, once a named one has come`() {
        let harness = EngineHarness()
        pair(harness, "", 50, time: noon)
        #expect(harness.decide(noon + check).modelVersion == nil)
        pair(harness, "v2", 90, time: noon + check)
        pair(harness, "", 50, time: noon + check + .minute)
        pair(harness, "v2", 90, time: noon + check + 2 * .minute)
        let decision = harness.decide(noon + 2 * check)
        #expect(decision.modelVersion == "v2")
        #expect(decision.signal?.pairs == 2)
        #expect(close(decision.signal?.errors.mape, 0.1))
    }

    @Test func `Without version names a succeeded training begins new windows`() {
        let harness = EngineHarness()
        pair(harness, "", 50, time: noon)
        // A forecast of the old version whose actual comes after the training.
        harness.feed(.prediction(version: "", at: noon + 10 * .minute, ["a": 50], time: noon + 1))
        harness.feed(.command(.request, time: noon + 2))
        let request = harness.decide(noon + check)
        #expect(request.reason == .manual)
        harness.succeed(request.requestID!, time: noon + check + .minute)
        #expect(harness.decide(noon + 2 * check).signal?.pairs == 0)
        harness.feed(.actual(at: noon + 10 * .minute, ["a": 100], time: noon + 10 * .minute))
        pair(harness, "", 90, time: noon + 11 * .minute)
        let signal = harness.decide(noon + 3 * check).signal
        #expect(signal?.pairs == 1)
        #expect(close(signal?.errors.mape, 0.1))
    }

    @Test func `The old version's anomalies do not count against the new one`() {
        let harness = EngineHarness()
        for minute in 0..<4 {
            let time = noon + Int64(minute) * .minute
            harness.feed(.prediction(version: "v1", at: time, ["cpu_pct": 500], time: time))
        }
        #expect(harness.decide(noon + check).signal?.terms.anomalyRate == 1)
        harness.feed(.prediction(version: "v2", at: noon + check, ["cpu_pct": 50], time: noon + check))
        #expect(harness.decide(noon + 2 * check).signal?.terms.anomalyRate == 0)
    }
}
