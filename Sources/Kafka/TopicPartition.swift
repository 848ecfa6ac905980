/// One partition of one topic.
public struct TopicPartition: Hashable, Sendable {
    /// The topic's name.
    public var topic: String
    /// The partition's number, from 0.
    public var partition: Int32

    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }
}

extension TopicPartition: Comparable {
    /// By topic name, then by number.
    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

extension TopicPartition: CustomStringConvertible {
    /// `topic[number]`, as the Kafka tools write it.
    public var description: String { "\(topic)[\(partition)]" }
}
