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
        let tool = "kafka-acls.sh --bootstrap-server \(options.bootstrapServers) --add"
        func allow(_ principal: String, _ operations: [String], _ resource: String) -> String {
            "\(tool) --allow-principal '\(principal)' "
                + operations.map { "--operation \($0)" }.joined(separator: " ") + " \(resource)"
        }
        func topics(_ names: [String]) -> String { names.map { "--topic '\($0)'" }.joined(separator: " ") }
        commands = [
            allow(principal, ["Read", "Describe", "DescribeConfigs"], topics(options.inputs)),
            allow(principal, ["Write", "Describe", "DescribeConfigs"], topics(options.outputs)),
            allow(principal, ["Read", "Write", "Describe", "DescribeConfigs"], topics([options.names.state])),
            allow(principal, ["Read", "Describe"], "--group '\(groupID)'"),
            allow(
                principal, ["Write", "Describe"], "--transactional-id '\(groupID)-' --resource-pattern-type prefixed"),
            // Before Kafka 2.8 a transactional producer needs it besides.
            allow(principal, ["IdempotentWrite"], "--cluster"),
        ]
        if let trainer {
            commands += [
                allow(trainer, ["Read", "Describe"], topics([options.names.requests] + options.paired)),
                allow(trainer, ["Write", "Describe"], topics([options.names.trainingStatus])),
                allow(trainer, ["Read", "Describe"], "--group 'trainer-' --resource-pattern-type prefixed"),
            ]
        }
    }

    /// What an operator's `driftgate pause`, `request`, `baseline` and so on write to.
    public static func operatorCommand(_ options: TopicOptions, principal: String) -> String {
        "kafka-acls.sh --bootstrap-server \(options.bootstrapServers) --add --allow-principal '\(principal)' "
            + "--operation Write --operation Describe --topic '\(options.names.commands)'"
    }
}
