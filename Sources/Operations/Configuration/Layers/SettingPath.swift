/// Finds what a dotted name means. Names of maps (models, metrics, properties) may hold dots themselves.
enum SettingPath {
    /// The keys from the top down to what `components` names; nil where there is no such setting.
    static func keys(_ components: [String]) -> [String]? {
        for count in stride(from: components.count, to: 0, by: -1) {
            let key = components[..<count].joined(separator: ".")
            let sections = components[..<count].map { $0 }
            if count == components.count, Settings.sectionKeys.contains(key) { return sections }
            guard let setting = Settings.byKey[key] else { continue }
            guard let rest = keys(components[count...].map { $0 }, in: setting.shape) else { return nil }
            return sections + rest
        }
        return nil
    }

    private static func keys(_ components: [String], in shape: ValueShape) -> [String]? {
        if components.isEmpty { return [] }
        switch shape {
        case .record(let fields):
            guard let field = fields.first(where: { $0.key == components[0] }) else { return nil }
            return keys(components.dropFirst().map { $0 }, in: field.shape).map { [components[0]] + $0 }
        case .map(let entry, _):
            // The longest name whose rest makes sense, since names may hold dots and fields may not.
            for count in stride(from: components.count - 1, to: 0, by: -1) {
                if case .record = entry, let rest = keys(components[count...].map { $0 }, in: entry) {
                    return [components[..<count].joined(separator: ".")] + rest
                }
            }
            return [components.joined(separator: ".")]
        default:
            return nil
        }
    }

    /// `text` at the place that `keys` lead to.
    static func element(_ text: String, at keys: [String], origin: Origin) -> Element {
        keys.reversed().reduce(Element(content: .scalar(text, .given), origin: origin)) { value, key in
            Element(
                content: .mapping([Element.Entry(key: key, keyOrigin: origin, value: value)]), origin: origin)
        }
    }
}
