import Testing

@testable import Retraining

/// The default rule: the best window of the coming 24 h is planned, checked live at its start, and has a deadline.
@Suite struct AdaptiveQuietTests {
    private let noon = monday + 14 * .day + 12 * .hour

    /// 14 days of load every 15 minutes, and a score that asks for a training from noon on.
    private func harness(load: @escaping (Milliseconds) -> Double, score: Double = 0.11) -> EngineHarness {
        var configuration = EngineConfiguration.test
        configuration.quiet.rule = .adaptive
        configuration.drift.checkInterval = 15 * .minute
        let harness = EngineHarness(configuration)
        harness.injectScore { $0 < self.noon ? 0.01 : score }
        var time = noon - 14 * .day
        while time < noon - 15 * .minute {
            harness.feed(.load(cpu: load(time), time: time))
            time += 15 * .minute
        }
        return harness
    }

    private func run(_ harness: EngineHarness, hours: Int64, load: @escaping (Milliseconds) -> Double) {
        harness.run(from: noon - 15 * .minute, to: noon + hours * .hour, step: 15 * .minute) { boundary in
            let time = boundary - 15 * .minute
            harness.feed(.load(cpu: load(time), time: time))
        }
    }

    @Test func `A level of load that is never below the threshold does not block: the lowest hours are taken`() throws {
        // 40 % from midnight on, a percent more with every hour, 63 % at 23:00: never below 0.3.
        let load = { (time: Milliseconds) in 40 + Double((time % .day) / .hour) }
        let harness = harness(load: load)
        run(harness, hours: 30, load: load)
        let first = try #require(harness.effects.decisions.first { $0.evaluatedAt == noon })
        #expect(first.reason == .waitingForQuiet)
        // Midnight has the lowest mean of 1.5 h.
        #expect(first.load.plannedWindow?.from == noon + 12 * .hour)
        #expect(first.waitUntil == noon + 12 * .hour)
        let trigger = try #require(harness.effects.triggers.first)
        #expect(trigger.reason == .driftQuiet)
        #expect((noon + 12 * .hour...noon + 13 * .hour).contains(trigger.evaluatedAt))
        #expect(trigger.priority == .normal)
    }

    @Test func `Where no hour is anything but high, the deadline triggers`() throws {
        // 20 % for two weeks, then 80 % for good.
        let load = { (time: Milliseconds) in time < self.noon - .hour ? 20.0 : 80 }
        let harness = harness(load: load)
        run(harness, hours: 60, load: load)
        let trigger = try #require(harness.effects.triggers.first)
        #expect(trigger.reason == .quietDeadline)
        #expect(trigger.priority == .high)
        // The deadline is 24 h; in high load it may be stretched, but not beyond twice that.
        #expect((noon + 24 * .hour...noon + 48 * .hour).contains(trigger.evaluatedAt))
        let before = harness.effects.decisions.filter { $0.evaluatedAt >= noon && $0.evaluatedAt < trigger.evaluatedAt }
        #expect(before.allSatisfy { $0.reason == .waitingForQuiet })
    }

    @Test func `The deadline does not run while a safeguard holds`() throws {
        let load = { (time: Milliseconds) in time < self.noon - .hour ? 20.0 : 80 }
        let harness = harness(load: load)
        harness.feed(.command(.request, time: noon - 15 * .minute))
        harness.pulse(noon)
        let id = try #require(harness.decide(noon).requestID)
        harness.feed(.status(id, .started, time: noon + .minute))
        // The training takes 20 hours; the deadline counts from its end.
        var boundary = noon
        while boundary < noon + 40 * .hour {
            boundary += 15 * .minute
            harness.pulse(boundary)
            harness.feed(.load(cpu: 80, time: boundary - 15 * .minute))
            if boundary == noon + 20 * .hour {
                harness.feed(.status(id, .succeeded, version: "v1", time: boundary - .minute))
            }
            harness.evaluate(boundary)
        }
        let later = harness.effects.triggers.filter { $0.evaluatedAt > noon }
        #expect(later.isEmpty)
    }
}
