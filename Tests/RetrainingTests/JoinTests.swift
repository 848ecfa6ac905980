import Testing

@testable import Retraining

/// Predictions meet actuals: whichever comes first, once, in time, and for the version in service only.
@Suite struct JoinTests {
    private let noon = monday + 12 * .hour
    private let check = 5 * Milliseconds.minute

    private func harness(_ configure: (inout EngineConfiguration) -> Void = { _ in }) -> EngineHarness {
        var configuration = EngineConfiguration.test
        configure(&configuration)
        return EngineHarness(configuration)
    }

    // MARK: Meeting

    @Test(arguments: [true, false], [true, false])
    func `Either side may come first, in one interval or in two`(predictionFirst: Bool, sameInterval: Bool) {
        let harness = harness()
        let prediction = StreamRecord.prediction(at: noon, ["a": 90], time: noon)
        let actual = StreamRecord.actual(at: noon, ["a": 100], time: noon + .minute)
        // The later one carries the later time, so that merge time does not bring them back into order.
        let other = StreamRecord.prediction(at: noon, ["a": 90], time: noon + 2 * .minute)
        harness.feed(.prediction(entity: "x", at: noon, ["a": 1], time: noon))
        harness.feed(predictionFirst ? prediction : actual)
        if !sameInterval { harness.evaluate(noon + check) }
        harness.feed(predictionFirst ? actual : other)
        let signal = harness.decide(noon + 2 * check).signal
        #expect(signal?.pairs == 1)
        #expect(close(signal?.errors.mape, 0.1))
        #expect(harness.engine.counters.pairs == 1)
    }

    @Test func `One actual meets the predictions of all horizons`() {
        let harness = harness()
        for (hours, value) in [(Int64(1), 90.0), (6, 80), (24, 70)] {
            harness.feed(.prediction(at: noon, issuedAt: noon - hours * .hour, ["a": value], time: noon))
        }
        harness.feed(.actual(at: noon, ["a": 100], time: noon))
        let signal = harness.decide(noon + check).signal
        #expect(signal?.pairs == 3)
        #expect(signal?.actuals == 1)
        // (0.1 + 0.2 + 0.3) / 3.
        #expect(close(signal?.errors.mape, 0.2))
    }

    @Test func `A record without issue time was issued at its merge time`() {
        let harness = harness()
        // Two records for one time, apart by a minute: two forecasts, not one and a duplicate.
        harness.feed(.prediction(at: noon, ["a": 90], time: noon - .minute))
        harness.feed(.prediction(at: noon, ["a": 80], time: noon))
        harness.feed(.actual(at: noon, ["a": 100], time: noon))
        let signal = harness.decide(noon + check).signal
        #expect(signal?.pairs == 2)
        #expect(harness.engine.counters.duplicatePredictions == 0)
    }

    @Test func `Metrics of one record meet one by one`() {
        let harness = harness()
        harness.feed(.prediction(at: noon, ["a": 90, "b": 10], time: noon))
        harness.feed(.actual(at: noon, ["b": 10, "c": 5], time: noon))
        harness.feed(.actual(at: noon, ["a": 100], time: noon))
        let signal = harness.decide(noon + check).signal
        #expect(signal?.pairs == 2)
        #expect(harness.engine.counters.duplicateActuals == 0)
    }

    // MARK: Actuals without a model

    @Test func `An actual without a model serves every model that predicts its entity, and no other`() {
        let harness = harness()
        for model in ["one", "two"] {
            harness.feed(.prediction(model, entity: "srv-1", at: noon, ["a": 90], time: noon))
        }
        harness.feed(.prediction("three", entity: "srv-2", at: noon, ["a": 90], time: noon))
        harness.feed(.actual("", entity: "srv-1", at: noon, ["a": 100], time: noon + .minute))
        let decisions = harness.evaluate(noon + check).decisions
        #expect(decisions.map(\.model) == ["one", "three", "two"])
        #expect(decisions.map { $0.signal?.pairs } == [1, 0, 1])
    }

