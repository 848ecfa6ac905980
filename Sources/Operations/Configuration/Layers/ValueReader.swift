/// Reads an element as the shape says, and collects what is wrong with it.
struct ValueReader {
    private(set) var problems: [ConfigurationProblem] = []

    /// - Parameter name: what the messages call the value.
    /// - Returns: nil where a problem was noted.
    mutating func read(
        _ element: Element, as shape: ValueShape, name: String, unit: String? = nil, isOptional: Bool = false
    ) -> SettingValue? {
        if isOptional, element.isNull || element.isEmptyText { return .null }
        if element.isNull {
            return complain(
                element, "\(name) is empty: it must be \(shape.description)",
                hint: "give a value, or remove the key to take the default")
        }
        switch shape {
        case .list(let item, let count): return list(element, of: item, count: count, shape, name: name)
        case .map(let item, let keys): return map(element, of: item, keys: keys, shape, name: name)
        case .record(let fields): return record(element, fields, shape, name: name)
        default: break
        }
        guard case .scalar(let text, let style) = element.content else {
            return complain(element, "\(name) must be \(shape.description), not \(element.found)")
        }
        switch shape {
        case .flag: return flag(text, style, element, name: name)
        case .integer(let bounds): return integer(text, style, element, bounds, shape, name: name, unit: unit)
        case .number(let bounds): return number(text, style, element, bounds, shape, name: name, unit: unit)
        case .choice(let names): return choice(text, names, element, shape, name: name)
        case .text(let rule): return self.text(text, style, rule, element, name: name)
        case .list, .map, .record: return nil
        }
    }

    mutating func complain(_ element: Element, _ message: String, hint: String? = nil) -> SettingValue? {
        problems.append(ConfigurationProblem(element.origin, message, hint: hint))
        return nil
    }

    // MARK: Lists and mappings

    private mutating func list(
        _ element: Element, of shape: ValueShape, count: ClosedRange<Int>, _ whole: ValueShape, name: String
    ) -> SettingValue? {
        guard let items = items(of: Self.structure(of: element), shape) else {
            return complain(
                element, "\(name) must be \(whole.description), not \(element.found)",
                hint: "write [first, second], or one entry a line with \"- \" in front")
        }
        var values: [SettingValue] = []
        var isComplete = true
        for (index, item) in items.enumerated() {
            let value = read(item, as: shape, name: items.count == 1 ? name : "entry \(index + 1) of \(name)")
            if let value { values.append(value) } else { isComplete = false }
        }
        guard isComplete else { return nil }
        guard count.contains(values.count) else {
            let wanted =
                if count.lowerBound == count.upperBound {
                    "\(count.lowerBound)"
                } else {
                    values.count < count.lowerBound ? "at least \(count.lowerBound)" : "at most \(count.upperBound)"
                }
            let noun = wanted.hasSuffix(" 1") ? "entry" : "entries"
            return complain(element, "\(name) must have \(wanted) \(noun), not \(values.count)")
        }
        return .list(values)
    }

    /// The entries of a list, or the parts of a text with commas where the entries are texts or nothing tells.
    private func items(of element: Element, _ shape: ValueShape) -> [Element]? {
        switch element.content {
        case .list(let items): return items
        case .mapping: return nil
        case .scalar(let text, let style):
            if case .record = shape { return nil }
            if case .text = shape {} else if style != .given { return nil }
            return text.split(separator: ",").map { part in
                let trimmed = part.drop { $0 == " " }
                let end = trimmed.lastIndex { $0 != " " }.map(trimmed.index(after:)) ?? trimmed.startIndex
                return Element(content: .scalar(String(trimmed[..<end]), style), origin: element.origin)
            }
        }
    }

    private mutating func map(
        _ element: Element, of shape: ValueShape, keys: TextRule, _ whole: ValueShape, name: String
    ) -> SettingValue? {
        guard case .mapping(let entries) = Self.structure(of: element).content else {
            return complain(element, "\(name) must be \(whole.description), not \(element.found)")
        }
        var values: [SettingValue.Entry] = []
        var isComplete = true
        for entry in entries {
            if let complaint = keys.check(entry.key) {
                let message = complaint.message ?? "a key of \(name) must be \(keys.name), not \"\(entry.key)\""
                problems.append(ConfigurationProblem(entry.keyOrigin, message, hint: complaint.hint))
                isComplete = false
            } else if let value = read(entry.value, as: shape, name: "\(name).\(entry.key)") {
                values.append(.init(key: entry.key, value: value))
            } else {
                isComplete = false
            }
        }
        return isComplete ? .map(values) : nil
    }

    private mutating func record(
        _ element: Element, _ fields: [ValueShape.Field], _ whole: ValueShape, name: String
    ) -> SettingValue? {
        guard case .mapping(let entries) = Self.structure(of: element).content else {
            return complain(element, "\(name) must be \(whole.description), not \(element.found)")
        }
        var values: [SettingValue.Entry] = []
        var isComplete = true
        for entry in entries {
            guard let field = fields.first(where: { $0.key == entry.key }) else {
                let nearest = NearestName.of(entry.key, among: fields.map(\.key))
                problems.append(
                    ConfigurationProblem(
                        entry.keyOrigin, "\(name) has no key \(JSONText.quoted(entry.key))",
                        hint: nearest.map { "did you mean \($0)?" }
                            ?? "it may have \(ValueShape.alternatives(fields.map(\.key), last: "and"))"))
                isComplete = false
                continue
            }
            let unit = Unit(key: field.key)?.name
            if let value = read(entry.value, as: field.shape, name: "\(name).\(field.key)", unit: unit) {
                values.append(.init(key: field.key, value: value))
            } else {
                isComplete = false
            }
        }
        for field in fields where field.isRequired && !entries.contains(where: { $0.key == field.key }) {
            isComplete = false
            _ = complain(element, "\(name) lacks the key \"\(field.key)\"", hint: field.summary)
        }
        return isComplete ? .map(values) : nil
    }

    /// In a variable or an argument a list or mapping is written as in YAML's flow style.
    static func structure(of element: Element) -> Element {
        guard case .scalar(let text, .given) = element.content, text.hasPrefix("{") || text.hasPrefix("[") else {
            return element
        }
        guard let parsed = try? YAMLText.element(text, path: "") else { return element }
        return parsed.relocated(to: element.origin)
    }
}
