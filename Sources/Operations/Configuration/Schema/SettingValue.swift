/// The value of a setting in a form that parsing, documentation and `config show` share.
enum SettingValue: Sendable, Equatable {
    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([SettingValue])
    /// In the order of the file; sorted by key where it comes from a dictionary.
    case map([Entry])

    struct Entry: Sendable, Equatable {
        var key: String
        var value: SettingValue
    }

    /// Whole numbers are shown without a fraction.
    static func duration(_ value: Double) -> SettingValue { .number(value) }

    subscript(key: String) -> SettingValue? {
        guard case .map(let entries) = self else { return nil }
        return entries.last { $0.key == key }?.value
    }

    var flag: Bool? { if case .flag(let value) = self { value } else { nil } }
    var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    var text: String? { if case .text(let value) = self { value } else { nil } }
    var list: [SettingValue] { if case .list(let values) = self { values } else { [] } }
    var entries: [Entry] { if case .map(let entries) = self { entries } else { [] } }
    var number: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }

    /// One line of JSON.
    var json: String {
        switch self {
        case .null: "null"
        case .flag(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): Self.text(of: value)
        case .text(let value): JSONText.quoted(value)
        case .list(let values): "[" + values.map(\.json).joined(separator: ", ") + "]"
        case .map(let entries):
            "{" + entries.map { "\(JSONText.quoted($0.key)): \($0.value.json)" }.joined(separator: ", ") + "}"
        }
    }

    /// The shortest decimal that reads back as `value`; `1.5`, but `6` for 6.0.
    static func text(of value: Double) -> String {
        if let whole = Int(exactly: value) { return String(whole) }
        return "\(value)"
    }
}
