import ArgumentParser
import Foundation
import Kafka
import Operations

struct TopicsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics", abstract: "Create the topics that the configuration names, or check them.",
        subcommands: [Create.self, Check.self, AccessRights.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Create what is missing; topics that exist are left as they are.",
            discussion: "Exit status: 0 when all topics exist, 1 when one could not be created.")

        @OptionGroup var options: ConfigurationOptions

        @Option(help: "Partitions of predictions, actuals, load and decisions, where no existing topic decides it.")
        var partitions: Int?

        @Option(
            name: .customLong("replication-factor"), help: "Copies of each partition; the brokers' default if left out."
        )
        var replicationFactor: Int?

        @Flag(name: .customLong("dry-run"), help: "Only say what would be created.")
        var isDryRun = false

        func validate() throws {
            for (name, value) in [("--partitions", partitions), ("--replication-factor", replicationFactor)] {
                if let value, !(1...10_000).contains(value) {
                    throw ValidationError("\(name) takes a number from 1 to 10000")
                }
            }
        }

        func run() throws {
            let cluster = try Cluster(options)
            let plan = TopicPlan(
                cluster.options, metadata: try cluster.metadata(), partitions: partitions,
                replicationFactor: replicationFactor)
            guard !plan.topics.isEmpty else { return print("all topics exist") }
            for topic in plan.topics { print("\(isDryRun ? "would create" : "creating") \(topic.summary)") }
            guard !isDryRun else { return }
            let errors = try cluster.create(plan).compactMap(\.error).filter { $0.code != .topicAlreadyExists }
            for error in errors { print("error: \(error)") }
            if !errors.isEmpty { throw ExitCode(1) }
            print("created \(plan.topics.count) topics")
        }
    }

    struct AccessRights: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "acls", abstract: "Print the commands that allow what is needed, and no more.",
            discussion: """
                driftgate topics acls --principal User:driftgate --trainer User:trainer | sh

                Nothing is changed by this command itself.
                """)

        @OptionGroup var options: ConfigurationOptions

        @Option(help: "Of the workers.") var principal = "User:driftgate"
        @Option(help: "Of the trainers; left out where not given.") var trainer: String?
        @Option(help: "Of those who pause, resume and request; left out where not given.") var `operator`: String?

        func validate() throws {
            for name in [principal, trainer, `operator`].compactMap({ $0 }) where name.contains("'") {
                throw ValidationError("a principal holds no quotes")
            }
        }

        func run() throws {
            let configuration = try options.load()
            let topics = TopicOptions(configuration, file: options.config)
            let plan = AccessPlan(
                topics, groupID: configuration.kafka.groupID, principal: principal, trainer: trainer)
            plan.commands.forEach { print($0) }
            if let `operator` { print(AccessPlan.operatorCommand(topics, principal: `operator`)) }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Compare the cluster's topics with what the worker needs of them.",
            discussion: "Exit status: 0 without errors (warnings may be there), 1 with errors.")

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let cluster = try Cluster(options)
            let findings = TopicCheck.findings(try cluster.metadata(), cluster.settings(), cluster.options)
            for finding in findings { print(finding) }
            let errors = findings.filter { $0.severity == .error }.count
            print(
                findings.isEmpty
                    ? "all topics are as they should be" : "\(errors) errors, \(findings.count - errors) warnings")
            if errors > 0 { throw ExitCode(1) }
        }
    }
}

/// The cluster that a configuration names.
struct Cluster {
    private static let timeout = 15_000

    let options: TopicOptions
    private let admin: Admin

    init(_ options: ConfigurationOptions) throws {
        try self.init(try options.load(), file: options.config)
    }

    init(_ configuration: Configuration, file: String?) throws {
        options = TopicOptions(configuration, file: file)
        var properties = try configuration.kafka.connectionProperties()
        // Properties of consumers are among them, which a client for administration would warn about.
        properties["log_level"] = properties["log_level"] ?? "2"
        admin = try Admin(bootstrapServers: options.bootstrapServers, additional: properties)
    }

    /// What a worker would stumble over, and what is unwise; empty settings are those of topics that are not there.
    ///
    /// - Throws: a `KafkaError` where the brokers do not answer.
    func findings(readingSettings: Bool) throws -> [TopicFinding] {
        let metadata = try admin.metadata(topic: nil, timeoutMilliseconds: Self.timeout)
        let known = Set(metadata.topics.map(\.name))
        let wanted = options.topicNames.filter(known.contains)
        let settings =
            readingSettings && !wanted.isEmpty
            ? try admin.describeTopics(wanted, timeoutMilliseconds: Self.timeout) : []
        return TopicCheck.findings(metadata, settings, options)
    }

    func metadata() throws -> Metadata {
        do { return try admin.metadata(topic: nil, timeoutMilliseconds: Self.timeout) } catch { throw fail(error) }
    }

    func create(_ plan: TopicPlan) throws -> [TopicResult] {
        do { return try admin.createTopics(plan.topics, timeoutMilliseconds: Self.timeout) } catch { throw fail(error) }
    }

    /// Empty where the brokers do not tell; every topic is then reported as not checked.
    func settings() -> [TopicConfiguration] {
        do {
            let known = Set(try metadata().topics.map(\.name))
            let wanted = options.topicNames.filter(known.contains)
            return wanted.isEmpty ? [] : try admin.describeTopics(wanted, timeoutMilliseconds: Self.timeout)
        } catch {
            print("warning: \(explain(error))")
            return []
        }
    }

    private func fail(_ error: any Error) -> ExitCode {
        FileHandle.standardError.write(Data("error: \(explain(error))\n".utf8))
        return ExitCode(1)
    }

    private func explain(_ error: any Error) -> String {
        guard let error = error as? KafkaError,
            error.code == .unsupportedFeature || error.code == .timedOut && error.message.contains("controller")
        else { return "\(error)" }
        return "\(options.bootstrapServers) answers no admin requests, as librdkafka's embedded broker does not: "
            + "topics cannot be created there, nor their settings read (\(error.message))"
    }
}
