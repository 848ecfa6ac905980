import Testing

@testable import Retraining

/// Thresholds of score, load and recommendation: just below, at and just above. A boundary itself belongs below,
/// since the source design asks `>` for scores and `<` for the load.
@Suite struct ThresholdTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var value: Double
        var reason: Reason
        var testDescription: String { "\(value) → \(reason.rawValue)" }
    }

    /// One evaluation with this score and load, 10 minutes after the first prediction.
    private func decide(score: Double, load: Double, _ configure: (inout EngineConfiguration) -> Void = { _ in })
        -> Decision
    {
        var configuration = EngineConfiguration.test
        configure(&configuration)
        let harness = EngineHarness(configuration)
        harness.injectScore { _ in score }
        harness.injectLoad { _ in load }
        harness.pulse(monday + 12 * .hour)
        return harness.decide(monday + 12 * .hour)
    }

    @Test(
        "Critical: a score above 0.10 is worth a training",
        arguments: [
            Case(value: 0.0999, reason: .noDrift), Case(value: 0.10.nextDown, reason: .noDrift),
            Case(value: 0.10, reason: .noDrift), Case(value: 0.10.nextUp, reason: .driftQuiet),
            Case(value: 0.1001, reason: .driftQuiet),
        ])
    func critical(_ example: Case) {
        #expect(decide(score: example.value, load: 0.1).reason == example.reason)
    }

    @Test(arguments: [
        (0.0799, DriftSignal.Recommendation.healthy), (0.08, .healthy), (0.08.nextUp, .monitor), (0.0801, .monitor),
        (0.10, .monitor), (0.10.nextUp, .retrain),
    ])
    func `Recommendations change above 0.08 and above 0.10`(score: Double, expected: DriftSignal.Recommendation) {
        #expect(DriftScore.recommendation(score, critical: 0.10, warning: 0.08).recommendation == expected)
    }

    @Test func `Confidence is the source's, at every threshold`() {
        func confidence(_ score: Double) -> Double {
            DriftScore.recommendation(score, critical: 0.10, warning: 0.08).confidence
        }
        // healthy 1 - s/0.08, monitor s/0.10, retrain min(1, s/0.15); by hand.
        #expect(close(confidence(0), 1))
        #expect(close(confidence(0.02), 0.75))
        #expect(close(confidence(0.08), 0))
        #expect(close(confidence(0.09), 0.9))
        #expect(close(confidence(0.10), 1))
        #expect(close(confidence(0.12), 0.8))
        #expect(close(confidence(0.15), 1))
        #expect(close(confidence(7), 1))
    }

    @Test(
        "Breach: above 0.12 the load no longer matters, once there is no window",
        arguments: [
            Case(value: 0.1199, reason: .noWindow), Case(value: 0.12.nextDown, reason: .noWindow),
            Case(value: 0.12, reason: .noWindow), Case(value: 0.12.nextUp, reason: .slaBreach),
            Case(value: 0.1201, reason: .slaBreach),
        ])
    func breach(_ example: Case) {
        // No hour of the day is quiet, so that there is never a window.
        let decision = decide(score: example.value, load: 0.9) { $0.quiet.fallbackHours = 0..<0 }
        #expect(decision.reason == example.reason)
        #expect(decision.priority == (example.reason == .slaBreach ? .critical : .normal))
        #expect(close(decision.confidence, min(1, example.value / 0.15)))
    }

    @Test(
        "Quiet: a load below 0.3",
        arguments: [
            Case(value: 0.2999, reason: .driftQuiet), Case(value: 0.3.nextDown, reason: .driftQuiet),
            Case(value: 0.3, reason: .waitingForQuiet), Case(value: 0.3.nextUp, reason: .waitingForQuiet),
            Case(value: 0.3001, reason: .waitingForQuiet),
        ])
    func quiet(_ example: Case) {
        let decision = decide(score: 0.11, load: example.value)
        #expect(decision.reason == example.reason)
        #expect(decision.load.isQuiet == (example.reason == .driftQuiet))
    }

    @Test func `Thresholds of one model override the general ones`() {
        let decision = decide(score: 0.15, load: 0.1) { configuration in
            var own = ModelOverrides()
            own.criticalThreshold = 0.2
            configuration.models["m"] = own
        }
        // The injected signal has the general recommendation; the model's own threshold is what the check shows.
        #expect(decision.checks.first { $0.reason == .noDrift }?.limit == 0.2)
    }

    @Test func `Confidence of no_drift is 1 - score, within 0 and 1`() {
        #expect(close(decide(score: 0.03, load: 0.1).confidence, 0.97))
        #expect(decide(score: -0.5, load: 0.1).confidence == 1)
    }
}
