/// Settings from variables such as `DRIFTGATE_KAFKA__BOOTSTRAP_SERVERS`: two underscores stand for a dot.
enum EnvironmentLayer {
    static let prefix = "DRIFTGATE_"

    static func name(of key: String) -> String {
        prefix + key.split(separator: ".").joined(separator: "__").uppercased()
    }

    /// One element a variable, in the order of their names.
    static func elements(
        _ environment: [String: String], problems: inout [ConfigurationProblem]
    ) -> [Element] {
        var elements: [Element] = []
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) where isSetting(variable) {
            let origin = Origin.environment(variable: variable)
            let components = variable.dropFirst(prefix.count).split(separator: "__", omittingEmptySubsequences: false)
                .reduce(into: [String]()) { $0.append($1.lowercased()) }
            if let keys = SettingPath.keys(components), let problem = entryProblem(keys, origin) {
                problems.append(problem)
            } else if let keys = SettingPath.keys(components) {
                elements.append(SettingPath.element(value, at: keys, origin: origin))
            } else {
                problems.append(unknown(variable, origin))
            }
        }
        return elements
    }

    /// Leaves out what belongs to tests, and what Kubernetes sets in every pod beside a service called `driftgate`.
    private static func isSetting(_ variable: String) -> Bool {
        guard variable.hasPrefix(prefix) else { return false }
        let rest = variable.dropFirst(prefix.count)
        if rest == "SHARED" || rest.hasPrefix("TEST_") { return false }
        return rest != "SERVICE_HOST" && !rest.hasPrefix("SERVICE_PORT") && rest != "PORT"
            && !(rest.hasPrefix("PORT_") && (rest.contains("_TCP") || rest.contains("_UDP")))
    }

    /// A variable's name has lost its case and cannot hold every character, so entries of maps are not named by it.
    private static func entryProblem(_ keys: [String], _ origin: Origin) -> ConfigurationProblem? {
        for count in 1..<max(keys.count, 1) {
            let key = keys[..<count].joined(separator: ".")
            guard let setting = Settings.byKey[key], case .map = setting.shape else { continue }
            return ConfigurationProblem(
                origin, "a variable cannot name an entry of \(key)",
                hint: "set \(name(of: key)) to the whole mapping, as in '{name: value}', or use --set")
        }
        return nil
    }

    private static func unknown(_ variable: String, _ origin: Origin) -> ConfigurationProblem {
        let names = Settings.all.map { name(of: $0.key) }
        let hint = NearestName.of(variable, among: names).map { "did you mean \($0)?" }
        return ConfigurationProblem(
            origin, "there is no such setting",
            hint: hint ?? "two underscores stand for a dot: kafka.group_id is DRIFTGATE_KAFKA__GROUP_ID")
    }
}