    @Test func `A model that predicts the entity later still meets an earlier actual`() {
        let harness = harness()
        harness.feed(.prediction("early", at: noon, ["a": 90], time: noon))
        harness.feed(.actual("", at: noon, ["a": 100], time: noon + .minute))
        harness.evaluate(noon + check)
        harness.feed(.prediction("late", at: noon, ["a": 80], time: noon + check + .minute))
        let decisions = harness.evaluate(noon + 2 * check).decisions
        #expect(decisions.map(\.model) == ["early", "late"])
        #expect(decisions.map { $0.signal?.pairs } == [1, 1])
        #expect(close(decisions[1].signal?.errors.mape, 0.2))
    }

    @Test func `Of two actuals without a model the first wins, for later models too`() {
        let harness = harness()
        harness.feed(.actual("", at: noon, ["a": 100], time: noon))
        harness.feed(.actual("", at: noon, ["a": 50], time: noon + 1))
        harness.feed(.prediction(at: noon, ["a": 90], time: noon + .minute))
        #expect(close(harness.decide(noon + check).signal?.errors.mape, 0.1))
    }

    @Test func `With a default model, records that name none are its own`() {
        let harness = harness { $0.defaultModel = "only" }
        harness.feed(.prediction("", at: noon, ["a": 90], time: noon))
        harness.feed(.actual("", at: noon, ["a": 100], time: noon))
        let decisions = harness.evaluate(noon + check).decisions
        #expect(decisions.map(\.model) == ["only"])
        #expect(decisions[0].signal?.pairs == 1)
    }

    // MARK: Duplicates

    @Test func `The first prediction of an identity wins, and the second is counted`() {
        let harness = harness()
        for value in [90.0, 50] {
            harness.feed(.prediction(at: noon, issuedAt: noon - .hour, ["a": value], time: noon))
        }
        harness.feed(.actual(at: noon, ["a": 100], time: noon))
        let signal = harness.decide(noon + check).signal
        #expect(signal?.pairs == 1)
        #expect(close(signal?.errors.mape, 0.1))
        #expect(harness.engine.counters.duplicatePredictions == 1)
    }

    @Test func `A duplicate that comes after the pair adds nothing`() {
        let harness = harness()
        let prediction = StreamRecord.prediction(at: noon, issuedAt: noon - .hour, ["a": 90], time: noon)
        harness.feed(prediction)
        harness.feed(.actual(at: noon, ["a": 100], time: noon))
        harness.evaluate(noon + check)
        harness.feed(prediction)
        harness.feed(.actual(at: noon, ["a": 100], time: noon))
        let signal = harness.decide(noon + 2 * check).signal
        #expect(signal?.pairs == 1)
        #expect(signal?.actuals == 1)
        #expect(harness.engine.counters.duplicatePredictions == 1)
        #expect(harness.engine.counters.duplicateActuals == 1)
    }

    @Test func `The first actual wins`() {
        let harness = harness()
        harness.feed(.prediction(at: noon, ["a": 90], time: noon))
        harness.feed(.actual(at: noon, ["a": 100], time: noon))
        harness.feed(.actual(at: noon, ["a": 50], time: noon))
        let signal = harness.decide(noon + check).signal
        #expect(close(signal?.errors.mape, 0.1))
        #expect(signal?.actuals == 1)
        #expect(harness.engine.counters.duplicateActuals == 1)
    }

    @Test func `Another entity, time, metric, version or issue time is another identity`() {
        let harness = harness()
        let first = noon - .hour
        harness.feed(.prediction(at: noon, issuedAt: first, ["a": 1], time: noon))
        harness.feed(.prediction(entity: "srv-2", at: noon, issuedAt: first, ["a": 1], time: noon))
        harness.feed(.prediction(at: noon + 1, issuedAt: first, ["a": 1], time: noon))
        harness.feed(.prediction(at: noon, issuedAt: first, ["b": 1], time: noon))
        harness.feed(.prediction(version: "v2", at: noon, issuedAt: first, ["a": 1], time: noon))
        harness.feed(.prediction(at: noon, issuedAt: first + 1, ["a": 1], time: noon))
        harness.evaluate(noon + check)
        #expect(harness.engine.counters.duplicatePredictions == 0)
    }

    @Test func `A duplicate counts once in the anomaly window`() {
        let harness = harness()
        for value in [150.0, 150, 150] {
            harness.feed(.prediction(at: noon, issuedAt: noon - .hour, ["cpu_pct": value], time: noon))
        }
        harness.feed(.prediction(at: noon, issuedAt: noon, ["cpu_pct": 50], time: noon))
        let signal = harness.decide(noon + check).signal
        // Two forecasts, one of them above 100 %.
        #expect(signal?.predictions == 2)
        #expect(signal?.terms.anomalyRate == 0.5)
    }

