import Testing

@testable import Retraining

/// PER, DSS, FDS, AR and the plain score against values worked out by hand. Source, section 2.2.
@Suite struct DriftFormulaTests {
    private let noon = monday + 12 * .hour
    private let check = 5 * Milliseconds.minute

    // MARK: PER

    private func error(_ pairs: [(predicted: Double, actual: Double, naive: Double)]) -> PredictionError {
        var error = PredictionError()
        for pair in pairs {
            error.add(
                ErrorSample(at: 0, predicted: pair.predicted, actual: pair.actual, naive: pair.naive, rank: 0))
        }
        return error
    }

    @Test func `The four measures, with a zero and a negative actual`() {
        let error = error([(110, 100, 90), (45, 50, 55), (0.5, 0, .nan), (-5, -10, -8)])
        #expect(error.pairs == 4)
        #expect(error.skipped == 2)
        // (10/100 + 5/50) / 2: zero and negative actuals are left out.
        #expect(close(error.mape, 0.1))
        // (10 + 5 + 0.5 + 5) / (100 + 50 + 0 + 10).
        #expect(close(error.wape, 20.5 / 160))
        // (20/210 + 10/95 + 1/0.5 + 10/15) / 4.
        #expect(close(error.smape, (20.0 / 210 + 10.0 / 95 + 2 + 10.0 / 15) / 4))
        // (10 + 5 + 5) / (10 + 5 + 2): the pair without a value before it is left out.
        #expect(close(error.mase, 20.0 / 17))
    }

    @Test func `An idle host has no MAPE, rather than one of 0 or infinity`() {
        let idle = error([(0, 0, 0), (0, 0, 0)])
        #expect(idle.mape == nil)
        #expect(idle.wape == nil)
        #expect(idle.smape == 0)
        #expect(idle.mase == nil)
        #expect(idle.skipped == 2)
        #expect(error([]).smape == nil)
    }

