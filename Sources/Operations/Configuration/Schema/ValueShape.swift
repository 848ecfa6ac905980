/// What a value looks like: enough to read it, to document it and to put it into JSON Schema.
indirect enum ValueShape: Sendable {
    case flag
    case integer(Bounds)
    case number(Bounds)
    case text(TextRule)
    case choice([String])
    /// A single scalar is taken apart at its commas.
    case list(of: ValueShape, count: ClosedRange<Int>)
    case map(of: ValueShape, keys: TextRule)
    case record([Field])

    struct Field: Sendable {
        var key: String
        var shape: ValueShape
        var isRequired = false
        var summary: String
    }

    static func list(of shape: ValueShape) -> ValueShape { .list(of: shape, count: 0...Int.max) }

    /// The end of the sentence "… must be".
    var description: String {
        switch self {
        case .flag: "true or false"
        case .integer(let bounds): "a whole number" + bounds.description(prefix: " ")
        case .number(let bounds): "a number" + bounds.description(prefix: " ")
        case .text(let rule): rule.name
        case .choice(let names): (names.count == 2 ? "" : "one of ") + Self.alternatives(names)
        case .list(let shape, let count) where count.lowerBound == count.upperBound:
            "a list of \(count.lowerBound): each \(shape.description)"
        case .list(let shape, _): "a list, each entry \(shape.description)"
        case .map(_, let keys): "a mapping from \(keys.name)"
        case .record(let fields): "a mapping with " + Self.alternatives(fields.map(\.key), last: "and")
        }
    }

    static func alternatives(_ names: [String], last: String = "or") -> String {
        guard let final = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " \(last) \(final)"
    }
}

/// Limits of a number.
struct Bounds: Sendable, Equatable {
    var minimum: Double?
    var isMinimumExcluded = false
    var maximum: Double?

    static let any = Bounds()
    static func from(_ minimum: Double, to maximum: Double) -> Bounds { Bounds(minimum: minimum, maximum: maximum) }
    static func above(_ minimum: Double, upTo maximum: Double? = nil) -> Bounds {
        Bounds(minimum: minimum, isMinimumExcluded: true, maximum: maximum)
    }
    static func atLeast(_ minimum: Double) -> Bounds { Bounds(minimum: minimum) }

    func contains(_ value: Double) -> Bool {
        if let minimum, isMinimumExcluded ? value <= minimum : value < minimum { return false }
        if let maximum, value > maximum { return false }
        return true
    }

    func description(prefix: String = "") -> String {
        let low = minimum.map(SettingValue.text(of:))
        let high = maximum.map(SettingValue.text(of:))
        switch (low, high, isMinimumExcluded) {
        case (nil, nil, _): return ""
        case (let low?, let high?, true): return "\(prefix)above \(low) and at most \(high)"
        case (let low?, let high?, false): return "\(prefix)from \(low) to \(high)"
        case (let low?, nil, true): return "\(prefix)above \(low)"
        case (let low?, nil, false): return "\(prefix)of at least \(low)"
        case (nil, let high?, _): return "\(prefix)of at most \(high)"
        }
    }
}
