extension Configuration {
    /// Reads and checks the configuration: defaults, then the file, the environment and the `--set` arguments.
    ///
    /// - Parameters:
    ///   - file: Path of the YAML file; nil takes none.
    ///   - environment: All variables; those that begin with `DRIFTGATE_` are settings.
    ///   - overrides: What follows each `--set`, such as `kafka.group_id=blue`.
    /// - Throws: `ConfigurationErrors` with everything that is wrong, in all layers, at once. A file that is not YAML
    ///   is the exception: behind its first error nothing can be told.
    public static func load(
        file: String?, environment: [String: String] = [:], overrides: [String] = []
    ) throws(ConfigurationErrors) -> Configuration {
        try load(environment: environment, overrides: overrides) { () throws(ConfigurationErrors) in
            guard let file else { return nil }
            return try FileLayer.element(file: file)
        }
    }

    /// The same for the bytes of a file that was read already; `name` stands for it in messages.
    public static func load(
        yaml: [UInt8], name: String, environment: [String: String] = [:], overrides: [String] = []
    ) throws(ConfigurationErrors) -> Configuration {
        try load(environment: environment, overrides: overrides) { () throws(ConfigurationErrors) in
            try FileLayer.element(bytes: yaml, path: name)
        }
    }

    private static func load(
        environment: [String: String], overrides: [String],
        file: () throws(ConfigurationErrors) -> Element?
    ) throws(ConfigurationErrors) -> Configuration {
        var problems: [ConfigurationProblem] = []
        var reader = LayerReader()
        do throws(ConfigurationErrors) {
            if let element = try file() { reader.apply(element) }
        } catch {
            problems += error.problems
        }
        for element in EnvironmentLayer.elements(environment, problems: &problems) { reader.apply(element) }
        for element in ArgumentLayer.elements(overrides, problems: &problems) { reader.apply(element) }
        problems += reader.problems
        var configuration = reader.configuration
        problems += Combinations.problems(of: configuration)
        guard problems.isEmpty else { throw ConfigurationErrors(problems) }
        configuration.complete()
        return configuration
    }

    /// Works out what follows from other settings.
    mutating func complete() {
        engine.training.replyTopic = topics.trainingStatus
        engine.quiet.calendar = calendar.localCalendar()
        engine.quiet.blackouts = calendar.engineBlackouts(in: engine.quiet.calendar)
        engine.fingerprint = fingerprint
    }
}
