public import Retraining

/// Times as RFC 3339 text (section 5.6), without calendar libraries.
public enum Timestamp {
    /// Milliseconds since 1970 of an RFC 3339 time; nil for anything else.
    ///
    /// - `T` and `Z` may be lower case, and a space may stand for `T`.
    /// - Digits of the fraction beyond milliseconds are cut off.
    /// - Second 60 is taken only where a leap second can be, at 23:59:60 UTC, and is the instant after 23:59:59.
    /// - An offset from UTC is required: a time without one is local to nobody knows where.
    public static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Milliseconds? {
        guard text.count >= 20, text.count <= 64 else { return nil }
        guard let year = digits(text, 0, 4), text[4] == UInt8(ascii: "-"),
            let month = digits(text, 5, 2), text[7] == UInt8(ascii: "-"), let day = digits(text, 8, 2),
            text[10] | 0x20 == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
            let hour = digits(text, 11, 2), text[13] == UInt8(ascii: ":"),
            let minute = digits(text, 14, 2), text[16] == UInt8(ascii: ":"), let second = digits(text, 17, 2)
        else { return nil }
        guard (1...12).contains(month), day >= 1, day <= days(in: month, of: year), hour < 24, minute < 60, second <= 60
        else { return nil }
        guard let (milliseconds, position) = fraction(text), let offset = offsetMinutes(text, at: position) else {
            return nil
        }
        let minutes = (daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offset
        if second == 60 {
            // 23:59 UTC; minutes before 1970 are negative, so the remainder is made positive.
            guard (minutes % 1440 + 1440) % 1440 == 1439 else { return nil }
            return Milliseconds(minutes + 1) * 60_000
        }
        return Milliseconds(minutes) * 60_000 + Milliseconds(second * 1000 + milliseconds)
    }

    /// The same of a string, for command lines and configuration.
    public static func parse(_ text: String) -> Milliseconds? {
        var text = text
        return text.withUTF8 { parse($0) }
    }

    /// `2024-10-17T16:00:00.000Z`; nil outside the years 0 to 9999, which RFC 3339 cannot write.
    public static func text(_ time: Milliseconds) -> String? {
        guard (-62_167_219_200_000...253_402_300_799_999).contains(time) else { return nil }
        return String(unsafeUninitializedCapacity: 24) { buffer in
            write(time, to: buffer)
            return 24
        }
    }

    /// - Precondition: room for 24 bytes, and a year of four digits.
    static func write(_ time: Milliseconds, to buffer: UnsafeMutableBufferPointer<UInt8>) {
        let days = Int(time.dividingFloor(by: .day))
        let rest = Int(time - Milliseconds(days) * .day)
        let (year, month, day) = date(days)
        put(year, 4, buffer, 0)
        put(month, 2, buffer, 5)
        put(day, 2, buffer, 8)
        put(rest / 3_600_000, 2, buffer, 11)
        put(rest / 60_000 % 60, 2, buffer, 14)
        put(rest / 1000 % 60, 2, buffer, 17)
        put(rest % 1000, 3, buffer, 20)
        buffer[4] = UInt8(ascii: "-")
        buffer[7] = UInt8(ascii: "-")
        buffer[10] = UInt8(ascii: "T")
        buffer[13] = UInt8(ascii: ":")
        buffer[16] = UInt8(ascii: ":")
        buffer[19] = UInt8(ascii: ".")
        buffer[23] = UInt8(ascii: "Z")
    }

    private static func put(_ value: Int, _ width: Int, _ buffer: UnsafeMutableBufferPointer<UInt8>, _ start: Int) {
        var value = value
        for index in stride(from: start + width - 1, through: start, by: -1) {
            buffer[index] = UInt8(ascii: "0") + UInt8(value % 10)
            value /= 10
        }
    }

    private static func digits(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ width: Int) -> Int? {
        guard start + width <= text.count else { return nil }
        var value = 0
        for index in start..<start + width {
            let digit = Int(text[index]) - 48
            guard digit >= 0, digit <= 9 else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Milliseconds of the fraction from position 19 on, and where the offset begins.
    private static func fraction(_ text: UnsafeBufferPointer<UInt8>) -> (milliseconds: Int, end: Int)? {
        guard text[19] == UInt8(ascii: ".") else { return (0, 19) }
        var position = 20
        var milliseconds = 0
        while position < text.count, let digit = digits(text, position, 1) {
            if position < 23 { milliseconds = milliseconds * 10 + digit }
            position += 1
        }
        guard position > 20 else { return nil }
        for _ in min(position, 23)..<23 { milliseconds *= 10 }
        return (milliseconds, position)
    }

    private static func offsetMinutes(_ text: UnsafeBufferPointer<UInt8>, at position: Int) -> Int? {
        guard position < text.count else { return nil }
        let first = text[position]
        if first | 0x20 == UInt8(ascii: "z") { return position + 1 == text.count ? 0 : nil }
        guard first == UInt8(ascii: "+") || first == UInt8(ascii: "-"), text.count == position + 6,
            let hours = digits(text, position + 1, 2), text[position + 3] == UInt8(ascii: ":"),
            let minutes = digits(text, position + 4, 2), hours < 24, minutes < 60
        else { return nil }
        return (first == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March.
    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The inverse, `civil_from_days` of the same source.
    private static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex + (monthIndex < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }
}

extension Milliseconds {
    fileprivate func dividingFloor(by divisor: Milliseconds) -> Milliseconds {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
