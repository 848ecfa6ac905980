import Testing

@testable import Retraining

/// The forecast of the load: the mean of three profiles over the local calendar.
@Suite struct LoadForecastTests {
    /// Monday, 2025-11-10, noon in UTC, with four weeks before it.
    private let now = monday + 28 * .day + 12 * .hour
    private let utc = LocalCalendar()

    private func history(_ entries: [(Milliseconds, Double)]) -> LoadHistory {
        var history = LoadHistory(lookback: 30 * .day)
        for (time, cpu) in entries.sorted(by: { $0.0 < $1.0 }) { history.addCPU(cpu, at: time) }
        return history
    }

    private func forecast(_ entries: [(Milliseconds, Double)], _ target: Milliseconds, _ calendar: LocalCalendar? = nil)
        -> Double?
    {
        history(entries).forecast(target, now: now, calendar: calendar ?? utc)?.cpuPercent
    }

    @Test func `The mean of yesterday, hour of week over 4 weeks and hour of day over 7 days`() {
        let target = now + 6 * .hour
        var entries: [(Milliseconds, Double)] = [(target - .day, 10)]
        for days in 2...6 { entries.append((target - Int64(days) * .day, 60)) }
        for (week, cpu) in [(Int64(1), 20.0), (2, 30), (3, 40), (4, 50)] {
            entries.append((target - week * 7 * .day, cpu))
        }
        // Other hours must not matter.
        for hour in 1..<20 { entries.append((target - .day - Int64(hour) * .hour, 99)) }
        // Yesterday 10; weeks (20+30+40+50)/4 = 35; days (10 + 5·60 + 20)/7.
        #expect(close(forecast(entries, target), (10 + 35 + 330.0 / 7) / 3, 1e-9))
    }

    @Test func `A profile that is silent is left out`() {
        let target = now + 6 * .hour
        // Known from two days ago alone: neither yesterday nor a week ago.
        #expect(forecast([(target - 2 * .day, 44)], target) == 44)
        // Three weeks ago alone.
        #expect(forecast([(target - 21 * .day, 33)], target) == 33)
        // Neither of the three reaches ten days back.
        #expect(forecast([(target - 10 * .day, 33)], target) == nil)
        #expect(forecast([], target) == nil)
    }

    @Test func `Values of one hour are averaged`() {
        let target = now + 6 * .hour
        let entries = [(target - 2 * .day, 10.0), (target - 2 * .day + 30 * .minute, 30)]
        #expect(forecast(entries, target) == 20)
        #expect(forecast(entries, target + 59 * .minute) == 20)
        #expect(forecast(entries, target + .hour) == nil)
    }

    @Test func `The rate is forecast beside the CPU`() {
        var history = LoadHistory(lookback: 30 * .day)
        let target = now + 6 * .hour
        history.addRate(7, at: target - 2 * .day)
        let expectation = history.forecast(target, now: now, calendar: utc)
        #expect(expectation?.ratePerSecond == 7)
        #expect(expectation?.cpuPercent == nil)
    }

    @Test func `History older than the lookback gives way`() {
        var history = LoadHistory(lookback: 30 * .day)
        for hour in 0..<Int64(24 * 100) { history.addCPU(Double(hour), at: hour * .hour) }
        #expect(history[24 * 100 - 1]?.cpu == Double(24 * 100 - 1))
        #expect(history[24 * 100 - 24 * 29]?.cpu == Double(24 * 100 - 24 * 29))
        #expect(history[24 * 50] == nil)
        // A value for an hour that is gone is left out.
        history.addCPU(5, at: 24 * 10 * .hour)
        #expect(history[24 * 10] == nil)
    }

    // MARK: The calendar

    /// Central Europe: UTC+2 until Sunday, 2025-10-26, 01:00Z, then UTC+1.
    private var berlin: LocalCalendar {
        var calendar = LocalCalendar()
        calendar.timeZone = "Europe/Berlin"
        calendar.offsets = [.init(from: .min, seconds: 7200), .init(from: monday + 13 * .day + .hour, seconds: 3600)]
        return calendar
    }

    @Test func `Local time follows the offsets`() {
        let change = monday + 13 * .day + .hour
        let before = berlin.local(change - 1)
        #expect(before.weekday == 6)
        #expect(before.hour == 2)
        #expect(berlin.local(change).hour == 2)
        #expect(berlin.local(change + .hour).hour == 3)
        // Monday 2025-10-13, 23:00Z is Tuesday there.
        let night = berlin.local(monday + 23 * .hour)
        #expect(night.weekday == 1)
        #expect(night.hour == 1)
        #expect(night.day == 20_375)
    }

    @Test func `Local time works before 1970 and at the ends of weeks`() {
        // 1969-12-31 was a Wednesday, 1970-01-04 a Sunday.
        #expect(utc.local(-1).weekday == 2)
        #expect(utc.local(-1).hour == 23)
        #expect(utc.local(-1).day == -1)
        #expect(utc.local(3 * .day).weekday == 6)
        #expect(utc.local(4 * .day).weekday == 0)
    }

    @Test func `The same time of day some days before, across a change of the clocks`() {
        // Monday 2025-10-27, 03:00 local is 02:00Z; a day before too; two days before, 03:00 local was 01:00Z.
        let target = monday + 14 * .day + 2 * .hour
        #expect(berlin.local(target).hour == 3)
        #expect(berlin.sameTime(as: target, daysBefore: 1) == target - .day)
        #expect(berlin.sameTime(as: target, daysBefore: 2) == target - 2 * .day - .hour)
        #expect(berlin.sameTime(as: target, daysBefore: 7) == target - 7 * .day - .hour)
    }

    @Test func `The hour of the week is the local one across a change of the clocks`() {
        // Quiet is 03:00 local: 01:00Z in summer, 02:00Z in winter; at the wrong hour there is noise.
        let now = monday + 13 * .day + 12 * .hour
        let target = monday + 14 * .day + 2 * .hour
        var entries: [(Milliseconds, Double)] = [(target - .day, 10), (target - .day - .hour, 90)]
        for days in Int64(2)...13 {
            entries.append((target - days * .day - .hour, 10))
            entries.append((target - days * .day, 90))
        }
        let forecast = history(entries).forecast(target, now: now, calendar: berlin)
        #expect(close(forecast?.cpuPercent, 10))
    }

    @Test func `A holiday is forecast by Sundays alone`() {
        let target = now + 12 * .hour
        var calendar = LocalCalendar()
        let tuesday = calendar.local(target)
        #expect(tuesday.weekday == 1)
        calendar.holidays = [tuesday.day]
        var entries: [(Milliseconds, Double)] = []
        for days in Int64(1)...27 {
            let time = target - days * .day
            entries.append((time, calendar.local(time).weekday == 6 ? 5 : 80))
        }
        #expect(close(forecast(entries, target, calendar), 5))
    }

    @Test func `Past holidays tell nothing about working days`() {
        let target = now + 12 * .hour
        var calendar = LocalCalendar()
        // Yesterday, and the same day of last week.
        calendar.holidays = [calendar.local(target - .day).day, calendar.local(target - 7 * .day).day]
        var entries: [(Milliseconds, Double)] = []
        for days in Int64(1)...28 { entries.append((target - days * .day, [1, 7].contains(days) ? 2 : 60)) }
        #expect(close(forecast(entries, target, calendar), 60))
    }
}
