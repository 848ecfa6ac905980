extension ValueReader {
    /// What YAML 1.1 readers take for true or false; in between versions of YAML this is a coin toss.
    static let truthWords: Set<String> = ["true", "false", "yes", "no", "on", "off", "y", "n"]

    mutating func flag(_ text: String, _ style: Element.Style, _ element: Element, name: String) -> SettingValue? {
        if style != .quoted {
            if text == "true" { return .flag(true) }
            if text == "false" { return .flag(false) }
        }
        var hint: String?
        switch text.lowercased() {
        case "true", "yes", "on", "y", "1": hint = "write true" + (style == .quoted ? ", without quotes" : "")
        case "false", "no", "off", "n", "0": hint = "write false" + (style == .quoted ? ", without quotes" : "")
        default: break
        }
        return complain(element, "\(name) must be true or false, not \(element.found)", hint: hint)
    }

    mutating func integer(
        _ text: String, _ style: Element.Style, _ element: Element, _ bounds: Bounds, _ shape: ValueShape, name: String,
        unit: String?
    ) -> SettingValue? {
        guard style != .quoted, Self.isDecimal(text), let value = Int(text) else {
            var hint = numberHint(text, style, unit: unit)
            if hint == nil, Self.isDecimal(text), let number = Double(text), let whole = Int(exactly: number) {
                hint = "write \(whole)"
            }
            return complain(element, "\(name) must be \(shape.description), not \(element.found)", hint: hint)
        }
        guard bounds.contains(Double(value)) else {
            return complain(element, "\(name) must be \(shape.description), not \(text)")
        }
        return .integer(value)
    }

    mutating func number(
        _ text: String, _ style: Element.Style, _ element: Element, _ bounds: Bounds, _ shape: ValueShape, name: String,
        unit: String?
    ) -> SettingValue? {
        let description = unit.map { shape.description.replacingFirst("a number", with: "a number of \($0)") }
        guard style != .quoted, Self.isDecimal(text), let value = Double(text), value.isFinite else {
            return complain(
                element, "\(name) must be \(description ?? shape.description), not \(element.found)",
                hint: numberHint(text, style, unit: unit))
        }
        guard bounds.contains(value) else {
            return complain(element, "\(name) must be \(description ?? shape.description), not \(text)")
        }
        return .number(value)
    }

    /// Digits, sign, point and exponent, without the leading zero that is octal to some readers.
    private static func isDecimal(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        guard let first = digits.utf8.first, (0x30...0x39).contains(first) else { return false }
        if first == 0x30, let second = digits.utf8.dropFirst().first, (0x30...0x39).contains(second) { return false }
        return digits.utf8.allSatisfy {
            (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x65 || $0 == 0x45 || $0 == 0x2B || $0 == 0x2D
        }
    }

    /// What was probably meant by something that is no number.
    private func numberHint(_ text: String, _ style: Element.Style, unit: String?) -> String? {
        if style == .quoted, Self.isDecimal(text) { return "remove the quotes" }
        if text.hasSuffix("%"), let percent = Double(text.dropLast()) {
            return "write \(SettingValue.text(of: percent / 100)): shares are written as fractions"
        }
        let number = text.prefix { ("0"..."9").contains($0) || $0 == "." }
        let rest = text.dropFirst(number.count).drop { $0 == " " }
        if number.contains(where: \.isNumber), !rest.isEmpty, rest.allSatisfy(\.isLetter), rest.lowercased() != "e" {
            return unit.map { "write a bare number: the key's name says \($0)" } ?? "write a bare number"
        }
        let plain = text.filter { $0 != "_" }
        if plain != text, Self.isDecimal(plain) { return "write \(plain)" }
        let point = text.split(separator: ",", omittingEmptySubsequences: false)
        if point.count == 2, point.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isNumber) }) {
            return "write \(point[0]).\(point[1]), with a point"
        }
        if text.hasPrefix("0"), text.allSatisfy(\.isNumber), let value = Int(text) {
            return "write \(value): a leading zero means octal to some readers"
        }
        return nil
    }

    mutating func choice(
        _ text: String, _ names: [String], _ element: Element, _ shape: ValueShape, name: String
    ) -> SettingValue? {
        if names.contains(text) { return .text(text) }
        let sameButCase = names.first { $0.lowercased() == text.lowercased() }
        let nearest = sameButCase ?? NearestName.of(text, among: names)
        return complain(
            element, "\(name) must be \(shape.description), not \(element.found)",
            hint: nearest.map { "did you mean \($0)?" })
    }

    mutating func text(
        _ text: String, _ style: Element.Style, _ rule: TextRule, _ element: Element, name: String
    ) -> SettingValue? {
        if style == .plain, !rule.allowsTruthWords, Self.truthWords.contains(text.lowercased()) {
            return complain(
                element, "\(name) is \(text) without quotes, which YAML readers take for true or false",
                hint: "write \"\(text)\" in quotes if the text is meant")
        }
        if let complaint = rule.check(text) {
            let message =
                complaint.message.map { "\(name) \($0)" } ?? "\(name) must be \(rule.name), not \(element.found)"
            return complain(element, message, hint: complaint.hint)
        }
        return .text(text)
    }
}

extension String {
    fileprivate func replacingFirst(_ part: String, with replacement: String) -> String {
        hasPrefix(part) ? replacement + dropFirst(part.count) : self
    }
}
