internal import CLibrdkafka

/// librdkafka's own small cluster, inside this process: for the demo and for tests. Other processes can connect too.
///
/// Produce, consume, groups, commits and rebalances work. It does *not* hide the records of aborted transactions, keep
/// offsets that a transaction sent, fence anybody, compact, persist, answer admin requests or find offsets by time. It
/// keeps 5 MiB or 100 000 batches a partition. It aborts the process when members of one group use different assignment
/// strategies.
///
/// Threads: any; librdkafka serves it from a thread of its own.
public final class EmbeddedBroker: @unchecked Sendable {
    /// A kind of request to inject errors into.
    public struct Request: RawRepresentable, Hashable, Sendable {
        /// The API key of the Kafka protocol.
        public let rawValue: Int16

        public init(rawValue: Int16) {
            self.rawValue = rawValue
        }

        public static let produce = Request(rawValue: 0)
        public static let fetch = Request(rawValue: 1)
        public static let listOffsets = Request(rawValue: 2)
        public static let metadata = Request(rawValue: 3)
        public static let offsetCommit = Request(rawValue: 8)
        public static let offsetFetch = Request(rawValue: 9)
        public static let findCoordinator = Request(rawValue: 10)
        public static let joinGroup = Request(rawValue: 11)
        public static let heartbeat = Request(rawValue: 12)
        public static let leaveGroup = Request(rawValue: 13)
        public static let syncGroup = Request(rawValue: 14)
        public static let initProducerID = Request(rawValue: 22)
        public static let addPartitionsToTransaction = Request(rawValue: 24)
        public static let addOffsetsToTransaction = Request(rawValue: 25)
        public static let endTransaction = Request(rawValue: 26)
        public static let transactionOffsetCommit = Request(rawValue: 28)
    }

    /// `host:port` of all brokers, comma-separated.
    public let bootstrapServers: String
    // Both are only handed to functions of librdkafka that are safe from any thread.
    private let client: OpaquePointer
    private let cluster: OpaquePointer

    /// Starts the cluster on free ports of the loopback interface.
    ///
    /// - Parameter brokers: at least 1; they are numbered from 1.
    public init(brokers: Int = 1) throws(KafkaError) {
        precondition(brokers > 0, "a cluster has at least one broker")
        let configuration = NativeConfiguration()
        // This client connects to nothing, and would warn about it.
        try configuration.set(["client.id": "embedded-broker", "log_level": "3"])
        client = try configuration.makeClient(RD_KAFKA_PRODUCER)
        guard let cluster = rd_kafka_mock_cluster_new(client, Int32(brokers)) else {
            rd_kafka_destroy(client)
            throw KafkaError(
                code: .systemResource, message: "no free port on the loopback interface",
                operation: "start the embedded broker")
        }
        self.cluster = cluster
        bootstrapServers = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }

    /// Creates a topic. Topics that clients mention are created as well, with 4 partitions.
    ///
    /// - Throws: `TOPIC_ALREADY_EXISTS`.
    public func createTopic(_ name: String, partitions: Int, replicationFactor: Int = 1) throws(KafkaError) {
        let result = rd_kafka_mock_topic_create(cluster, name, Int32(partitions), Int32(replicationFactor))
        try KafkaError.check(result, "create a topic on the embedded broker", topic: name)
    }

    /// Answers the next requests of this kind with these errors, one each.
    public func inject(_ errors: [KafkaError.Code], into request: Request) {
        let natives = errors.map(\.native)
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, natives.count, natives)
    }

    /// Forgets the errors that have not been answered yet.
    public func clearInjected(_ request: Request) {
        rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
    }

    /// Answers everything that concerns this topic with this error; `none` ends that.
    public func setTopicError(_ topic: String, _ error: KafkaError.Code) {
        rd_kafka_mock_topic_set_error(cluster, topic, error.native)
    }

    /// Closes a broker's connections and refuses new ones.
    public func setDown(broker: Int32) throws(KafkaError) {
        try check(rd_kafka_mock_broker_set_down(cluster, broker), "take down", broker)
    }

    /// Ends ``setDown(broker:)``.
    public func setUp(broker: Int32) throws(KafkaError) {
        try check(rd_kafka_mock_broker_set_up(cluster, broker), "bring up", broker)
    }

    /// Delays a broker's answers.
    public func setRoundTrip(broker: Int32, milliseconds: Int) throws(KafkaError) {
        try check(rd_kafka_mock_broker_set_rtt(cluster, broker, Int32(milliseconds: milliseconds)), "slow down", broker)
    }

    /// Moves the leadership of a partition; nil leaves it without a leader.
    public func setLeader(of partition: TopicPartition, broker: Int32?) throws(KafkaError) {
        try KafkaError.check(
            rd_kafka_mock_partition_set_leader(cluster, partition.topic, partition.partition, broker ?? -1),
            "move the leadership on the embedded broker", topic: partition.topic, partition: partition.partition)
    }

    /// Puts the coordinator of a consumer group on this broker.
    public func setCoordinator(ofGroup group: String, broker: Int32) throws(KafkaError) {
        try check(rd_kafka_mock_coordinator_set(cluster, "group", group, broker), "move a coordinator to", broker)
    }

    private func check(_ result: rd_kafka_resp_err_t, _ operation: String, _ broker: Int32) throws(KafkaError) {
        try KafkaError.check(result, "\(operation) embedded broker \(broker)")
    }
}
