import Retraining
import Testing
import Worker

@testable import Kafka
@testable import Operations

/// What a cluster looks like: as `topics create` would leave it, and then changed.
private struct MadeUpCluster {
    var options = TopicOptions()
    var partitions: [String: Int] = [:]
    var replicas: [String: Int] = [:]
    var settings: [String: [String: String]] = [:]
    var brokers: Int32 = 3
    var leaderless: Set<String> = []
    var topicErrors: [String: KafkaError.Code] = [:]
    var unreadable: Set<String> = []

    init(_ scale: WorkerSettings.Scale = .single) {
        options.scale = scale
        options.bootstrapServers = "kafka:9092"
        let plan = TopicPlan(
            options, metadata: Metadata(brokers: [], topics: []), partitions: 6, replicationFactor: 3)
        for topic in plan.topics {
            partitions[topic.name] = topic.partitions
            replicas[topic.name] = 3
            // Brokers tell their defaults too.
            settings[topic.name] = [
                "cleanup.policy": "delete", "max.message.bytes": "1048588", "message.timestamp.type": "CreateTime",
                "retention.bytes": "-1",
            ].merging(topic.settings) { $1 }
        }
    }

    var metadata: Metadata {
        Metadata(
            brokers: (0..<brokers).map { Metadata.Broker(id: $0, host: "kafka", port: 9092) },
            topics: partitions.map { name, count in
                Metadata.Topic(
                    name: name,
                    partitions: (0..<Int32(count)).map { id in
                        let copies = Array(0..<Int32(replicas[name] ?? 1))
                        return Metadata.Partition(
                            id: id, leader: leaderless.contains(name) && id == 0 ? nil : 0, replicas: copies,
                            inSyncReplicas: copies)
                    },
                    error: topicErrors[name].map { KafkaError(code: $0, operation: "use the topic", topic: name) })
            })
    }

    var configurations: [TopicConfiguration] {
        settings.map { name, settings in
            let error = KafkaError(code: .topicAuthorizationFailed, operation: "describe the topic", topic: name)
            return TopicConfiguration(name: name, settings: settings, error: unreadable.contains(name) ? error : nil)
        }
    }

    var findings: [TopicFinding] { TopicCheck.findings(metadata, configurations, options) }

    mutating func set(_ topic: String, _ key: String, _ value: some CustomStringConvertible) {
        settings[topic]?[key] = value.description
    }
}

@Suite struct TopicCheckTests {
    @Test(arguments: WorkerSettings.Scale.allCases)
    func whatIsCreatedPasses(_ scale: WorkerSettings.Scale) {
        #expect(MadeUpCluster(scale).findings == [])
    }

