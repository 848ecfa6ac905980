/// Settings from `--set a.b=c` arguments.
enum ArgumentLayer {
    /// One element an argument, in their order: the last one wins.
    static func elements(_ arguments: [String], problems: inout [ConfigurationProblem]) -> [Element] {
        var elements: [Element] = []
        for argument in arguments {
            let origin = Origin.argument(argument)
            guard let equals = argument.firstIndex(of: "=") else {
                problems.append(
                    ConfigurationProblem(origin, "the value is missing", hint: "write --set \(argument)=value"))
                continue
            }
            let name = String(argument[..<equals])
            let components = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard !components.contains(""), let keys = SettingPath.keys(components) else {
                problems.append(unknown(name, origin))
                continue
            }
            let value = String(argument[argument.index(after: equals)...])
            elements.append(SettingPath.element(value, at: keys, origin: origin))
        }
        return elements
    }

    private static func unknown(_ name: String, _ origin: Origin) -> ConfigurationProblem {
        let underAnySection = Settings.all.filter { $0.key.hasSuffix("." + name) }
        let nearest = NearestName.of(name, among: Settings.all.map(\.key))
        let suggestion = underAnySection.count == 1 ? underAnySection[0].key : nearest
        return ConfigurationProblem(
            origin, "there is no setting called \(JSONText.quoted(name))",
            hint: suggestion.map { "did you mean \($0)?" })
    }
}
