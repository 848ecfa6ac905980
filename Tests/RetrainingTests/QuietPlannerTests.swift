import Testing

@testable import Retraining

/// The next quiet window and the best one, over forecasts made by hand: 15-minute steps, 24 h ahead.
@Suite struct QuietPlannerTests {
    private let now = monday + 12 * .hour
    /// 24 h in steps of 15 minutes, and what the minimum duration of 1.5 h needs beyond.
    private let horizon = 96
    private let minimum = 6

    private func planner(_ configure: (inout QuietConfiguration) -> Void = { _ in }) -> QuietPlanner {
        var configuration = QuietConfiguration()
        configure(&configuration)
        return QuietPlanner(configuration: configuration)
    }

    /// An outlook that is busy save in these steps.
    private func outlook(quiet: Range<Int>..., barred: Range<Int> = 0..<0) -> QuietPlanner.Outlook {
        let count = horizon + minimum
        return QuietPlanner.Outlook(
            start: now, scores: (0..<count).map { step in quiet.contains { $0.contains(step) } ? 0.2 : 0.5 },
            isBarred: (0..<count).map { barred.contains($0) }, hasHistory: true)
    }

    private func time(_ step: Int) -> Milliseconds { now + Int64(step) * 15 * .minute }

    // MARK: The next window

    @Test(arguments: [(5, false), (6, true), (7, true)])
    func `A window lasts 1.5 h at least: 6 steps`(steps: Int, isFound: Bool) {
        let window = planner().nextWindow(outlook(quiet: 20..<20 + steps))
        #expect((window != nil) == isFound)
        guard isFound else { return }
        #expect(window?.from == time(20))
        #expect(window?.to == time(20 + steps))
        #expect(close(window?.expectedLoad, 0.2))
    }

    @Test func `The soonest window that is long enough is taken, even where a later one is longer`() {
        let window = planner().nextWindow(outlook(quiet: 2..<7, 10..<16, 30..<60))
        #expect(window?.from == time(10))
        #expect(window?.to == time(16))
    }

    @Test func `A window may begin now`() {
        #expect(planner().nextWindow(outlook(quiet: 0..<6))?.from == now)
    }

    @Test func `A window that reaches the end of the horizon counts`() {
        let window = planner().nextWindow(outlook(quiet: 90..<102))
        #expect(window?.from == time(90))
        #expect(window?.to == time(horizon))
        // It begins within 24 h and lasts beyond them.
        #expect(planner().nextWindow(outlook(quiet: 93..<102))?.from == time(93))
        #expect(planner().nextWindow(outlook(quiet: 95..<102))?.from == time(95))
    }

    @Test func `At the horizon's end too it must last long enough`() {
        #expect(planner().nextWindow(outlook(quiet: 93..<98)) == nil)
        #expect(planner().nextWindow(outlook(quiet: 93..<99))?.from == time(93))
        // Beyond the horizon nothing begins.
        #expect(planner().nextWindow(outlook(quiet: 96..<102)) == nil)
    }

    @Test func `All quiet, and never quiet`() {
        let all = planner().nextWindow(outlook(quiet: 0..<102))
        #expect(all?.from == now)
        #expect(all?.to == time(horizon))
        #expect(planner().nextWindow(outlook()) == nil)
    }

    @Test func `A blackout or a busy day parts a window`() {
        // 20..<30 without 24..<26: neither part is long enough.
        #expect(planner().nextWindow(outlook(quiet: 20..<30, barred: 24..<26)) == nil)
        #expect(planner().nextWindow(outlook(quiet: 20..<32, barred: 24..<26))?.from == time(26))
    }

    @Test(arguments: [(0.29, true), (0.3.nextDown, true), (0.3, false), (0.31, false)])
    func `Quiet is below the threshold`(score: Double, isQuiet: Bool) {
        var outlook = outlook()
        outlook.scores = outlook.scores.map { _ in score }
        #expect((planner().nextWindow(outlook) != nil) == isQuiet)
        #expect(planner().staysQuiet(outlook) == isQuiet)
    }

    @Test func `An hour of which nothing is known is not quiet`() {
        var outlook = outlook(quiet: 20..<30)
        outlook.scores[25] = nil
        #expect(planner().nextWindow(outlook) == nil)
    }

    @Test func `A minimum duration between two steps is rounded up`() {
        let planner = planner { $0.minimumDuration = 80 * .minute }
        #expect(planner.nextWindow(outlook(quiet: 20..<25)) == nil)
        #expect(planner.nextWindow(outlook(quiet: 20..<26)) != nil)
    }

    // MARK: Staying quiet

