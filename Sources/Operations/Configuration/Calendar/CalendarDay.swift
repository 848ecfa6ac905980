/// A date of the proleptic Gregorian calendar, or a day of every year.
struct CalendarDay: Equatable {
    /// Nil: every year.
    var year: Int?
    var month: Int
    var day: Int

    /// Years for which yearly dates and time zones are worked out.
    static let years = 2000...2100

    /// `2025-12-25` or `12-25`.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3,
            let numbers = Self.numbers(parts, widths: parts.count == 3 ? [4, 2, 2] : [2, 2])
        else { return nil }
        let year = parts.count == 3 ? numbers[0] : nil
        let (month, day) = (numbers[numbers.count - 2], numbers[numbers.count - 1])
        // 29 February of every year is a day of the leap years.
        guard (1...12).contains(month), (1...Self.length(ofMonth: month, year: year ?? 2000)).contains(day) else {
            return nil
        }
        if let year, !Self.years.contains(year) { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Days since 1970-01-01; one number, or one for every year that has the day.
    var days: [Int] {
        if let year { return [Self.days(year: year, month: month, day: day)] }
        return Self.years.filter { day <= Self.length(ofMonth: month, year: $0) }
            .map { Self.days(year: $0, month: month, day: day) }
    }

    /// Days since 1970-01-01. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// `2025-12-25` of days since 1970-01-01. The same source, `civil_from_days`.
    static func text(days: Int) -> String {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0)
        return padded(year, 4) + "-" + padded(civilMonth, 2) + "-" + padded(day, 2)
    }

    static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Decimal numbers of exactly these widths.
    static func numbers(_ parts: [some StringProtocol], widths: [Int]) -> [Int]? {
        guard parts.count == widths.count else { return nil }
        var result: [Int] = []
        for (part, width) in zip(parts, widths) {
            guard part.utf8.count == width, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(part)
            else { return nil }
            result.append(number)
        }
        return result
    }
}
