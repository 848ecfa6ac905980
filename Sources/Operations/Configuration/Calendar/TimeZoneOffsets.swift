import Foundation
import Retraining

/// The tz database's offsets from UTC as plain values, so that the engine needs neither a clock nor a file.
enum TimeZoneOffsets {
    static var names: [String] { TimeZone.knownTimeZoneIdentifiers }

    /// Names of the tz database, and `UTC`. Abbreviations such as `CET` and offsets such as `GMT+2` are not taken:
    /// they have no daylight saving time, or not the one that is meant.
    static func isKnown(_ name: String) -> Bool {
        name == "UTC" || (name.contains("/") && TimeZone(identifier: name) != nil)
    }

    /// The stretches of constant offset from 2000 to 2100, to the second.
    ///
    /// A zone is asked once a day and the day of a change searched by halves: the changes that Foundation announces
    /// (`nextDaylightSavingTimeTransition`) leave out those that are no daylight saving, as when a zone moves.
    static func offsets(of name: String) -> [LocalCalendar.Offset]? {
        guard isKnown(name), let zone = TimeZone(identifier: name) else { return nil }
        func offset(at second: Int) -> Int {
            zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
        }
        let first = CalendarDay.days(year: CalendarDay.years.lowerBound, month: 1, day: 1) * 86_400
        let end = CalendarDay.days(year: CalendarDay.years.upperBound + 1, month: 1, day: 1) * 86_400
        var current = offset(at: first)
        var offsets = [LocalCalendar.Offset(from: .min, seconds: current)]
        for second in stride(from: first + 86_400, through: end, by: 86_400) {
            let next = offset(at: second)
            guard next != current else { continue }
            var (low, high) = (second - 86_400, second)
            while high - low > 1 {
                let middle = (low + high) / 2
                if offset(at: middle) == current { low = middle } else { high = middle }
            }
            offsets.append(LocalCalendar.Offset(from: Milliseconds(high) * 1_000, seconds: next))
            current = next
        }
        return offsets
    }
}