    @Test(arguments: [(5, false), (6, true), (40, true)])
    func `Starting now needs the forecast to stay quiet for the minimum duration`(steps: Int, stays: Bool) {
        #expect(planner().staysQuiet(outlook(quiet: 0..<steps)) == stays)
    }

    @Test func `A blackout within the minimum duration is in the way`() {
        #expect(!planner().staysQuiet(outlook(quiet: 0..<40, barred: 5..<6)))
        #expect(planner().staysQuiet(outlook(quiet: 0..<40, barred: 6..<8)))
    }

    @Test func `Live quiet alone is not enough where the forecast says that it will not last`() throws {
        let harness = EngineHarness()
        harness.injectScore { _ in 0.11 }
        harness.injectLoad { _ in 0.1 }
        // Each hour of the past week: quiet until 12:59, busy from 13:00 to 19:59.
        for hour in 0..<Int64(8 * 24) {
            let time = now - 8 * .day + hour * .hour
            let ofDay = (time % .day) / .hour
            harness.feed(.load(cpu: (13..<20).contains(ofDay) ? 90 : 10, time: time))
        }
        // 12:00: an hour of quiet is left. The next window of 1.5 h begins at 20:00.
        harness.pulse(now)
        let held = harness.decide(now)
        #expect(held.load.isQuiet)
        #expect(held.reason == .waitingForQuiet)
        #expect(held.waitUntil == now + 8 * .hour)
    }

    // MARK: The best window

    @Test func `The best window has the lowest mean, the earliest of equals`() {
        var outlook = outlook()
        for step in 30..<36 { outlook.scores[step] = 0.31 }
        for step in 60..<66 { outlook.scores[step] = 0.31 }
        let best = planner().bestWindow(outlook)
        #expect(best?.from == time(30))
        #expect(best?.to == time(36))
        #expect(close(best?.expectedLoad, 0.31))
        outlook.scores[61] = 0.30
        #expect(planner().bestWindow(outlook)?.from == time(60))
    }

    @Test func `The best window avoids what is barred, and what is not known`() {
        var outlook = outlook(quiet: 30..<36, 60..<66, barred: 33..<34)
        #expect(planner().bestWindow(outlook)?.from == time(60))
        outlook.scores[62] = nil
        let best = planner().bestWindow(outlook)
        #expect(best.map { $0.to <= time(62) || $0.from >= time(63) } == true)
        let barred = self.outlook(quiet: 0..<102, barred: 0..<102)
        #expect(planner().bestWindow(barred) == nil)
    }

    // MARK: Without history

    @Test func `Without history the fallback hours of the local day are quiet`() {
        let outlook = planner().outlook(nil, now: now)
        let window = planner().nextWindow(outlook)
        #expect(!outlook.hasHistory)
        #expect(window?.from == monday + .day + 2 * .hour)
        #expect(window?.to == monday + .day + 5 * .hour)
        #expect(window?.expectedLoad == nil)
    }

    @Test func `The fallback hours are local ones`() {
        let planner = planner { configuration in
            configuration.fallbackHours = 1..<3
            configuration.calendar.offsets = [.init(from: .min, seconds: -5 * 3600)]
        }
        // 01:00 at UTC-5 is 06:00Z.
        let window = planner.nextWindow(planner.outlook(nil, now: now))
        #expect(window?.from == monday + .day + 6 * .hour)
        #expect(window?.to == monday + .day + 8 * .hour)
    }

    @Test func `A busy day has no window, by the local calendar`() {
        // Tomorrow, Tuesday, is a quarter end: the window after it lies beyond 24 h.
        let planner = planner { $0.calendar.busyDays = [20_375] }
        let tuesday = planner.outlook(nil, now: monday + 22 * .hour)
        #expect(planner.nextWindow(tuesday) == nil)
        let later = planner.outlook(nil, now: monday + .day + 12 * .hour)
        #expect(planner.nextWindow(later)?.from == monday + 2 * .day + 2 * .hour)
    }

    @Test func `Steps begin at the boundary and forecasts change with the hour`() {
        var monitor = LoadMonitor(lookback: 30 * .day)
        for hour in 0..<Int64(48) {
            let time = now - 2 * .day + hour * .hour
            monitor.note(
                machine: 0, at: time, cpuPercent: Double((time % .day) / .hour), ratePerSecond: nil, incident: nil)
        }
        let outlook = planner().outlook(monitor, now: now + 20 * .minute)
        #expect(outlook.start == now + 20 * .minute)
        #expect(outlook.hasHistory)
        // 12:20, 12:35, 12:50, 13:05: hour 12 three times, then hour 13.
        #expect(outlook.scores[..<4].map { $0.map { ($0 * 100).rounded() } } == [12, 12, 12, 13])
    }
}
