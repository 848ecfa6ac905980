/// Small pieces of sentences for people. No locale, no allocation worth counting: decisions are few.
enum Text {
    /// Three decimals, without trailing zeros beyond the second.
    static func number(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        let thousandths = Int64((abs(value) * 1000).rounded())
        let sign = value < 0 && thousandths > 0 ? "-" : ""
        let fraction = String(1000 + thousandths % 1000).dropFirst()
        return sign + String(thousandths / 1000) + "." + (fraction.hasSuffix("0") ? fraction.dropLast() : fraction)
    }

    static func duration(_ span: Milliseconds) -> String {
        let minutes = span / .minute
        if minutes < 120 { return "\(minutes) min" }
        if minutes < 72 * 60 { return "\(minutes / 60) h" }
        return "\(minutes / 1440) days"
    }

    /// `YYYY-MM-DDTHH:MMZ`.
    static func time(_ time: Milliseconds) -> String {
        let days = time.flooredDivision(by: .day)
        let minutes = (time - days * .day) / .minute
        // Civil date from days since the epoch: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let z = days + 719_468
        let era = z.flooredDivision(by: 146_097)
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(minutes / 60, 2)):\(pad(minutes % 60, 2))Z"
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
