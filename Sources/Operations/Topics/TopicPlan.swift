public import Kafka
import Retraining

/// Which topics are missing, and how they should be made.
public struct TopicPlan: Sendable {
    public var topics: [NewTopic]

    /// - Parameters:
    ///   - metadata: what is there. Topics that exist are left as they are, and missing partners follow their number of
    ///     partitions.
    ///   - partitions: of predictions, actuals, load and decisions, where no existing topic decides it.
    ///   - replicationFactor: nil takes the brokers' default.
    public init(_ options: TopicOptions, metadata: Metadata, partitions: Int?, replicationFactor: Int?) {
        let names = options.names
        let existing = options.paired.compactMap { metadata.partitions(of: $0) }.max()
        let count = existing ?? partitions ?? Self.defaultPartitions
        let missing = options.topicNames.filter { metadata.partitions(of: $0) == nil }
        topics = missing.map { name in
            let partitions =
                switch name {
                case names.predictions, names.actuals, names.load, names.decisions: count
                case names.state: options.scale == .partitioned ? count : 1
                default: 1
                }
            var settings = Self.settings(of: name, options)
            if let replicationFactor, replicationFactor >= 3 { settings["min.insync.replicas"] = "2" }
            return NewTopic(
                name, partitions: partitions, replicationFactor: replicationFactor, settings: settings)
        }
    }

    static let defaultPartitions = 4

    private static func settings(of name: String, _ options: TopicOptions) -> [String: String] {
        let names = options.names
        if name == names.state {
            // A restore reads the part that is not compacted yet as well: small segments keep it short.
            return [
                "cleanup.policy": "compact", "segment.bytes": String(64 * 1024 * 1024),
                "segment.ms": String(Milliseconds.hour), "min.cleanable.dirty.ratio": "0.1",
                "max.message.bytes": String(2 * TopicOptions.stateMessageBytes),
            ]
        }
        let retention =
            switch name {
            case names.requests: max(options.outputRetention, options.lookback + .day)
            case names.decisions, names.alerts, names.deadLetters: options.outputRetention
            default: max(options.lookback, options.trainingWindow) + .day
            }
        return ["cleanup.policy": "delete", "retention.ms": String(retention)]
    }
}

extension NewTopic {
    /// One line for a person.
    public var summary: String {
        let copies = replicationFactor.map { "replication factor \($0)" } ?? "the brokers' replication factor"
        let settings = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return "\(name): \(partitions) \(partitions == 1 ? "partition" : "partitions"), \(copies), "
            + settings.joined(separator: ", ")
    }
}

extension Metadata {
    /// How many partitions a topic has; nil where it does not exist or cannot be used.
    func partitions(of topic: String) -> Int? {
        guard let found = self[topic], found.error == nil, !found.partitions.isEmpty else { return nil }
        return found.partitions.count
    }
}