    // MARK: Late and unmatched

    @Test func `A half waits until stream time passes its time plus the allowed lateness`() {
        let harness = harness()
        let lateness = harness.engine.configuration.join.allowedLateness
        harness.feed(.prediction(at: noon, ["a": 90], time: noon))
        // The last boundary that lets it wait.
        harness.evaluate(noon + lateness)
        harness.feed(.actual(at: noon, ["a": 100], time: noon + lateness))
        #expect(harness.decide(noon + lateness + check).signal?.pairs == 1)

        let late = self.harness()
        late.feed(.prediction(at: noon, ["a": 90], time: noon))
        late.evaluate(noon + lateness + check)
        late.feed(.actual(at: noon, ["a": 100], time: noon + lateness + check))
        #expect(late.decide(noon + lateness + 2 * check).signal?.pairs == 0)
        #expect(late.engine.counters.lateActuals == 1)
    }

    @Test func `A late prediction is counted and pairs with nothing, but shows that the model lives`() {
        let harness = harness()
        harness.evaluate(noon)
        harness.feed(.prediction(at: noon - .day, ["a": 90], time: noon))
        harness.feed(.actual(at: noon - .day, ["a": 100], time: noon))
        let decision = harness.decide(noon + check)
        #expect(harness.engine.counters.latePredictions == 1)
        #expect(harness.engine.counters.lateActuals == 1)
        #expect(harness.engine.counters.pairs == 0)
        #expect(decision.reason != .noPredictions)
        #expect(harness.engine.retainedHalves == 0)
    }

    @Test func `Halves that never meet are let go and counted`() {
        let harness = harness()
        harness.feed(.prediction(entity: "srv-1", at: noon, ["a": 90], time: noon))
        harness.feed(.actual(entity: "srv-2", at: noon, ["a": 90], time: noon))
        harness.feed(.prediction(entity: "srv-3", at: noon, ["a": 90], time: noon))
        harness.feed(.actual(entity: "srv-3", at: noon, ["a": 90], time: noon))
        harness.evaluate(noon + check)
        #expect(harness.engine.retainedHalves == 4)
        harness.evaluate(noon + 4 * .hour)
        #expect(harness.engine.retainedHalves == 0)
        #expect(harness.engine.counters.unmatchedPredictions == 1)
        #expect(harness.engine.counters.unmatchedActuals == 1)
    }

    @Test func `The number of halves is bounded: the oldest hours leave first`() {
        let harness = harness { $0.limits.retainedHalves = 100 }
        // 12 hours of 20 predictions each, all for the future.
        for hour in 0..<Int64(12) {
            for entity in 0..<20 {
                harness.feed(.prediction(entity: "srv-\(entity)", at: noon + hour * .hour, ["a": 90], time: noon))
            }
        }
        harness.evaluate(noon + check)
        #expect(harness.engine.retainedHalves == 100)
        #expect(harness.engine.counters.evictedHalves == 140)
        // The last hour is still there to be met, the first is not.
        harness.feed(.actual(entity: "srv-0", at: noon + 11 * .hour, ["a": 100], time: noon + 2 * check))
        harness.feed(.actual(entity: "srv-0", at: noon, ["a": 100], time: noon + 2 * check))
        #expect(harness.decide(noon + 2 * check).signal?.pairs == 1)
    }

    @Test func `What lies too far ahead is refused`() {
        let harness = harness()
        let horizon = harness.engine.configuration.join.maximumHorizon
        #expect(harness.feed(.prediction(at: noon + horizon, ["a": 1], time: noon)) == nil)
        #expect(harness.feed(.prediction(at: noon + horizon + 1, ["a": 1], time: noon)) == .beyondHorizon)
        #expect(harness.feed(.actual(at: noon + horizon + 1, ["a": 1], time: noon)) == .beyondHorizon)
        #expect(harness.feed(.load(cpu: 1, time: noon, at: noon + horizon + 1)) == .beyondHorizon)
        #expect(harness.engine.counters.predictions == 1)
    }
}
