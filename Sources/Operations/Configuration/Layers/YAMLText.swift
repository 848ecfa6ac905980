import Yams

/// YAML as elements, with everything that is wrong with it in plain words.
enum YAMLText {
    /// - Returns: nil where the text holds nothing but comments.
    static func element(_ text: String, path: String) throws(ConfigurationErrors) -> Element? {
        let node: Node?
        do {
            node = try Parser(yaml: text, resolver: .basic, constructor: .default, encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            throw ConfigurationErrors([YAMLComplaint.problem(of: error, text: text, path: path)])
        } catch {
            throw ConfigurationErrors([ConfigurationProblem(.file(path: path, line: 0, column: 0), "\(error)")])
        }
        var problems: [ConfigurationProblem] = []
        let element = node.map { convert($0, path: path, problems: &problems) }
        guard problems.isEmpty else { throw ConfigurationErrors(problems) }
        return element
    }

    private static func convert(_ node: Node, path: String, problems: inout [ConfigurationProblem]) -> Element {
        func place(_ mark: Mark?) -> Origin { .file(path: path, line: mark?.line ?? 0, column: mark?.column ?? 0) }
        let origin = place(node.mark)
        switch node {
        case .scalar(let scalar):
            return Element(content: .scalar(scalar.string, scalar.style == .plain ? .plain : .quoted), origin: origin)
        case .sequence(let items):
            return Element(
                content: .list(items.map { convert($0, path: path, problems: &problems) }), origin: origin)
        case .mapping(let pairs):
            var entries: [Element.Entry] = []
            for (key, value) in pairs {
                let keyOrigin = place(key.mark ?? node.mark)
                guard case .scalar(let name) = key else {
                    problems.append(ConfigurationProblem(keyOrigin, "a key must be a text, not a list or a mapping"))
                    continue
                }
                let element = convert(value, path: path, problems: &problems)
                entries.append(Element.Entry(key: name.string, keyOrigin: keyOrigin, value: element))
            }
            return Element(content: .mapping(entries), origin: origin)
        case .alias:
            problems.append(ConfigurationProblem(origin, "an alias that stands for nothing"))
            return Element(content: .scalar("", .plain), origin: origin)
        }
    }
}
