internal import CLibrdkafka

/// A topic to create.
public struct NewTopic: Hashable, Sendable {
    public var name: String
    public var partitions: Int
    /// Nil takes the brokers' default.
    public var replicationFactor: Int?
    /// Settings of the topic, such as `cleanup.policy`.
    public var settings: [String: String]

    public init(_ name: String, partitions: Int, replicationFactor: Int? = nil, settings: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.replicationFactor = replicationFactor
        self.settings = settings
    }
}

/// What became of a topic that was to be created.
public struct TopicResult: Sendable {
    public var name: String
    /// Nil where it was created; `TOPIC_ALREADY_EXISTS` is often as good.
    public var error: KafkaError?
}

/// A topic's settings as the brokers apply them.
public struct TopicConfiguration: Sendable {
    public var name: String
    /// Those set on the topic, and the defaults. Sensitive values are absent.
    public var settings: [String: String]
    /// Why the settings are not known.
    public var error: KafkaError?
}

/// Creates topics and reads their settings. The embedded broker does not answer such requests.
///
/// Threads: one thread owns it and makes all calls; each blocks until the answer or the timeout.
public final class Admin {
    private let client: OpaquePointer
    private let queue: OpaquePointer

    /// - Parameter additional: passed on to librdkafka, such as `security.protocol`; what a producer refuses is refused.
    public init(bootstrapServers: String, additional: [String: String] = [:]) throws(KafkaError) {
        try RefusedSettings.producer.check(additional)
        let configuration = NativeConfiguration()
        try configuration.set(["bootstrap.servers": bootstrapServers, "client.id": "driftgate-admin"])
        try configuration.set(additional)
        client = try configuration.makeClient(RD_KAFKA_PRODUCER)
        queue = rd_kafka_queue_new(client)
    }

    deinit {
        rd_kafka_queue_destroy(queue)
        rd_kafka_destroy(client)
    }

    /// Asks the brokers about one topic, or about all.
    public func metadata(topic: String?, timeoutMilliseconds: Int) throws(KafkaError) -> Metadata {
        try Metadata(client: client, topic: topic, timeoutMilliseconds: timeoutMilliseconds)
    }

    /// Creates topics and waits until the controller knows them.
    ///
    /// - Returns: one result a topic.
    /// - Throws: when the request as a whole failed.
    public func createTopics(_ topics: [NewTopic], timeoutMilliseconds: Int) throws(KafkaError) -> [TopicResult] {
        var natives: [OpaquePointer?] = []
        defer { for native in natives { rd_kafka_NewTopic_destroy(native) } }
        for topic in topics { natives.append(try nativeTopic(topic)) }
        let options = try options(RD_KAFKA_ADMIN_OP_CREATETOPICS, timeoutMilliseconds)
        defer { rd_kafka_AdminOptions_destroy(options) }
        rd_kafka_CreateTopics(client, &natives, natives.count, options, queue)
        let event = try answer("create topics", timeoutMilliseconds)
        defer { rd_kafka_event_destroy(event) }
        var count = 0
        guard let result = rd_kafka_event_CreateTopics_result(event),
            let results = rd_kafka_CreateTopics_result_topics(result, &count)
        else { return [] }
        return (0..<count).compactMap { index in
            guard let entry = results[index] else { return nil }
            let name = String(cString: rd_kafka_topic_result_name(entry))
            return TopicResult(
                name: name,
                error: Self.error(
                    rd_kafka_topic_result_error(entry), rd_kafka_topic_result_error_string(entry),
                    operation: "create the topic", topic: name))
        }
    }

    /// Reads the settings of topics.
    ///
    /// - Returns: one entry a topic.
    /// - Throws: when the request as a whole failed.
    public func describeTopics(
        _ topics: [String], timeoutMilliseconds: Int
    ) throws(KafkaError) -> [TopicConfiguration] {
        var resources: [OpaquePointer?] = topics.map { rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0) }
        defer { rd_kafka_ConfigResource_destroy_array(&resources, resources.count) }
        let options = try options(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeoutMilliseconds)
        defer { rd_kafka_AdminOptions_destroy(options) }
        rd_kafka_DescribeConfigs(client, &resources, resources.count, options, queue)
        let event = try answer("describe topics", timeoutMilliseconds)
        defer { rd_kafka_event_destroy(event) }
        var count = 0
        guard let result = rd_kafka_event_DescribeConfigs_result(event),
            let described = rd_kafka_DescribeConfigs_result_resources(result, &count)
        else { return [] }
        return (0..<count).compactMap { described[$0].map(Self.configuration) }
    }

    private func nativeTopic(_ topic: NewTopic) throws(KafkaError) -> OpaquePointer {
        var reason = [CChar](repeating: 0, count: 512)
        guard
            let native = rd_kafka_NewTopic_new(
                topic.name, Int32(clamping: topic.partitions), Int32(clamping: topic.replicationFactor ?? -1),
                &reason, reason.count)
        else {
            throw KafkaError(
                code: .invalidArgument,
                message: String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self),
                operation: "create the topic", topic: topic.name)
        }
        for (key, value) in topic.settings { rd_kafka_NewTopic_set_config(native, key, value) }
        return native
    }

    private func options(_ request: rd_kafka_admin_op_t, _ timeoutMilliseconds: Int) throws(KafkaError) -> OpaquePointer
    {
        let options = rd_kafka_AdminOptions_new(client, request)!
        var reason = [CChar](repeating: 0, count: 512)
        let timeout = Int32(clamping: max(1, timeoutMilliseconds))
        rd_kafka_AdminOptions_set_request_timeout(options, timeout, &reason, reason.count)
        if request == RD_KAFKA_ADMIN_OP_CREATETOPICS {
            // The controller's own wait until the topic is known to all brokers.
            rd_kafka_AdminOptions_set_operation_timeout(options, timeout, &reason, reason.count)
        }
        return options
    }

    /// Waits for the answer to the only request under way.
    private func answer(_ operation: String, _ timeoutMilliseconds: Int) throws(KafkaError) -> OpaquePointer {
        // The request's own timeout yields an answer too; the margin only guards against waiting for ever.
        guard let event = rd_kafka_queue_poll(queue, Int32(clamping: timeoutMilliseconds + 5000)) else {
            throw KafkaError(code: .timedOut, operation: operation)
        }
        let code = rd_kafka_event_error(event)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return event }
        defer { rd_kafka_event_destroy(event) }
        throw KafkaError(
            code: .init(code), message: rd_kafka_event_error_string(event).map { String(cString: $0) },
            operation: operation)
    }

    private static func configuration(_ resource: OpaquePointer) -> TopicConfiguration {
        let name = String(cString: rd_kafka_ConfigResource_name(resource))
        var settings: [String: String] = [:]
        var count = 0
        if let entries = rd_kafka_ConfigResource_configs(resource, &count) {
            for index in 0..<count {
                guard let entry = entries[index], let value = rd_kafka_ConfigEntry_value(entry) else { continue }
                settings[String(cString: rd_kafka_ConfigEntry_name(entry))] = String(cString: value)
            }
        }
        return TopicConfiguration(
            name: name, settings: settings,
            error: error(
                rd_kafka_ConfigResource_error(resource), rd_kafka_ConfigResource_error_string(resource),
                operation: "describe the topic", topic: name))
    }

    private static func error(
        _ code: rd_kafka_resp_err_t, _ text: UnsafePointer<CChar>?, operation: String, topic: String
    ) -> KafkaError? {
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return KafkaError(
            code: .init(code), message: text.map { String(cString: $0) }, operation: operation, topic: topic)
    }
}