    @Test func aMissingTopicIsToBeCreated() {
        var cluster = MadeUpCluster()
        cluster.options.configurationFile = "driftgate.yaml"
        cluster.partitions["load"] = nil
        cluster.settings["load"] = nil
        #expect(
            cluster.findings == [
                .init(
                    .error, topic: "load", "does not exist",
                    remedy: "driftgate topics create --config driftgate.yaml")
            ])
    }

    @Test func aTopicThatMayNotBeReadIsNoMissingTopic() throws {
        var cluster = MadeUpCluster()
        cluster.topicErrors["load"] = .topicAuthorizationFailed
        let finding = try #require(cluster.findings.first)
        #expect(finding.severity == .error && finding.remedy == nil)
        #expect(finding.text.hasPrefix("cannot be used: "))
    }

    // MARK: Partitions

    @Test func partnersNeedEqualPartitionsWherePartitionsAreTasks() throws {
        var cluster = MadeUpCluster(.partitioned)
        cluster.partitions["actuals"] = 4
        let finding = try #require(cluster.findings.first)
        #expect(cluster.findings.count == 1)
        #expect(finding.severity == .error && finding.topic == "actuals")
        #expect(
            finding.remedy == "kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic actuals --partitions 6")
        cluster.options.scale = .single
        #expect(!cluster.findings.contains { $0.topic == "actuals" })
    }

    @Test func eachTaskNeedsAStatePartition() {
        var cluster = MadeUpCluster(.partitioned)
        cluster.partitions["driftgate-state"] = 1
        #expect(cluster.findings.map(\.severity) == [.error])
        cluster.partitions["driftgate-state"] = 8
        #expect(cluster.findings.map(\.severity) == [.warning])
        cluster.options.scale = .single
        #expect(cluster.findings.map(\.severity) == [.warning])
    }

    @Test func aPartitionWithoutLeaderIsAnError() {
        var cluster = MadeUpCluster()
        cluster.leaderless = ["predictions"]
        #expect(cluster.findings.map(\.topic) == ["predictions"])
        #expect(cluster.findings.first?.text.contains("no leader for partition 0") == true)
    }

    @Test func oneCopyAmongManyBrokersIsAWarning() {
        var cluster = MadeUpCluster()
        cluster.replicas["driftgate-state"] = 1
        cluster.set("driftgate-state", "min.insync.replicas", 1)
        #expect(cluster.findings.map(\.severity) == [.warning])
        cluster.brokers = 1
        #expect(cluster.findings == [])
    }

    // MARK: Settings

    /// Topic, setting, its wrong value, how bad it is, and the value that mends it.
    struct Fault: CustomTestStringConvertible {
        var topic: String
        var setting: String
        var value: String
        var severity: TopicFinding.Severity
        var remedy: String
        var testDescription: String { "\(topic) \(setting)=\(value)" }
    }

    private static let day = 86_400_000

    @Test(arguments: [
        Fault(
            topic: "driftgate-state", setting: "cleanup.policy", value: "delete", severity: .error, remedy: "compact"),
        Fault(
            topic: "driftgate-state", setting: "cleanup.policy", value: "compact,delete", severity: .error,
            remedy: "compact"),
        Fault(
            topic: "driftgate-state", setting: "max.message.bytes", value: "524288", severity: .error, remedy: "1179648"
        ),
        Fault(
            topic: "driftgate-state", setting: "segment.bytes", value: "1073741824", severity: .warning,
            remedy: "67108864"),
        Fault(
            topic: "driftgate-state", setting: "segment.ms", value: "604800000", severity: .warning, remedy: "3600000"),
        Fault(
            topic: "driftgate-state", setting: "delete.retention.ms", value: "1000", severity: .warning,
            remedy: "86400000"),
        Fault(topic: "predictions", setting: "cleanup.policy", value: "compact", severity: .error, remedy: "delete"),
        Fault(
            topic: "training-requests", setting: "cleanup.policy", value: "compact, delete", severity: .error,
            remedy: "delete"),
        Fault(
            topic: "actuals", setting: "retention.ms", value: "3600000", severity: .error, remedy: "\(36 * day)"),
        Fault(
            topic: "actuals", setting: "retention.ms", value: "\(7 * day)", severity: .warning, remedy: "\(36 * day)"),
        Fault(
            topic: "training-requests", setting: "retention.ms", value: "\(7 * day)", severity: .warning,
            remedy: "\(36 * day)"),
        Fault(topic: "load", setting: "retention.bytes", value: "1000000", severity: .warning, remedy: "-1"),
        Fault(
            topic: "predictions", setting: "message.timestamp.type", value: "LogAppendTime", severity: .warning,
            remedy: "CreateTime"),
        Fault(
            topic: "driftgate-dead-letters", setting: "max.message.bytes", value: "100000", severity: .error,
            remedy: "2000000"),
        Fault(topic: "training-requests", setting: "min.insync.replicas", value: "4", severity: .error, remedy: "2"),
        Fault(topic: "training-requests", setting: "min.insync.replicas", value: "3", severity: .warning, remedy: "2"),
        Fault(topic: "training-requests", setting: "min.insync.replicas", value: "1", severity: .warning, remedy: "2"),
    ])
    func aWrongSettingIsNamedWithItsCommand(_ fault: Fault) throws {
        var cluster = MadeUpCluster()
        cluster.set(fault.topic, fault.setting, fault.value)
        let finding = try #require(cluster.findings.first)
        #expect(cluster.findings.count == 1)
        #expect(finding.severity == fault.severity)
        #expect(finding.topic == fault.topic)
        #expect(
            finding.remedy == "kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics "
                + "--entity-name \(fault.topic) --add-config \(fault.setting)=\(fault.remedy)")
        // The command does mend it.
        cluster.set(fault.topic, fault.setting, fault.remedy)
        #expect(cluster.findings == [])
    }

    @Test func unlimitedRetentionIsFine() {
        var cluster = MadeUpCluster()
        cluster.set("predictions", "retention.ms", -1)
        #expect(cluster.findings == [])
    }

    @Test func aTrainingWindowLongerThanTheDataIsAWarning() {
        var cluster = MadeUpCluster()
        cluster.options.lookback = 7 * .day
        cluster.set("predictions", "retention.ms", 10 * Milliseconds.day)
        #expect(cluster.findings.map(\.topic) == ["predictions"])
        #expect(cluster.findings.first?.text.contains("training_window_days") == true)
    }

    @Test func whatCouldNotBeReadIsSaid() {
        var cluster = MadeUpCluster()
        cluster.unreadable = ["driftgate-state"]
        #expect(cluster.findings.map(\.severity) == [.warning])
        let unread = TopicCheck.findings(cluster.metadata, [], cluster.options)
        #expect(unread.map(\.severity) == [.warning], "said once, and not for each topic")
        #expect(unread.first?.text.contains("not checked") == true)
    }

    @Test func errorsComeFirst() {
        var cluster = MadeUpCluster()
        cluster.set("predictions", "message.timestamp.type", "LogAppendTime")
        cluster.set("driftgate-state", "cleanup.policy", "delete")
        #expect(cluster.findings.map(\.severity) == [.error, .warning])
    }
}

