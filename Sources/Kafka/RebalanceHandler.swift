/// Where the partitions that were just assigned are read from.
public enum AssignmentStart: Sendable {
    /// From the offsets that the group committed.
    case committed
    /// From these offsets. The list may hold other partitions than those assigned, such as all inputs where the
    /// group only elects who reads them.
    case at([TopicPartitionOffset])
    /// Nothing is read until ``Consumer/assign(_:)`` is called. Keep polling meanwhile.
    case nothingYet
}

/// What to do when the group gives partitions to this consumer or takes them away.
///
/// The closures run on the consumer's own thread, inside ``Consumer/poll(timeoutMilliseconds:)``,
/// ``Consumer/consumeBatch(into:timeoutMilliseconds:)`` or ``Consumer/close()``. They may call the consumer, except for
/// those three. They get the consumer, so that they need not capture it.
public struct RebalanceHandler {
    /// Partitions were granted. Take ``Consumer/groupMetadata()`` here: before the first assignment it names no
    /// generation, and brokers do not fence it.
    public var assigned: (_ consumer: any ConsumerClient, _ partitions: [TopicPartition]) -> AssignmentStart
    /// Partitions are about to be taken away; offsets can still be committed. The consumer reads nothing afterwards.
    public var revoked: (_ consumer: any ConsumerClient, _ partitions: [TopicPartition]) -> Void
    /// Partitions have been taken away already, another member may own them: nothing can be committed any more.
    public var lost: (_ consumer: any ConsumerClient, _ partitions: [TopicPartition]) -> Void

    public init(
        assigned: @escaping (_ consumer: any ConsumerClient, _ partitions: [TopicPartition]) -> AssignmentStart = {
            _, _ in
            .committed
        },
        revoked: @escaping (_ consumer: any ConsumerClient, _ partitions: [TopicPartition]) -> Void = { _, _ in },
        lost: @escaping (_ consumer: any ConsumerClient, _ partitions: [TopicPartition]) -> Void = { _, _ in }
    ) {
        self.assigned = assigned
        self.revoked = revoked
        self.lost = lost
    }
}
