public import Kafka
import Retraining

/// Compares a cluster's topics with what the worker needs of them. No I/O: it is handed what the brokers said.
///
/// ```swift
/// let metadata = try admin.metadata(topic: nil, timeoutMilliseconds: 15_000)
/// let settings = try admin.describeTopics(names, timeoutMilliseconds: 15_000)
/// for finding in TopicCheck.findings(metadata, settings, options) { print(finding) }
/// ```
public enum TopicCheck {
    /// - Parameter configurations: of the topics that exist. A topic whose settings are not known is a warning.
    /// - Returns: errors first, each in the order of the configuration's topics.
    public static func findings(
        _ metadata: Metadata, _ configurations: [TopicConfiguration], _ options: TopicOptions
    ) -> [TopicFinding] {
        let known = Dictionary(configurations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var findings: [TopicFinding] = []
        for name in options.topicNames {
            guard metadata.partitions(of: name) != nil, let topic = metadata[name] else {
                findings.append(missing(name, metadata[name]?.error, options))
                continue
            }
            findings += partitions(topic, metadata, options)
            guard let settings = known[name], settings.error == nil else {
                if !configurations.isEmpty { findings.append(unread(name, known[name]?.error, options)) }
                continue
            }
            findings += check(settings.settings, of: topic, metadata, options)
        }
        if configurations.isEmpty, options.topicNames.contains(where: { metadata.partitions(of: $0) != nil }) {
            // Said once, and not for each topic.
            findings.append(.init(.warning, topic: "topics", "their settings could not be read; they are not checked"))
        }
        let ranked = findings.enumerated().sorted {
            ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset)
        }
        return ranked.map(\.element)
    }

    private static func unread(_ topic: String, _ error: KafkaError?, _ options: TopicOptions) -> TopicFinding {
        let isDenied = error?.code == .topicAuthorizationFailed
        return TopicFinding(
            .warning, topic: topic,
            "its settings could not be read\(error.map { ": \($0.message)" } ?? ""); they are not checked",
            remedy: isDenied ? AccessPlan.read(topic, options) : nil)
    }

    private static func missing(_ name: String, _ error: KafkaError?, _ options: TopicOptions) -> TopicFinding {
        if let error, error.code != .unknownTopicOrPartition, error.code != .unknownTopic {
            return .init(.error, topic: name, "cannot be used: \(error.message)")
        }
        let file = options.configurationFile.map { " --config \($0)" } ?? ""
        return .init(.error, topic: name, "does not exist", remedy: "driftgate topics create\(file)")
    }

    // MARK: Partitions

    private static func partitions(
        _ topic: Metadata.Topic, _ metadata: Metadata, _ options: TopicOptions
    ) -> [TopicFinding] {
        var findings: [TopicFinding] = []
        let count = topic.partitions.count
        let names = options.names
        if options.scale == .partitioned {
            let predictions = metadata.partitions(of: names.predictions)
            let other = options.paired.compactMap { metadata.partitions(of: $0) }.max() ?? count
            if options.paired.contains(topic.name), count < other {
                findings.append(
                    .init(
                        .error, topic: topic.name,
                        "has \(count) partitions and its partner \(other): `scale: partitioned` reads predictions and "
                            + "actuals of a model from partitions of the same number. New partitions move keys, so add "
                            + "them while no producer writes",
                        remedy: options.alterPartitions(topic.name, to: other)))
            }
            if topic.name == names.state, let predictions, count < predictions {
                findings.append(
                    .init(
                        .error, topic: topic.name,
                        "has \(count) partitions, and each of the \(predictions) tasks writes to its own",
                        remedy: options.alterPartitions(topic.name, to: predictions)))
            } else if topic.name == names.state, let predictions, count > predictions {
                findings.append(
                    .init(
                        .warning, topic: topic.name,
                        "has \(count) partitions and there are \(predictions) tasks; the others stay empty"))
            }
        } else if topic.name == names.state, count > 1 {
            findings.append(
                .init(
                    .warning, topic: topic.name,
                    "has \(count) partitions; `scale: single` uses the first one only"))
        }
        let leaderless = topic.partitions.filter { $0.leader == nil }.map { String($0.id) }
        if !leaderless.isEmpty {
            findings.append(
                .init(
                    .error, topic: topic.name,
                    "has no leader for partition \(leaderless.joined(separator: ", ")): a broker is away"))
        }
        let replicas = topic.partitions.map(\.replicas.count).min() ?? 0
        if replicas == 1, metadata.brokers.count > 1 {
            findings.append(
                .init(
                    .warning, topic: topic.name,
                    "is on one of \(metadata.brokers.count) brokers only, and lost with it",
                    remedy: "\(options.tool("kafka-reassign-partitions.sh")) --reassignment-json-file FILE --execute"))
        }
        return findings
    }
}

extension TopicOptions {
    func tool(_ name: String) -> String { "\(name) --bootstrap-server \(bootstrapServers)" }

    func alterPartitions(_ topic: String, to count: Int) -> String {
        "\(tool("kafka-topics.sh")) --alter --topic \(topic) --partitions \(count)"
    }

    func alter(_ topic: String, _ setting: String, _ value: String) -> String {
        "\(tool("kafka-configs.sh")) --alter --entity-type topics --entity-name \(topic) "
            + "--add-config \(setting)=\(value)"
    }
}
