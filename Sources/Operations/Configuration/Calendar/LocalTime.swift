import Retraining

/// A time as people write it: with its own offset from UTC, or in the configured time zone.
struct LocalTime: Equatable {
    /// Seconds since 1970-01-01T00:00:00 on the wall.
    var seconds: Int
    /// Nil: in the configured time zone.
    var offset: Int?

    /// `2025-12-24`, `2025-12-24T18:00`, `2025-12-24 18:00:30`, each time of day with or without `Z` or `+01:00`.
    init?(_ text: String) {
        let date = text.prefix(10)
        guard let day = CalendarDay(date), day.year != nil else { return nil }
        seconds = day.days[0] * 86_400
        var rest = text.dropFirst(10)
        guard let separator = rest.popFirst() else { return }
        guard separator == "T" || separator == " ", let offset = Self.takeOffset(from: &rest) else { return nil }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard let numbers = CalendarDay.numbers(parts, widths: parts.count == 3 ? [2, 2, 2] : [2, 2]) else {
            return nil
        }
        let second = numbers.count == 3 ? numbers[2] : 0
        guard numbers[0] < 24, numbers[1] < 60, second < 60 else { return nil }
        seconds += numbers[0] * 3_600 + numbers[1] * 60 + second
        self.offset = offset.seconds
    }

    /// Takes `Z` or `±hh:mm` off the end. Nil where there is one that makes no sense.
    private static func takeOffset(from text: inout Substring) -> (seconds: Int?, Void)? {
        if text.last == "Z" {
            text.removeLast()
            return (0, ())
        }
        guard let sign = text.lastIndex(where: { $0 == "+" || $0 == "-" }) else { return (nil, ()) }
        let parts = text[text.index(after: sign)...].split(separator: ":", omittingEmptySubsequences: false)
        guard let numbers = CalendarDay.numbers(parts, widths: [2, 2]), numbers[0] < 24, numbers[1] < 60 else {
            return nil
        }
        let seconds = numbers[0] * 3_600 + numbers[1] * 60
        let result = text[sign] == "-" ? -seconds : seconds
        text = text[..<sign]
        return (result, ())
    }

    /// In UTC. A time that the clocks pass twice is the first one; one that they skip is taken with the offset before.
    func milliseconds(in calendar: LocalCalendar) -> Milliseconds {
        if let offset { return Milliseconds(seconds - offset) * 1_000 }
        let before = calendar.offset(at: Milliseconds(seconds - 86_400) * 1_000)
        let after = calendar.offset(at: Milliseconds(seconds + 86_400) * 1_000)
        for offset in [before, after] {
            let candidate = Milliseconds(seconds - offset) * 1_000
            if calendar.offset(at: candidate) == offset { return candidate }
        }
        return Milliseconds(seconds - before) * 1_000
    }
}

extension LocalCalendar {
    /// Seconds to add to UTC at `time`.
    fileprivate func offset(at time: Milliseconds) -> Int {
        (offsets.last { $0.from <= time } ?? offsets[0]).seconds
    }
}
