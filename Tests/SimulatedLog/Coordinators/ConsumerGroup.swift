import Kafka

/// What a group committed for a partition.
struct CommittedOffset: Equatable {
    var offset: Int64
    var metadata: String?
}

/// A member of a group, as the coordinator knows it.
final class GroupMember {
    let id: String
    let instanceID: String?
    let consumer: SimulatedConsumer
    let topics: [String]
    let sessionTimeout: Int64
    /// How long a rebalance waits for it.
    let rebalanceTimeout: Int64
    /// Has joined the rebalance that is being prepared.
    var hasJoined = true
    var assignment: [TopicPartition] = []

    init(_ id: String, of consumer: SimulatedConsumer, topics: [String]) {
        self.id = id
        self.consumer = consumer
        self.topics = topics
        instanceID = consumer.configuration.groupInstanceID
        sessionTimeout = Int64(consumer.configuration.sessionTimeoutMilliseconds)
        rebalanceTimeout = Int64(consumer.configuration.maxPollIntervalMilliseconds)
    }
}

/// A consumer group: who is in, and what was committed.
final class ConsumerGroup {
    enum Phase { case empty, preparing, stable }

    let name: String
    var generation: Int32 = 0
    var phase = Phase.empty
    /// Tells one rebalance's deadline from the next one's.
    var preparation = 0
    /// The rebalance being prepared waits for nothing but its members.
    var isSettled = false
    var members: [GroupMember] = []
    /// Members whose place was taken by another with the same instance id.
    var fenced: Set<String> = []
    private(set) var committed: [TopicPartition: CommittedOffset] = [:]
    private var pending: [Int: [TopicPartition: CommittedOffset]] = [:]
    /// What was committed, in the order in which it happened.
    private(set) var history: [TopicPartitionOffset] = []

    init(_ name: String) { self.name = name }

    /// Whether a transaction that may commit an offset of this partition has not ended.
    func isUnstable(_ partition: TopicPartition) -> Bool { pending.values.contains { $0[partition] != nil } }

    func commit(_ offsets: [TopicPartitionOffset]) {
        for offset in offsets {
            committed[offset.partition] = CommittedOffset(offset: offset.offset.rawValue, metadata: offset.metadata)
            history.append(offset)
        }
    }

    func add(_ offsets: [TopicPartitionOffset], to transaction: Int) {
        for offset in offsets {
            pending[transaction, default: [:]][offset.partition] = CommittedOffset(
                offset: offset.offset.rawValue, metadata: offset.metadata)
        }
    }

    func finish(_ transaction: Int, isCommit: Bool) {
        guard let offsets = pending.removeValue(forKey: transaction), isCommit else { return }
        commit(
            offsets.sorted { $0.key < $1.key }
                .map { TopicPartitionOffset($0.key, $0.value.offset, metadata: $0.value.metadata) })
    }

    /// Whether offsets may be committed in the name of this member.
    ///
    /// Without a member's name nothing is checked, as real brokers do for clients that are no members.
    func check(member: String, generation: Int32, isTransactional: Bool) throws(Refusal) {
        if generation < 0, member.isEmpty {
            // A commit outside of transactions is refused while there are members.
            guard isTransactional || members.isEmpty else { throw Refusal(code: .unknownMemberID) }
            return
        }
        if fenced.contains(member) { throw Refusal(code: .fencedInstanceID) }
        guard members.contains(where: { $0.id == member }) else { throw Refusal(code: .unknownMemberID) }
        guard generation == self.generation else { throw Refusal(code: .illegalGeneration) }
    }
}
