/// Applies layers to a configuration, one after the other.
struct LayerReader {
    private(set) var configuration = Configuration()
    private var reader = ValueReader()
    private var ownProblems: [ConfigurationProblem] = []

    var problems: [ConfigurationProblem] { ownProblems + reader.problems }

    mutating func apply(_ root: Element) {
        walk(root, path: "")
    }

    private mutating func walk(_ element: Element, path: String) {
        guard case .mapping(let entries) = element.content else { return }
        for entry in entries {
            let key = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            let isNested = entry.key.contains(".")
            if !isNested, let setting = Settings.byKey[key] {
                set(setting, entry.value)
            } else if !isNested, Settings.sectionKeys.contains(key) {
                section(key, entry.value)
            } else {
                ownProblems.append(unknown(entry, path: path))
            }
        }
    }

    private mutating func set(_ setting: Setting<Configuration>, _ element: Element) {
        // A map or record with all its entries commented out sets nothing.
        if element.isNull, setting.isEmptyAllowed { return }
        let element = setting.shape.isStructure ? ValueReader.structure(of: element) : element
        guard
            let value = reader.read(
                element, as: setting.shape, name: setting.key, unit: setting.unit, isOptional: setting.isOptional)
        else { return }
        setting.write(value, &configuration)
        remember(setting.key, element)
    }

    private mutating func remember(_ key: String, _ element: Element) {
        configuration.origins[key] = element.origin
        guard case .mapping(let entries) = element.content else { return }
        for entry in entries { remember("\(key).\(entry.key)", entry.value) }
    }

    private mutating func section(_ key: String, _ element: Element) {
        switch element.content {
        case .mapping:
            walk(element, path: key)
        case .scalar where element.isNull:
            break
        case .scalar(let text, .given) where text.hasPrefix("{"):
            guard let parsed = try? YAMLText.element(text, path: ""), case .mapping = parsed.content else {
                ownProblems.append(notAMapping(key, element))
                return
            }
            walk(parsed.relocated(to: element.origin), path: key)
        case .scalar:
            guard let shorthand = Settings.shorthands[key], let setting = Settings.byKey[shorthand] else {
                ownProblems.append(notAMapping(key, element))
                return
            }
            set(setting, element)
        case .list:
            ownProblems.append(notAMapping(key, element))
        }
    }

    private func notAMapping(_ key: String, _ element: Element) -> ConfigurationProblem {
        let example = Settings.all.first { $0.key.hasPrefix(key + ".") }?.key.dropFirst(key.count + 1) ?? ""
        return ConfigurationProblem(
            element.origin, "\(key) must be a mapping, not \(element.found)",
            hint: "write its settings below it, indented by two spaces, as in \"\(example): …\"")
    }

    private func unknown(_ entry: Element.Entry, path: String) -> ConfigurationProblem {
        let place = path.isEmpty ? "there is no setting" : "\(path) has no setting"
        return ConfigurationProblem(
            entry.keyOrigin, "\(place) called \(JSONText.quoted(entry.key))", hint: hint(for: entry.key, path: path))
    }

    private func hint(for key: String, path: String) -> String? {
        if key == "<<" { return "merge keys are not supported: write the settings out" }
        if let keys = SettingPath.keys(key.split(separator: ".").map(String.init)), keys.count > 1 {
            return "a dot does not nest: write \"\(keys[0]):\" and below it, indented, \"\(keys[1]): …\""
        }
        let elsewhere = Settings.all.map(\.key).filter { $0 == key || $0.hasSuffix("." + key) }
        if elsewhere.count == 1 {
            guard let dot = elsewhere[0].lastIndex(of: ".") else {
                return "\(key) belongs at the top level, without indentation"
            }
            return "it belongs below \"\(elsewhere[0][..<dot])\""
        }
        let prefix = path.isEmpty ? "" : path + "."
        let known = Settings.all.map(\.key) + Settings.sectionKeys
        let siblings = known.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }
            .filter { !$0.contains(".") }.map(String.init)
        if let nearest = NearestName.of(key, among: siblings) { return "did you mean \(nearest)?" }
        let lastNames = known.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
        guard let nearest = NearestName.of(key, among: lastNames),
            let full = known.first(where: { $0 == nearest || $0.hasSuffix("." + nearest) })
        else { return nil }
        return "did you mean \(full)?"
    }
}

extension ValueShape {
    fileprivate var isStructure: Bool {
        switch self {
        case .list, .map, .record: true
        default: false
        }
    }
}

extension Setting {
    fileprivate var isEmptyAllowed: Bool {
        switch shape {
        case .map, .record: true
        default: false
        }
    }
}
