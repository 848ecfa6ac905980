internal import CLibrdkafka

/// What the brokers say about themselves and their topics.
public struct Metadata: Sendable {
    public struct Broker: Hashable, Sendable {
        public var id: Int32
        public var host: String
        public var port: Int
    }

    public struct Partition: Sendable {
        public var id: Int32
        /// The broker that leads it; nil while there is none.
        public var leader: Int32?
        public var replicas: [Int32]
        public var inSyncReplicas: [Int32]
        public var error: KafkaError?
    }

    public struct Topic: Sendable {
        public var name: String
        public var partitions: [Partition]
        /// Why the topic cannot be used, such as `UNKNOWN_TOPIC_OR_PART`.
        public var error: KafkaError?
    }

    public var brokers: [Broker]
    public var topics: [Topic]
    /// Which broker answered; nil where librdkafka does not say.
    public var originBroker: Int32?

    /// The topic of this name; nil when the answer does not contain it.
    public subscript(topic: String) -> Topic? {
        topics.first { $0.name == topic }
    }
}

extension Metadata {
    init(client: OpaquePointer, topic: String?, timeoutMilliseconds: Int) throws(KafkaError) {
        var only: OpaquePointer?
        if let topic {
            only = rd_kafka_topic_new(client, topic, nil)
            guard only != nil else {
                throw KafkaError(code: .init(rd_kafka_last_error()), operation: "read metadata", topic: topic)
            }
        }
        defer { if let only { rd_kafka_topic_destroy(only) } }
        var native: UnsafePointer<rd_kafka_metadata>?
        let timeout = Int32(milliseconds: timeoutMilliseconds)
        try KafkaError.check(
            rd_kafka_metadata(client, topic == nil ? 1 : 0, only, &native, timeout), "read metadata", topic: topic)
        guard let native else {
            throw KafkaError(code: .systemResource, operation: "read metadata", topic: topic)
        }
        defer { rd_kafka_metadata_destroy(native) }
        self.init(native.pointee)
    }

    private init(_ native: rd_kafka_metadata) {
        brokers = (0..<Int(native.broker_cnt)).map { index in
            let broker = native.brokers[index]
            return Broker(id: broker.id, host: String(cString: broker.host), port: Int(broker.port))
        }
        topics = (0..<Int(native.topic_cnt)).map { Topic(native.topics[$0]) }
        originBroker = native.orig_broker_id < 0 ? nil : native.orig_broker_id
    }
}

extension Metadata.Topic {
    fileprivate init(_ native: rd_kafka_metadata_topic) {
        let name = String(cString: native.topic)
        self.name = name
        partitions = (0..<Int(native.partition_cnt))
            .map { Metadata.Partition(native.partitions[$0], topic: name) }
            .sorted { $0.id < $1.id }
        error =
            native.err == RD_KAFKA_RESP_ERR_NO_ERROR
            ? nil : KafkaError(code: .init(native.err), operation: "use the topic", topic: name)
    }
}

extension Metadata.Partition {
    fileprivate init(_ native: rd_kafka_metadata_partition, topic: String) {
        id = native.id
        leader = native.leader < 0 ? nil : native.leader
        replicas = (0..<Int(native.replica_cnt)).map { native.replicas[$0] }
        inSyncReplicas = (0..<Int(native.isr_cnt)).map { native.isrs[$0] }
        error =
            native.err == RD_KAFKA_RESP_ERR_NO_ERROR
            ? nil
            : KafkaError(
                code: .init(native.err), operation: "use the partition", topic: topic, partition: native.id)
    }
}

extension Metadata {
    /// Metadata of topics without errors, for clusters that librdkafka has no part in.
    ///
    /// - Parameter topics: how many partitions each topic has.
    public init(topics: [String: Int]) {
        brokers = [Broker(id: 1, host: "localhost", port: 0)]
        originBroker = nil
        self.topics = topics.sorted { $0.key < $1.key }.map { name, count in
            Topic(
                name: name,
                partitions: (0..<count).map {
                    Partition(id: Int32($0), leader: 1, replicas: [1], inSyncReplicas: [1], error: nil)
                }, error: nil)
        }
    }
}