    @Test func `Perfect forecasts have error 0 by every measure`() {
        let perfect = error([(5, 5, 4), (7, 7, 5)])
        for measure in DriftConfiguration.ErrorMeasure.allCases { #expect(perfect.value(measure) == 0) }
    }

    @Test func `Sums that overflow give no value, never infinity`() {
        let huge = error([(1e308, -1e308, 0), (1e308, -1e308, 0), (1e308, 1e-308, 0)])
        for measure in DriftConfiguration.ErrorMeasure.allCases {
            #expect(huge.value(measure).map(\.isFinite) ?? true)
        }
    }

    @Test func `PER is the mean over metrics, by the selected measure, and all are reported`() throws {
        var configuration = EngineConfiguration.test
        configuration.drift.errorMeasure = .wape
        let harness = EngineHarness(configuration)
        // a: |90-100| and |30-50|; b: |3-1| and an actual of 0.
        harness.feed(.prediction(at: noon, ["a": 90, "b": 3], time: noon))
        harness.feed(.actual(at: noon, ["a": 100, "b": 1], time: noon))
        harness.feed(.prediction(at: noon + 1, ["a": 30, "b": 1], time: noon + 1))
        harness.feed(.actual(at: noon + 1, ["a": 50, "b": 0], time: noon + 1))
        let signal = try #require(harness.decide(noon + check).signal)
        // a: (0.1 + 0.4) / 2; b: 2 alone.
        #expect(close(signal.errors.mape, (0.25 + 2) / 2))
        // a: 30/150; b: 3/1.
        #expect(close(signal.errors.wape, (0.2 + 3) / 2))
        // a: (20/190 + 40/80) / 2; b: (4/4 + 2/1) / 2.
        #expect(close(signal.errors.smape, ((20.0 / 190 + 0.5) / 2 + 1.5) / 2))
        // The naive forecast of the second is the first actual: a: 20/50, b: 1/1.
        #expect(close(signal.errors.mase, (0.4 + 1) / 2))
        #expect(signal.errors.skippedPairs == 1)
        #expect(signal.terms.predictionError == signal.errors.wape)
        #expect(signal.errors.selected == signal.errors.wape)
        #expect(signal.accuracy == 0)
        #expect(signal.metrics.map(\.metric) == ["a", "b"])
        #expect(close(signal.metrics[0].error, 0.2))
    }

    @Test func `Accuracy is 1 - PER and never 1 - score`() {
        var signal = DriftSignal.of(0.5)
        signal.errors = .init(measure: .mape, mape: 0.07)
        #expect(close(signal.accuracy, 0.93))
        signal.errors.mape = 3
        #expect(signal.accuracy == 0)
        signal.errors.mape = nil
        #expect(signal.accuracy == nil)
    }

    // MARK: DSS and FDS

    /// A harness whose windows hold 10 values a metric, with a baseline of `first` and then `second` in the windows.
    private func shifted(_ first: [String: [Double]], _ second: [String: [Double]]) throws -> DriftSignal {
        var configuration = EngineConfiguration.test
        configuration.drift.windowSize = 10
        let harness = EngineHarness(configuration)
        func feed(_ values: [String: [Double]], from start: Milliseconds) {
            for (metric, series) in values.sorted(by: { $0.key < $1.key }) {
                for (index, value) in series.enumerated() {
                    let time = start + Int64(index) * 1000
                    harness.feed(.prediction(at: time, [metric: value], time: time))
                    harness.feed(.actual(at: time, [metric: value], time: time))
                }
            }
        }
        feed(first, from: noon)
        harness.feed(.command(.baselineReset, time: noon + 2 * .minute))
        let baseline = harness.decide(noon + check)
        #expect(baseline.history.baselineVersion == 1)
        #expect(baseline.signal?.terms.distributionShift == 0)
        #expect(baseline.signal?.terms.featureDrift == 0)
        feed(second, from: noon + check)
        return try #require(harness.decide(noon + 2 * check).signal)
    }

    @Test func `DSS is the mean of the KS statistics, FDS the largest shift in baseline deviations`() throws {
        let oneToTen = (1...10).map(Double.init)
        let signal = try shifted(
            ["a": oneToTen, "b": oneToTen], ["a": (6...15).map(Double.init), "b": oneToTen.reversed()])
        // a: between 5 and 6 half of the baseline and nothing of the window lies below: 0.5. b: the same values: 0.
        #expect(close(signal.metrics[0].statistic, 0.5))
        #expect(signal.metrics[1].statistic == 0)
        #expect(close(signal.terms.distributionShift, 0.25))
        // Mean 10.5 against 5.5; the deviation of 1...10 with ddof 1 is sqrt(82.5 / 9).
        #expect(close(signal.metrics[0].meanShift, 5 / (82.5 / 9).squareRoot(), 1e-9))
        #expect(signal.metrics[1].meanShift == 0)
        #expect(close(signal.terms.featureDrift, 5 / (82.5 / 9).squareRoot(), 1e-9))
        // scipy 1.17: ks_2samp(range(1, 11), range(6, 16)), and the same by counting lattice paths with fractions.
        #expect(close(signal.metrics[0].pValue, 0.16782134274394336, 1e-9))
        #expect(!signal.metrics[0].isDrifted)
        #expect(close(signal.metrics[1].pValue, 1))
    }

    @Test func `A shift of all values is significant after Benjamini–Hochberg`() throws {
        let oneToTen = (1...10).map(Double.init)
        let signal = try shifted(
            ["a": oneToTen, "b": oneToTen, "c": oneToTen],
            ["a": (101...110).map(Double.init), "b": oneToTen, "c": oneToTen])
        // Of the 184 756 orders of both samples two go as far: 2 / C(20, 10).
        #expect(close(signal.metrics[0].pValue, 2.0 / 184_756, 1e-12))
        #expect(signal.metrics.map(\.isDrifted) == [true, false, false])
    }

    @Test func `Constant metrics: equal is 0, changed is the cap, nothing is infinite`() throws {
        let signal = try shifted(
            ["same": Array(repeating: 7.3, count: 10), "changed": Array(repeating: 0, count: 10)],
            ["same": Array(repeating: 7.3, count: 10), "changed": Array(repeating: 1e-6, count: 10)])
        let changed = signal.metrics.first { $0.metric == "changed" }
        let same = signal.metrics.first { $0.metric == "same" }
        #expect(same?.meanShift == 0)
        #expect(same?.statistic == 0)
        #expect(changed?.meanShift == DriftScore.meanShiftCap)
        #expect(changed?.statistic == 1)
        #expect(signal.terms.featureDrift == DriftScore.meanShiftCap)
        #expect(signal.score.isFinite)
    }

    @Test func `A shift is capped, and absurd values stay finite`() {
        func shift(_ mean: Double, _ baseline: Double, _ deviation: Double) -> Double {
            DriftScore.meanShift(mean: mean, baselineMean: baseline, baselineDeviation: deviation)
        }
        #expect(close(shift(12, 10, 4), 0.5))
        #expect(close(shift(8, 10, 4), 0.5))
        #expect(shift(1e300, 10, 1e-300) == DriftScore.meanShiftCap)
        #expect(shift(.infinity, 10, 1) == DriftScore.meanShiftCap)
        #expect(shift(.nan, 10, 1) == DriftScore.meanShiftCap)
        #expect(shift(0, 0, 0) == 0)
        // The mean of a constant may be off by rounding.
        #expect(shift(0.1 + 0.2, 0.3, 0) == 0)
    }

    @Test func `Flat windows of large values do not drift by rounding`() throws {
        let signal = try shifted(
            ["a": Array(repeating: 1e15 + 0.3, count: 10)], ["a": Array(repeating: 1e15 + 0.3, count: 10)])
        #expect(signal.terms.featureDrift == 0)
        #expect(signal.score == 0)
    }

    // MARK: AR

    @Test func `AR is the share of predictions outside the expected range, whose bounds belong to it`() throws {
        var configuration = EngineConfiguration.test
        configuration.drift.expectedRanges = ["queue": .init(minimum: 0)]
        let harness = EngineHarness(configuration)
        let values: [Double] = [0, 100, 100.0001, -0.0001, 50, 60, 70, 80]
        for (index, value) in values.enumerated() {
            let time = noon + Int64(index)
            // A metric without a range is never anomalous; the source divides by all predictions.
            harness.feed(.prediction(at: time, ["cpu_pct": value, "free": -1e9], time: time))
        }
        harness.feed(.prediction(entity: "q", at: noon, ["queue": 1e12], time: noon + 9))
        harness.feed(.prediction(entity: "q", at: noon + 1, ["queue": -1], time: noon + 10))
        let signal = try #require(harness.decide(noon + check).signal)
        // cpu_pct calls itself a percentage: 2 of 8; free: none of 8; queue is open above: 1 of 2.
        #expect(signal.predictions == 18)
        #expect(close(signal.terms.anomalyRate, 3.0 / 18))
    }

    @Test func `AR looks at the last so many predictions`() {
        var window = AnomalyWindow(capacity: 4)
        #expect(window.rate == 0)
        for isAnomalous in [true, true, false, false] { window.add(isAnomalous: isAnomalous) }
        #expect(window.rate == 0.5)
        window.add(isAnomalous: false)
        #expect(window.rate == 0.25)
        window.add(isAnomalous: false)
        #expect(window.rate == 0)
        window.add(isAnomalous: true)
        #expect(window.count == 4)
        #expect(window.rate == 0.25)
    }

    // MARK: The sum

    @Test func `The plain score is 0.40 PER + 0.30 DSS + 0.20 FDS + 0.10 AR`() throws {
        let terms = DriftSignal.Terms(
            predictionError: 0.1, distributionShift: 0.2, featureDrift: 0.3, anomalyRate: 0.4)
        // 0.04 + 0.06 + 0.06 + 0.04.
        #expect(close(terms.score(DriftConfiguration.Weights()), 0.2))

        let oneToTen = (1...10).map(Double.init)
        let signal = try shifted(["a": oneToTen], ["a": (6...15).map(Double.init)])
        #expect(close(signal.score, 0.3 * 0.5 + 0.2 * 5 / (82.5 / 9).squareRoot(), 1e-9))
        #expect(signal.plainScore == signal.score)
        #expect(signal.plain == signal.terms)
    }

    @Test func `Without a baseline DSS and FDS are 0 and plain scoring decides nothing`() {
        let harness = EngineHarness()
        harness.injectLoad { _ in 0.1 }
        for index in 0..<200 {
            let time = noon + Int64(index) * 1000
            harness.feed(.prediction(at: time, ["a": 200], time: time))
            harness.feed(.actual(at: time, ["a": 100], time: time))
        }
        let decision = harness.decide(noon + check)
        #expect(decision.reason == .noBaseline)
        #expect(close(decision.signal?.score, 0.4))
        #expect(decision.signal?.metrics.allSatisfy { $0.statistic == nil && $0.pValue == nil } == true)
    }

    @Test func `Too few pairs decide nothing`() {
        var configuration = EngineConfiguration.test
        configuration.drift.windowSize = 1000
        let harness = EngineHarness(configuration)
        harness.injectLoad { _ in 0.1 }
        func feed(_ range: Range<Int64>) {
            for index in range {
                let time = noon + index * 100
                harness.feed(.prediction(at: time, ["a": 200], time: time))
                harness.feed(.actual(at: time, ["a": 100], time: time))
            }
        }
        feed(0..<99)
        harness.feed(.command(.baselineReset, time: noon))
        #expect(harness.decide(noon + check).reason == .insufficientData)
        feed(99..<100)
        #expect(harness.decide(noon + 2 * check).reason == .driftQuiet)
    }
}
