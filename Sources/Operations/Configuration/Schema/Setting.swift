import Retraining

/// One setting of `Root`: the single place from which it is read, checked, documented and shown.
struct Setting<Root: Sendable>: Sendable {
    /// Dotted, such as `kafka.group_id`.
    var key: String
    var shape: ValueShape
    var isOptional = false
    /// Whether a change takes effect at a reload, or needs a restart.
    var needsRestart = false
    var summary: String
    var read: @Sendable (Root) -> SettingValue
    /// The value has the shape.
    var write: @Sendable (SettingValue, inout Root) -> Void

    func restart() -> Self {
        var copy = self
        copy.needsRestart = true
        return copy
    }

    /// Unit by the ending of the key, as people write it.
    var unit: String? { Unit(key: key)?.name }
}

/// Units that the endings of keys stand for.
enum Unit: String, CaseIterable {
    case milliseconds = "ms"
    case seconds = "secs"
    case minutes = "mins"
    case hours
    case days
    case bytes

    /// By the ending, or for keys such as `min_hours_between_training` the word inside.
    init?(key: String) {
        let words = key.split(whereSeparator: { $0 == "_" || $0 == "." }).map(String.init)
        guard let word = words.last(where: { Unit(rawValue: $0) != nil }) else { return nil }
        self.init(rawValue: word)
    }

    var milliseconds: Double? {
        switch self {
        case .milliseconds: 1
        case .seconds: 1_000
        case .minutes: 60_000
        case .hours: 3_600_000
        case .days: 86_400_000
        case .bytes: nil
        }
    }

    var name: String {
        switch self {
        case .milliseconds: "milliseconds"
        case .seconds: "seconds"
        case .minutes: "minutes"
        default: rawValue
        }
    }
}

typealias SendableKeyPath<Root, Value> = WritableKeyPath<Root, Value> & Sendable

extension Setting {
    static func flag(_ key: String, _ path: any SendableKeyPath<Root, Bool>, _ summary: String) -> Self {
        Setting(
            key: key, shape: .flag, summary: summary, read: { .flag($0[keyPath: path]) },
            write: { $1[keyPath: path] = $0.flag! })
    }

    static func integer(
        _ key: String, _ path: any SendableKeyPath<Root, Int>, _ bounds: Bounds, _ summary: String
    ) -> Self {
        Setting(
            key: key, shape: .integer(bounds), summary: summary, read: { .integer($0[keyPath: path]) },
            write: { $1[keyPath: path] = $0.integer! })
    }

    static func number(
        _ key: String, _ path: any SendableKeyPath<Root, Double>, _ bounds: Bounds, _ summary: String
    ) -> Self {
        Setting(
            key: key, shape: .number(bounds), summary: summary, read: { .number($0[keyPath: path]) },
            write: { $1[keyPath: path] = $0.number! })
    }

    /// Milliseconds inside, in the unit that the key names outside.
    static func duration(
        _ key: String, _ path: any SendableKeyPath<Root, Milliseconds>, _ bounds: Bounds, _ summary: String
    ) -> Self {
        let scale = Unit(key: key)!.milliseconds!
        return Setting(
            key: key, shape: .number(bounds), summary: summary,
            read: { .number(Double($0[keyPath: path]) / scale) },
            write: { $1[keyPath: path] = Milliseconds(($0.number! * scale).rounded()) })
    }

    static func optionalDuration(
        _ key: String, _ path: any SendableKeyPath<Root, Milliseconds?>, _ bounds: Bounds, _ summary: String
    ) -> Self {
        let scale = Unit(key: key)!.milliseconds!
        return Setting(
            key: key, shape: .number(bounds), isOptional: true, summary: summary,
            read: { root in root[keyPath: path].map { .number(Double($0) / scale) } ?? .null },
            write: { value, root in
                root[keyPath: path] = value.number.map { Milliseconds(($0 * scale).rounded()) }
            })
    }

    static func text(
        _ key: String, _ path: any SendableKeyPath<Root, String>, _ rule: TextRule, _ summary: String
    ) -> Self {
        Setting(
            key: key, shape: .text(rule), summary: summary, read: { .text($0[keyPath: path]) },
            write: { $1[keyPath: path] = $0.text! })
    }

    static func optionalText(
        _ key: String, _ path: any SendableKeyPath<Root, String?>, _ rule: TextRule, _ summary: String
    ) -> Self {
        Setting(
            key: key, shape: .text(rule), isOptional: true, summary: summary,
            read: { $0[keyPath: path].map { .text($0) } ?? .null },
            write: { $1[keyPath: path] = $0.text })
    }

    static func texts(
        _ key: String, _ path: any SendableKeyPath<Root, [String]>, _ rule: TextRule, _ summary: String,
        count: ClosedRange<Int> = 0...Int.max
    ) -> Self {
        Setting(
            key: key, shape: .list(of: .text(rule), count: count), summary: summary,
            read: { .list($0[keyPath: path].map { .text($0) }) },
            write: { $1[keyPath: path] = $0.list.map { $0.text! } })
    }

    static func choice<Choice: RawRepresentable<String> & CaseIterable & SendableMetatype>(
        _ key: String, _ path: any SendableKeyPath<Root, Choice>, _ summary: String
    ) -> Self {
        Setting(
            key: key, shape: .choice(Choice.allCases.map(\.rawValue)), summary: summary,
            read: { .text($0[keyPath: path].rawValue) },
            write: { $1[keyPath: path] = Choice(rawValue: $0.text!)! })
    }

    static func optionalChoice<Choice: RawRepresentable<String> & CaseIterable & SendableMetatype>(
        _ key: String, _ path: any SendableKeyPath<Root, Choice?>, _ summary: String
    ) -> Self {
        Setting(
            key: key, shape: .choice(Choice.allCases.map(\.rawValue)), isOptional: true, summary: summary,
            read: { $0[keyPath: path].map { .text($0.rawValue) } ?? .null },
            write: { $1[keyPath: path] = $0.text.map { Choice(rawValue: $0)! } })
    }
}