@Suite struct TopicPlanTests {
    private func plan(_ options: TopicOptions, existing: [String: Int] = [:], partitions: Int? = nil) -> [String: Int] {
        let metadata = Metadata(
            brokers: [],
            topics: existing.map { name, count in
                Metadata.Topic(
                    name: name,
                    partitions: (0..<Int32(count)).map {
                        Metadata.Partition(id: $0, leader: 0, replicas: [0], inSyncReplicas: [0])
                    })
            })
        let plan = TopicPlan(options, metadata: metadata, partitions: partitions, replicationFactor: nil)
        return Dictionary(uniqueKeysWithValues: plan.topics.map { ($0.name, $0.partitions) })
    }

    @Test func stateHasAPartitionATask() {
        var options = TopicOptions()
        #expect(plan(options, partitions: 8)["driftgate-state"] == 1)
        options.scale = .partitioned
        #expect(plan(options, partitions: 8)["driftgate-state"] == 8)
    }

    @Test func missingPartnersFollowWhatExists() {
        var options = TopicOptions()
        options.scale = .partitioned
        let planned = plan(options, existing: ["predictions": 5], partitions: 8)
        #expect(planned["predictions"] == nil)
        #expect(planned["actuals"] == 5)
        #expect(planned["driftgate-state"] == 5)
    }

    @Test func nothingIsLeftToCreateWhereAllExist() {
        let options = TopicOptions()
        let all = Dictionary(uniqueKeysWithValues: options.topicNames.map { ($0, 1) })
        #expect(plan(options, existing: all).isEmpty)
    }

    @Test func theConfigurationDecidesNamesAndTimes() {
        var configuration = Configuration()
        configuration.topics.state = "memory"
        configuration.worker.firstStartLookback = 50 * .day
        configuration.kafka.bootstrapServers = ["a:1", "b:2"]
        let options = TopicOptions(configuration, file: "x.yaml")
        let plan = TopicPlan(
            options, metadata: Metadata(brokers: [], topics: []), partitions: nil, replicationFactor: 3)
        let topics = Dictionary(uniqueKeysWithValues: plan.topics.map { ($0.name, $0) })
        #expect(topics["memory"]?.settings["cleanup.policy"] == "compact")
        #expect(topics["predictions"]?.settings["retention.ms"] == String(51 * Milliseconds.day))
        #expect(topics["predictions"]?.settings["min.insync.replicas"] == "2")
        #expect(options.bootstrapServers == "a:1,b:2")
    }
}
