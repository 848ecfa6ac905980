extension LocalCalendar {
    /// Milliseconds to add to UTC for local time at `time`.
    func offset(at time: Milliseconds) -> Milliseconds {
        var low = 0
        var high = offsets.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if offsets[middle].from <= time { low = middle } else { high = middle }
        }
        return Milliseconds(offsets[low].seconds) * 1000
    }

    func local(_ time: Milliseconds) -> LocalTime { LocalTime(milliseconds: time + offset(at: time)) }

    /// The moment that is `days` local days earlier at the same local time of day, whatever the clocks did in between.
    func sameTime(as time: Milliseconds, daysBefore days: Int64) -> Milliseconds {
        let shifted = time - days * .day
        return shifted + offset(at: time) - offset(at: shifted)
    }

    func isHoliday(_ local: LocalTime) -> Bool { holidays.contains(local.day) }
    func isBusy(_ local: LocalTime) -> Bool { busyDays.contains(local.day) }
}

/// A moment by the local calendar.
struct LocalTime: Equatable {
    /// Milliseconds since 1970-01-01T00:00:00 local.
    var milliseconds: Milliseconds

    /// Days since 1970-01-01.
    var day: Int { Int(milliseconds.flooredDivision(by: .day)) }
    /// 0 to 23.
    var hour: Int { Int((milliseconds - milliseconds.floored(to: .day)) / .hour) }
    /// 0 is Monday, 6 is Sunday. 1970-01-01 was a Thursday.
    var weekday: Int { ((day + 3) % 7 + 7) % 7 }
}
