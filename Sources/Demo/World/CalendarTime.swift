import Foundation
import Retraining

/// Calendar facts of a moment in UTC, by arithmetic alone.
struct CalendarTime {
    let milliseconds: Milliseconds

    init(_ milliseconds: Milliseconds) {
        self.milliseconds = milliseconds
    }

    /// Whole days since 1970-01-01.
    var day: Int64 { Int64((Double(milliseconds) / Double(Milliseconds.day)).rounded(.down)) }

    /// 0 to 24.
    var hour: Double { Double(milliseconds - day * .day) / Double(Milliseconds.hour) }

    /// 0 is Monday, 6 is Sunday. 1970-01-01 was a Thursday.
    var weekday: Int { Int(((day + 3) % 7 + 7) % 7) }

    var isWeekend: Bool { weekday >= 5 }

    var weekdayName: String { ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][weekday] }

    /// `14:30`.
    var clock: String {
        let minutes = Int((milliseconds - day * .day) / .minute)
        return String(format: "%02d:%02d", minutes / 60, minutes % 60)
    }

    /// Year, month and day; Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
    var date: (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (Int(year), Int(month), Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))
    }

    /// `2013-08-10`.
    var dateText: String {
        let (year, month, day) = date
        return String(format: "%04d-%02d-%02d", year, month, day)
    }

    /// The moment of a calendar date, the inverse of `date`; Hinnant's `days_from_civil`.
    static func milliseconds(year: Int, month: Int, day: Int) -> Milliseconds {
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (era * 146_097 + dayOfEra - 719_468) * .day
    }
}
