import Retraining

extension CalendarSettings {
    /// What the engine needs of these settings. All texts have been checked.
    func localCalendar() -> LocalCalendar {
        var calendar = LocalCalendar()
        calendar.timeZone = timeZone
        calendar.offsets = TimeZoneOffsets.offsets(of: timeZone) ?? calendar.offsets
        calendar.holidays = Set(holidays.flatMap { CalendarDay($0)?.days ?? [] })
        calendar.busyDays = Set(busyDays.flatMap { CalendarDay($0)?.days ?? [] })
        if quarterEnds { calendar.busyDays.formUnion(Self.quarterEndDays) }
        return calendar
    }

    func engineBlackouts(in calendar: LocalCalendar) -> [QuietConfiguration.Blackout] {
        blackouts.compactMap { blackout in
            guard let from = LocalTime(blackout.from), let to = LocalTime(blackout.to) else { return nil }
            return QuietConfiguration.Blackout(
                from: from.milliseconds(in: calendar), to: to.milliseconds(in: calendar), name: blackout.name)
        }
    }

    /// The last day of every quarter, and its last Monday-to-Friday: the books are closed on the one or the other.
    private static var quarterEndDays: Set<Int> {
        var days: Set<Int> = []
        for year in CalendarDay.years {
            for month in [3, 6, 9, 12] {
                let last = CalendarDay.days(
                    year: year, month: month, day: CalendarDay.length(ofMonth: month, year: year))
                days.insert(last)
                // 1970-01-01 was a Thursday: 0 is Monday.
                let weekday = (last + 3) % 7
                days.insert(last - max(0, weekday - 4))
            }
        }
        return days
    }
}
