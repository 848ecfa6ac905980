import Kafka
import Testing

struct ClusterTests {
    /// `doctor` and the assignment of all inputs depend on partition counts and leaders.
    @Test func metadataListsTopicsPartitionsAndBrokers() throws {
        let broker = try EmbeddedBroker(brokers: 3)
        try broker.createTopic("a", partitions: 2)
        try broker.createTopic("b", partitions: 5)
        try broker.setLeader(of: TopicPartition("a", 1), broker: 2)
        let consumer = try makeConsumer(broker)
        let all = try consumer.metadata(topic: nil, timeoutMilliseconds: 30_000)
        #expect(all.brokers.map(\.id).sorted() == [1, 2, 3])
        #expect(all["b"]?.partitions.map(\.id) == [0, 1, 2, 3, 4])
        let one = try consumer.metadata(topic: "a", timeoutMilliseconds: 30_000)
        #expect(one.topics.map(\.name) == ["a"])
        #expect(one["a"]?.partitions[1].leader == 2)
        #expect(one["a"]?.error == nil)
        broker.setTopicError("b", .topicAuthorizationFailed)
        let refused = try consumer.metadata(topic: "b", timeoutMilliseconds: 30_000)
        #expect(refused["b"]?.error?.code == .topicAuthorizationFailed)
        try consumer.close()
    }

    /// A cluster that cannot be reached must show: as an event while consuming, as an error when asked.
    @Test func anUnreachableClusterIsReported() throws {
        let broker = try makeBroker(partitions: 1)
        let consumer = try makeConsumer(broker)
        _ = try consumer.metadata(topic: nil, timeoutMilliseconds: 30_000)
        try broker.setDown(broker: 1)
        let down = firstError(of: consumer) { $0.code == .allBrokersDown }
        #expect(down?.isFatal == false)
        let failure = #expect(throws: KafkaError.self) {
            try consumer.metadata(topic: nil, timeoutMilliseconds: 100)
        }
        #expect(failure?.isRetriable == true)
        try broker.setUp(broker: 1)
        #expect(throws: Never.self) { try consumer.metadata(topic: nil, timeoutMilliseconds: 30_000) }
        try consumer.close()
    }

    /// A static member that was replaced must stop: it is known by the code, or it would hang for ever without a word.
    @Test func aFencedStaticMemberIsFatal() throws {
        let broker = try makeBroker(partitions: 1)
        let consumer = try makeConsumer(broker) { $0.groupInstanceID = "worker" }
        var isAssigned = false
        try consumer.subscribe(
            ["t"],
            rebalance: RebalanceHandler(assigned: { _, _ in
                isAssigned = true
                return .nothingYet
            }))
        serve(consumer) { isAssigned }
        broker.inject([.fencedInstanceID], into: .heartbeat)
        let fatal = firstError(of: consumer) { $0.isFatal }
        #expect(fatal?.code == .fencedInstanceID)
        #expect(consumer.fatalError?.code == .fencedInstanceID)
        try? consumer.close()
    }

    /// Statistics feed the lag metrics.
    @Test func statisticsArriveAsJSON() throws {
        let broker = try makeBroker(partitions: 1)
        let consumer = try makeConsumer(broker) { $0.statisticsIntervalMilliseconds = 10 }
        var json: [UInt8] = []
        let end = ContinuousClock.now + patience
        while json.isEmpty, ContinuousClock.now < end {
            if case .statistics(let bytes) = consumer.poll(timeoutMilliseconds: 10) { json = bytes }
        }
        #expect(json.first == UInt8(ascii: "{"))
        try consumer.close()
    }

    /// The embedded broker answers no admin request: that must be an error in time and not a hang.
    @Test func adminRequestsThatAreNotAnsweredFail() throws {
        let broker = try makeBroker(partitions: 1)
        let admin = try Admin(bootstrapServers: broker.bootstrapServers)
        #expect(throws: KafkaError.self) {
            try admin.createTopics(
                [NewTopic("new", partitions: 3, settings: ["cleanup.policy": "compact"])], timeoutMilliseconds: 500)
        }
        #expect(throws: KafkaError.self) { try admin.describeTopics(["t"], timeoutMilliseconds: 500) }
        #expect(try admin.metadata(topic: "t", timeoutMilliseconds: 30_000)["t"]?.partitions.count == 1)
    }
}
