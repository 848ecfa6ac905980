internal import CLibrdkafka

/// Owns a `rd_kafka_topic_partition_list_t`.
///
/// The pointer is only to be had inside ``use(_:)``: outside, the compiler may free the list after its last mention.
final class TopicPartitionList {
    private let native: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ offsets: [TopicPartitionOffset]) throws(KafkaError) {
        native = rd_kafka_topic_partition_list_new(Int32(clamping: offsets.count))
        for element in offsets {
            // Kafka's partition numbers are not negative; librdkafka would take -1 for "any".
            precondition(element.partition.partition >= 0, "\(element.partition) is not a partition")
            let added = rd_kafka_topic_partition_list_add(native, element.topic, element.partition.partition)!
            added.pointee.offset = element.offset.rawValue
            guard var metadata = element.metadata else { continue }
            let copied = metadata.withUTF8 { clibrdkafka_set_metadata(added, $0.baseAddress ?? nil, $0.count) }
            if copied == 0 {
                throw KafkaError(
                    code: .systemResource, operation: "attach metadata to an offset", topic: element.topic,
                    partition: element.partition.partition)
            }
        }
    }

    convenience init(_ partitions: [TopicPartition]) {
        // Without metadata nothing can fail.
        try! self.init(partitions.map { TopicPartitionOffset($0, .unset) })
    }

    /// Takes over a list that librdkafka made.
    init(owning native: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        self.native = native
    }

    deinit {
        rd_kafka_topic_partition_list_destroy(native)
    }

    /// Calls `body` with the C list, which lives at least until it returns.
    func use<Result>(_ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> Result) -> Result {
        withExtendedLifetime(self) { body(native) }
    }

    /// The elements' partitions.
    var partitions: [TopicPartition] {
        use { Self.partitions($0) }
    }

    /// The elements; throws the first error that librdkafka noted at one of them.
    func checkedElements(_ operation: String) throws(KafkaError) -> [TopicPartitionOffset] {
        defer { withExtendedLifetime(self) {} }
        try Self.checkElements(native, operation)
        return Self.elements(native)
    }

    static func checkElements(
        _ list: UnsafePointer<rd_kafka_topic_partition_list_t>, _ operation: String
    ) throws(KafkaError) {
        for index in 0..<Int(list.pointee.cnt) {
            let element = list.pointee.elems[index]
            try KafkaError.check(
                element.err, operation, topic: String(cString: element.topic), partition: element.partition)
        }
    }

    static func elements(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [TopicPartitionOffset] {
        (0..<Int(list.pointee.cnt)).map { index in
            let element = list.pointee.elems[index]
            var metadata: String?
            if let bytes = element.metadata, element.metadata_size > 0 {
                metadata = String(
                    decoding: UnsafeRawBufferPointer(start: bytes, count: element.metadata_size), as: UTF8.self)
            }
            return TopicPartitionOffset(
                TopicPartition(String(cString: element.topic), element.partition), element.offset, metadata: metadata)
        }
    }

    static func partitions(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [TopicPartition] {
        elements(list).map(\.partition)
    }
}
