extension Configuration {
    /// JSON Schema (2020-12) of the configuration file, for editors and for checks in a pipeline.
    ///
    /// It knows keys, types, ranges and choices. Combinations of settings and time zones are checked by `load` only.
    public static var jsonSchema: [UInt8] {
        let defaults = Configuration()
        var root = SchemaNode()
        for setting in Settings.all {
            let schema = setting.shape.schema(
                isOptional: setting.isOptional, summary: setting.summary, value: setting.read(defaults))
            root.insert(schema, at: setting.key.split(separator: ".").map(String.init))
        }
        let text = root.json(path: "", indentation: "  ")
        let head = """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "title": "driftgate configuration",
            """
        return Array("\(head)\n  \(text)\n}\n".utf8)
    }
}

/// A section of the schema: sections and settings by their last name, in the order of the table.
private struct SchemaNode {
    private enum Child {
        case section(SchemaNode)
        case setting(String)
    }

    private var children: [(name: String, child: Child)] = []

    mutating func insert(_ schema: String, at path: [String]) {
        guard path.count > 1 else {
            children.append((path[0], .setting(schema)))
            return
        }
        let rest = Array(path.dropFirst())
        if let index = children.firstIndex(where: { $0.name == path[0] }),
            case .section(var section) = children[index].child
        {
            section.insert(schema, at: rest)
            children[index].child = .section(section)
        } else {
            var section = SchemaNode()
            section.insert(schema, at: rest)
            children.append((path[0], .section(section)))
        }
    }

    /// The members of an object schema, without its braces.
    func json(path: String, indentation: String) -> String {
        let deeper = indentation + "  "
        let properties = children.map { name, child in
            let key = path.isEmpty ? name : "\(path).\(name)"
            return "\(deeper)\(JSONText.quoted(name)): " + Self.json(child, key: key, indentation: deeper)
        }
        return
            "\"type\": \"object\",\n\(indentation)\"additionalProperties\": false,\n\(indentation)\"properties\": {\n"
            + properties.joined(separator: ",\n") + "\n\(indentation)}"
    }

    private static func json(_ child: Child, key: String, indentation: String) -> String {
        switch child {
        case .setting(let schema): return schema
        case .section(let section):
            let summary = Settings.sections.first { $0.key == key }?.summary ?? ""
            let deeper = indentation + "  "
            let members = section.json(path: key, indentation: deeper).replacing(
                "\"type\": \"object\"", with: "\"type\": [\"object\", \"null\"]", maxReplacements: 1)
            let object =
                "{\n\(deeper)\"description\": \(JSONText.quoted(summary)),\n\(deeper)\(members)\n\(indentation)}"
            guard let shorthand = Settings.shorthands[key].flatMap({ Settings.byKey[$0] }) else { return object }
            return "{\"anyOf\": [\(shorthand.shape.schema(isOptional: false)), \(object)]}"
        }
    }
}

extension ValueShape {
    /// One line of JSON Schema.
    fileprivate func schema(isOptional: Bool, summary: String? = nil, value: SettingValue? = nil) -> String {
        var members = self.members
        if isOptional { members = ["\"anyOf\": [{\(members.joined(separator: ", "))}, {\"type\": \"null\"}]"] }
        if case .map = self, let first = members.first {
            members[0] = first.replacing("\"object\"", with: Self.nullable)
        }
        if let summary { members.append("\"description\": \(JSONText.quoted(summary))") }
        if let value { members.append("\"default\": \(value.json)") }
        return "{" + members.joined(separator: ", ") + "}"
    }

    private static let nullable = "[\"object\", \"null\"]"

    private var members: [String] {
        switch self {
        case .flag: return ["\"type\": \"boolean\""]
        case .integer(let bounds): return ["\"type\": \"integer\""] + bounds.members
        case .number(let bounds): return ["\"type\": \"number\""] + bounds.members
        case .choice(let names): return ["\"enum\": [" + names.map(JSONText.quoted).joined(separator: ", ") + "]"]
        case .text(let rule) where rule.allowsTruthWords: return ["\"type\": [\"string\", \"number\", \"boolean\"]"]
        case .text(let rule):
            return ["\"type\": \"string\""] + (rule.pattern.map { ["\"pattern\": \(JSONText.quoted($0))"] } ?? [])
        case .list(let shape, let count):
            var list = "\"type\": \"array\", \"items\": \(shape.schema(isOptional: false))"
            if count.lowerBound > 0 { list += ", \"minItems\": \(count.lowerBound)" }
            if count.upperBound < Int.max { list += ", \"maxItems\": \(count.upperBound)" }
            // Texts may also come as one, with commas.
            if case .text = shape { return ["\"anyOf\": [{\(list)}, {\"type\": \"string\"}]"] }
            return [list]
        case .map(let shape, _):
            return ["\"type\": \"object\"", "\"additionalProperties\": \(shape.schema(isOptional: false))"]
        case .record(let fields):
            let properties = fields.map { field in
                "\(JSONText.quoted(field.key)): \(field.shape.schema(isOptional: false, summary: field.summary))"
            }
            var members = [
                "\"type\": \"object\"", "\"additionalProperties\": false",
                "\"properties\": {\(properties.joined(separator: ", "))}",
            ]
            let required = fields.filter(\.isRequired).map { JSONText.quoted($0.key) }
            if !required.isEmpty { members.append("\"required\": [\(required.joined(separator: ", "))]") }
            return members
        }
    }
}

extension Bounds {
    fileprivate var members: [String] {
        var members: [String] = []
        if let minimum {
            let keyword = isMinimumExcluded ? "exclusiveMinimum" : "minimum"
            members.append("\"\(keyword)\": \(SettingValue.text(of: minimum))")
        }
        if let maximum { members.append("\"maximum\": \(SettingValue.text(of: maximum))") }
        return members
    }
}
