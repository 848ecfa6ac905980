import Testing

@testable import Retraining

/// Starts of many models are spread over the hour by the hash of their names.
@Suite struct TurnTests {
    private func starts(models: Int) -> [Milliseconds] {
        var configuration = EngineConfiguration.test
        configuration.quiet.rule = .adaptive
        configuration.safeguards.maximumOpenRequests = 10_000
        let harness = EngineHarness(configuration)
        let begin = monday + 12 * .hour
        harness.injectScore { $0 < begin ? 0.01 : 0.11 }
        // Always in the lowest quarter of the last days: every model may start at once.
        for hour in 0..<48 { harness.feed(.load(cpu: 20, time: begin - Int64(48 - hour) * .hour)) }
        var boundary = begin - 5 * .minute
        while boundary < begin + 2 * .hour {
            for model in 0..<models { harness.pulse(boundary, model: "model-\(model)") }
            harness.feed(.load(cpu: 20, time: boundary - .minute))
            harness.evaluate(boundary)
            boundary += 5 * .minute
        }
        return harness.effects.triggers.map { $0.evaluatedAt - begin }
    }

    @Test func `Of many models few start together, and each within the hour`() {
        let starts = starts(models: 120)
        #expect(starts.count == 120)
        #expect(starts.allSatisfy { $0 < .hour })
        let together = Dictionary(grouping: starts) { $0 }.mapValues(\.count)
        #expect(together.count == 12)
        #expect(together.values.max()! < 30)
    }

    @Test func `A single model starts at once`() { #expect(starts(models: 1) == [0]) }
}
