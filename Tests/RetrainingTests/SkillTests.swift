import Testing

@testable import Retraining

/// The error term of the calibrated score.
@Suite struct SkillTests {
    private func ratios(_ decision: Decision?) -> (slow: Double?, fast: Double?) {
        (decision?.signal?.floors?.skillRatio, decision?.signal?.floors?.fastRatio)
    }

    @Test(arguments: [1e300, -1e300, 1e12, .greatestFiniteMagnitude])
    func `One absurd forecast neither blinds nor triggers`(_ absurd: Double) throws {
        var calm = CalibratedStream()
        var hit = CalibratedStream()
        calm.run(hours: 24 * 21)
        hit.run(hours: 24 * 21)
        hit.step(forecast: { _ in absurd })
        calm.step()
        for _ in 0..<24 * 5 {
            calm.step()
            let decisions = hit.step().decisions
            #expect(decisions.allSatisfy { $0.outcome == .hold && $0.signal!.score < 0.10 })
        }
        // Five days later nothing is left of it, and it has taught the shadow forecaster nothing.
        let (expected, found) = (
            ratios(calm.harness.effects.decisions.last), ratios(hit.harness.effects.decisions.last)
        )
        #expect(close(found.slow, try #require(expected.slow), 0.05))
        #expect(close(found.fast, try #require(expected.fast), 0.05))
    }

    @Test func `One absurd actual leaves drift to be seen`() throws {
        var stream = CalibratedStream()
        stream.run(hours: 24 * 21)
        stream.step(level: { CalibratedStream.level($0) > 0 ? 1e300 : 0 }, forecast: CalibratedStream.level)
        stream.run(hours: 24 * 7)
        // The model forgets the day cycle.
        var triggered = false
        for _ in 0..<24 * 4 where !triggered {
            triggered = !stream.step(forecast: { _ in 30 }).requests.isEmpty
        }
        #expect(triggered)
    }

    @Test func `A model that is bad on its first day is no measure of itself`() {
        let constants = SkillConstants()
        var reference = GoodReference()
        for hour in 0..<24 { reference.note(2, hour: Int64(hour)) }
        #expect(close(reference.value(now: 24, by: constants), 1 + 24.0 / 168))
        for hour in 24..<168 { reference.note(2, hour: Int64(hour)) }
        #expect(close(reference.value(now: 168, by: constants), 2))
        // A model that is better than the shadow forecaster is one from the first hour on.
        var good = GoodReference()
        good.note(0.8, hour: 0)
        #expect(close(good.value(now: 0, by: constants), 0.8))
    }

    @Test func `A version on trial that is ahead is judged after two days`() throws {
        var stream = CalibratedStream()
        stream.run(hours: 24 * 21)
        stream.harness.feed(.command(.request, time: stream.now))
        let id = try #require(stream.step().requests.first?.requestID)
        stream.harness.succeed(id, version: "v2", time: stream.now)
        var counted: [Int64] = []
        for hour in 0..<Int64(70) {
            // Better than the old version, and far from what could be had.
            let decision = stream.step(
                version: "v2", shadow: "v1", shadowForecast: { CalibratedStream.level($0) + 20 },
                forecast: { CalibratedStream.level($0) + 12 }
            ).decisions.last
            if decision?.signal?.floors?.skillLimit != nil { counted.append(hour) }
        }
        let first = try #require(counted.first)
        #expect((48...50).contains(first))
    }
}
