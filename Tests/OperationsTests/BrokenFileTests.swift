import Testing

@testable import Operations

/// Protects the messages: a person who reads one must know where to look and what to do.
@Suite struct BrokenFileTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var yaml: String
        var expected: [String]
        var testDescription: String { yaml.debugDescription }

        init(_ yaml: String, _ expected: String...) {
            self.yaml = yaml
            self.expected = expected
        }
    }

    @Test(arguments: [
        Case(
            "drift_threshold_critcal: 0.1\n",
            """
            f.yaml:1:1: error: there is no setting called "drift_threshold_critcal"
                hint: did you mean drift_threshold_critical?
            """),
        Case(
            "kafka:\n  group: x\n",
            """
            f.yaml:2:3: error: kafka has no setting called "group"
                hint: did you mean group_id?
            """),
        Case(
            "group_id: x\n",
            """
            f.yaml:1:1: error: there is no setting called "group_id"
                hint: it belongs below "kafka"
            """),
        Case(
            "kafka.group_id: x\n",
            """
            f.yaml:1:1: error: there is no setting called "kafka.group_id"
                hint: a dot does not nest: write "kafka:" and below it, indented, "group_id: …"
            """),
        Case(
            "quiet:\n  quiet_load_threshold: 0.3\n",
            """
            f.yaml:2:3: error: quiet has no setting called "quiet_load_threshold"
                hint: quiet_load_threshold belongs at the top level, without indentation
            """),
        Case(
            "zzz: 1\nlog_level: info\n", "f.yaml:1:1: error: there is no setting called \"zzz\""),
    ])
    func unknownKeys(_ broken: Case) { expect(broken) }

    @Test(arguments: [
        Case(
            "drift_threshold_critical: high\n",
            #"f.yaml:1:27: error: drift_threshold_critical must be a number above 0 and at most 1, not "high""#),
        Case(
            "drift_threshold_critical: \"0.1\"\n",
            """
            f.yaml:1:27: error: drift_threshold_critical must be a number above 0 and at most 1, not the text "0.1"
                hint: remove the quotes
            """),
        Case(
            "drift_threshold_critical: 10%\n",
            """
            f.yaml:1:27: error: drift_threshold_critical must be a number above 0 and at most 1, not "10%"
                hint: write 0.1: shares are written as fractions
            """),
        Case(
            "drift_threshold_critical: 0,1\n",
            """
            f.yaml:1:27: error: drift_threshold_critical must be a number above 0 and at most 1, not "0,1"
                hint: write 0.1, with a point
            """),
        Case(
            "min_hours_between_training: 6h\n",
            """
            f.yaml:1:29: error: min_hours_between_training must be a number of hours from 0 to 8760, not "6h"
                hint: write a bare number: the key's name says hours
            """),
        Case(
            "min_hours_between_training: .inf\n",
            #"f.yaml:1:29: error: min_hours_between_training must be a number of hours from 0 to 8760, not ".inf""#),
        Case(
            "min_hours_between_training: -1\n",
            "f.yaml:1:29: error: min_hours_between_training must be a number of hours from 0 to 8760, not -1"),
        Case(
            "prediction_window_size: 0\n",
            "f.yaml:1:25: error: prediction_window_size must be a whole number from 1 to 1000000, not 0"),
        Case(
            "prediction_window_size: 1e3\n",
            """
            f.yaml:1:25: error: prediction_window_size must be a whole number from 1 to 1000000, not "1e3"
                hint: write 1000
            """),
        Case(
            "prediction_window_size: 1_000\n",
            """
            f.yaml:1:25: error: prediction_window_size must be a whole number from 1 to 1000000, not "1_000"
                hint: write 1000
            """),
        Case(
            "max_trainings_per_week: 003\n",
            """
            f.yaml:1:25: error: max_trainings_per_week must be a whole number from 1 to 1000, not "003"
                hint: write 3: a leading zero means octal to some readers
            """),
        Case(
            "max_trainings_per_week: [3]\n",
            "f.yaml:1:25: error: max_trainings_per_week must be a whole number from 1 to 1000, not a list"),
        Case(
            "max_trainings_per_week:\n",
            """
            f.yaml:1:24: error: max_trainings_per_week is empty: it must be a whole number from 1 to 1000
                hint: give a value, or remove the key to take the default
            """),
        Case(
            "min_quiet_duration_hours: 25\n",
            "f.yaml:1:27: error: min_quiet_duration_hours must be a number of hours above 0 and at most 24, not 25"),
        Case(
            "kafka: {transactions: yes}\n",
            """
            f.yaml:1:23: error: kafka.transactions must be true or false, not "yes"
                hint: write true
            """),
        Case(
            "kafka:\n  client_id: no\n",
            """
            f.yaml:2:14: error: kafka.client_id is no without quotes, which YAML readers take for true or false
                hint: write "no" in quotes if the text is meant
            """),
        Case(
            "scoring: Plain\n",
            """
            f.yaml:1:10: error: scoring must be plain or calibrated, not "Plain"
                hint: did you mean plain?
            """),
        Case(
            "error_measure: rmse\n",
            #"f.yaml:1:16: error: error_measure must be one of mape, wape, smape or mase, not "rmse""#),
        Case(
            "topics: {load: a topic}\n",
            """
            f.yaml:1:16: error: topics.load must be a topic name, not "a topic"
                hint: 1 to 249 of letters, digits, ".", "_" and "-"
            """),
        Case(
            "kafka:\n  bootstrap_servers:\n    - a:9092\n    - b\n",
            """
            f.yaml:4:7: error: entry 2 of kafka.bootstrap_servers must be host:port, not "b"
                hint: such as kafka-1:9092
            """),
        Case(
            "kafka: {bootstrap_servers: []}\n",
            "f.yaml:1:28: error: kafka.bootstrap_servers must have at least 1 entry, not 0"),
        Case(
            "kafka: [a, b]\n",
            """
            f.yaml:1:8: error: kafka must be a mapping, not a list
                hint: write its settings below it, indented by two spaces, as in "bootstrap_servers: …"
            """),
        Case(
            "kafka: localhost:9092\n",
            """
            f.yaml:1:8: error: kafka must be a mapping, not "localhost:9092"
                hint: write its settings below it, indented by two spaces, as in "bootstrap_servers: …"
            """),
        Case(
            "quiet: sometimes\n", #"f.yaml:1:8: error: quiet.rule must be absolute or adaptive, not "sometimes""#),
        Case(
            "expected_ranges: {cpu: {mni: 0}}\n",
            """
            f.yaml:1:25: error: expected_ranges.cpu has no key "mni"
                hint: did you mean min?
            """),
        Case(
            "models:\n  a.b:\n    drift_threshold_critical: 2\n",
            "f.yaml:3:31: error: models.a.b.drift_threshold_critical must be a number above 0 and at most 1, not 2"),
    ])
    func typesAndRanges(_ broken: Case) { expect(broken) }

    @Test(arguments: [
        Case(
            "kafka: {additional: {enable.auto.commit: true}}\n",
            """
            f.yaml:1:22: error: enable.auto.commit may not be set: offsets are committed with the outputs, in one \
            transaction
                hint: remove it
            """),
        Case(
            "kafka: {additional: {sasl.password: x}}\n",
            """
            f.yaml:1:22: error: sasl.password has a setting of its own
                hint: use kafka.sasl.password_file
            """),
        Case(
            "kafka: {additional: {Fetch Size: 1}}\n",
            """
            f.yaml:1:22: error: "Fetch Size" is no librdkafka property
                hint: lower-case words with dots, such as fetch.min.bytes
            """),
        Case(
            "quiet: {time_zone: Europe/Berln}\n",
            """
            f.yaml:1:20: error: quiet.time_zone names no known time zone: "Europe/Berln"
                hint: did you mean Europe/Berlin?
            """),
        Case(
            "quiet: {time_zone: CET}\n",
            """
            f.yaml:1:20: error: quiet.time_zone names no known time zone: "CET"
                hint: a name such as Europe/Berlin or UTC
            """),
        Case(
            "quiet: {holidays: [2025-02-29]}\n",
            """
            f.yaml:1:20: error: quiet.holidays must be a date, not "2025-02-29"
                hint: 2025-12-25, or 12-25 for every year
            """),
        Case(
            "quiet:\n  blackouts:\n    - {from: 2025-12-24, name: x}\n",
            """
            f.yaml:3:7: error: quiet.blackouts lacks the key "to"
                hint: End, not included.
            """),
        Case(
            "contracts: {actuals: {entity: host}}\n",
            """
            f.yaml:1:31: error: contracts.actuals.entity must be a JSON pointer, not "host"
                hint: begins with "/", as in "/payload/host"
            """),
        Case(
            "contracts: {actuals: {hots: /host}}\n",
            """
            f.yaml:1:23: error: contracts.actuals has no key "hots"
                hint: it may have model, entity, at and values
            """),
        Case(
            "alerts: {webhook_url: 'https://u:p@host/'}\n",
            """
            f.yaml:1:23: error: alerts.webhook_url holds a user name or password
                hint: name the user in a setting of its own and keep secrets in files (…_file)
            """),
    ])
    func meaning(_ broken: Case) { expect(broken) }

    /// Every mistake is told in one go, in the order of the file.
    @Test func allProblemsAtOnce() {
        expect(
            Case(
                "max_trainings_per_week: many\nlog_levl: info\nkafka:\n  sasl:\n    mechanism: GSSAPI\nscale: 3\n",
                #"f.yaml:1:25: error: max_trainings_per_week must be a whole number from 1 to 1000, not "many""#,
                """
                f.yaml:2:1: error: there is no setting called "log_levl"
                    hint: did you mean log_level?
                """,
                #"f.yaml:5:16: error: kafka.sasl.mechanism must be one of PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, not "GSSAPI""#,
                #"f.yaml:6:8: error: scale must be single or partitioned, not "3""#))
    }

    private func expect(_ broken: Case, sourceLocation: SourceLocation = #_sourceLocation) {
        expectProblems(broken.expected, sourceLocation) { () throws(ConfigurationErrors) in
            try Configuration.load(yaml: Array(broken.yaml.utf8), name: "f.yaml")
        }
    }
}

/// The load must fail with exactly these problems.
func expectProblems(
    _ expected: [String], _ sourceLocation: SourceLocation = #_sourceLocation,
    _ load: () throws(ConfigurationErrors) -> Configuration
) {
    do throws(ConfigurationErrors) {
        _ = try load()
        Issue.record("the configuration was taken", sourceLocation: sourceLocation)
    } catch {
        #expect(error.problems.map(\.description) == expected, sourceLocation: sourceLocation)
    }
}
