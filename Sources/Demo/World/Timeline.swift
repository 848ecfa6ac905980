import Retraining

/// What happens when in the simulated story. All of it lies in the past, as records must.
struct Timeline: Sendable, Equatable {
    /// The first model is trained on this long a stretch before it begins to serve.
    static let firstTraining: Milliseconds = 28 * .day
    /// The topics already hold actuals and load of this long a stretch when the first prediction comes.
    static let history: Milliseconds = 6 * .day
    static let shortestDays = 18

    let worldStart: Milliseconds
    let historyStart: Milliseconds
    let servedFrom: Milliseconds
    let end: Milliseconds
    let changeAt: Milliseconds

    /// The story ends with the last full day (UTC) before `now`. The change comes on a Tuesday at ten in the morning,
    /// not before the thirteenth day, so that two weekends lie before it.
    init(now: Milliseconds, days: Int) {
        precondition(days >= Self.shortestDays, "the story needs \(Self.shortestDays) days")
        end = CalendarTime(now).day * .day
        servedFrom = end - Int64(days) * .day
        historyStart = servedFrom - Self.history
        worldStart = servedFrom - Self.firstTraining
        let earliest = CalendarTime(servedFrom).day + min(12, Int64(days) - 10)
        let weekday = CalendarTime(earliest * .day).weekday
        // In the shortest stories a Tuesday may be too late to see the recovery; then any working day does.
        let toTuesday = Int64((1 - weekday + 7) % 7)
        let toWorkingDay = Int64(weekday >= 5 ? 7 - weekday : 0)
        changeAt = (earliest + (days >= 26 ? toTuesday : toWorkingDay)) * .day + 10 * .hour
    }

    /// 1 for the first day that is served.
    func day(of time: Milliseconds) -> Int { Int((time - servedFrom) / .day) + 1 }

    /// `day 16 Tue`.
    func dayLabel(_ time: Milliseconds) -> String {
        let day = day(of: time)
        return "day \(day < 10 ? " " : "")\(day) \(CalendarTime(time).weekdayName)"
    }

    /// `day 16 Tue 13:30`.
    func label(_ time: Milliseconds) -> String { dayLabel(time) + " " + CalendarTime(time).clock }
}
