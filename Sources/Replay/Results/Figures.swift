import Contracts
package import Retraining

/// Figures as people read them; no locale.
package enum Figures {
    package static func fixed(_ value: Double?, _ digits: Int) -> String {
        guard let value, value.isFinite, abs(value) < 1e12 else { return "–" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return sign + String(scaled) }
        let fraction = String(Int64(scale) + scaled % Int64(scale)).dropFirst()
        return "\(sign)\(scaled / Int64(scale)).\(fraction)"
    }

    package static func score(_ value: Double?) -> String { fixed(value, 3) }
    package static func percent(_ share: Double?) -> String { share.map { "\(fixed(100 * $0, 1)) %" } ?? "–" }

    /// How many fewer, as a share: `62.5 % fewer than`.
    package static func change(_ share: Double?) -> String {
        guard let share else { return "not to be compared with" }
        if abs(share) < 0.0005 { return "as many as" }
        return "\(fixed(100 * abs(share), 1)) % \(share > 0 ? "fewer" : "more") than"
    }

    package static func count(_ value: Int?) -> String { value.map(grouped) ?? "–" }

    /// `12 345 678`.
    package static func grouped(_ value: Int) -> String {
        let digits = String(abs(value))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "\u{202F}" }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + text
    }

    /// `1 record`, `12 345 records`.
    package static func counted(_ value: Int, _ noun: String) -> String {
        "\(grouped(value)) \(noun)\(value == 1 ? "" : "s")"
    }

    package static func money(_ value: Double) -> String {
        let whole = Int(abs(value).rounded(.down))
        let cents = fixed(abs(value) - Double(whole), 2).dropFirst()
        return (value < 0 ? "-" : "") + grouped(whole) + (cents == ".00" ? "" : String(cents))
    }

    package static func hours(_ value: Double) -> String {
        value < 48 ? "\(fixed(value, value < 10 ? 1 : 0)) h" : "\(fixed(value / 24, 1)) d"
    }

    /// `2024-10-17 16:05`, UTC.
    package static func time(_ time: Milliseconds?) -> String {
        guard let time, let text = Timestamp.text(time) else { return "–" }
        return text.prefix(10) + " " + text.dropFirst(11).prefix(5)
    }

    package static func day(_ time: Milliseconds) -> String { String((Timestamp.text(time) ?? "").prefix(10)) }
}
