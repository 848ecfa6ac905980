import Retraining

/// What the brokers must allow, as commands. Nothing more than is needed is in it.
public struct AccessPlan: Sendable {
    /// Each a whole command line.
    public var commands: [String]

    /// - Parameters:
    ///   - principal: of the workers, such as `User:driftgate`.
    ///   - trainer: of the trainers; nil leaves them out.
    ///   - groupID: `kafka.group_id`: the consumer group, and the beginning of every transactional id.
    public init(_ options: TopicOptions, groupID: String, principal: String, trainer: String?) {
        func allow(_ principal: String, _ operations: [String], _ resource: String) -> String {
            Self.allow(options, principal, operations, resource)
        }
        func topics(_ names: [String]) -> String { names.map { "--topic '\($0)'" }.joined(separator: " ") }
        commands = [
            allow(principal, ["Read", "Describe", "DescribeConfigs"], topics(options.inputs)),
            allow(principal, ["Write", "Describe", "DescribeConfigs"], topics(options.outputs)),
            allow(principal, ["Read", "Write", "Describe", "DescribeConfigs"], topics([options.names.state])),
            Self.group(options, groupID: groupID, principal: principal),
            Self.transactions(options, groupID: groupID, principal: principal),
            // Before Kafka 2.8 a transactional producer needs it besides.
            Self.idempotence(options, principal: principal),
        ]
        if let trainer {
            commands += [
                allow(trainer, ["Read", "Describe"], topics([options.names.requests] + options.paired)),
                allow(trainer, ["Write", "Describe"], topics([options.names.trainingStatus])),
                allow(trainer, ["Read", "Describe"], "--group 'trainer-' --resource-pattern-type prefixed"),
            ]
        }
    }

    private static func allow(
        _ options: TopicOptions, _ principal: String, _ operations: [String], _ resource: String
    ) -> String {
        "kafka-acls.sh --bootstrap-server \(options.bootstrapServers) --add --allow-principal '\(principal)' "
            + operations.map { "--operation \($0)" }.joined(separator: " ") + " \(resource)"
    }

    static func transactions(_ options: TopicOptions, groupID: String, principal: String? = nil) -> String {
        allow(
            options, principal ?? options.principal, ["Write", "Describe"],
            "--transactional-id '\(groupID)-' --resource-pattern-type prefixed")
    }

    static func idempotence(_ options: TopicOptions, principal: String? = nil) -> String {
        allow(options, principal ?? options.principal, ["IdempotentWrite"], "--cluster")
    }

    /// What lets one topic be written.
    static func write(_ topic: String, _ options: TopicOptions) -> String {
        allow(options, options.principal, ["Write", "Describe"], "--topic '\(topic)'")
    }

    static func read(_ topic: String, _ options: TopicOptions) -> String {
        allow(options, options.principal, ["Read", "Describe", "DescribeConfigs"], "--topic '\(topic)'")
    }

    static func group(_ options: TopicOptions, groupID: String, principal: String? = nil) -> String {
        allow(options, principal ?? options.principal, ["Read", "Describe"], "--group '\(groupID)'")
    }

    /// What an operator's `driftgate pause`, `request`, `baseline` and so on write to.
    public static func operatorCommand(_ options: TopicOptions, principal: String) -> String {
        "kafka-acls.sh --bootstrap-server \(options.bootstrapServers) --add --allow-principal '\(principal)' "
            + "--operation Write --operation Describe --topic '\(options.names.commands)'"
    }
}
