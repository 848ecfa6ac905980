import Glibc
import Kafka
import Testing

struct GroupTests {
    /// Two members share the partitions. The handler must run on the thread that polls, and records must go on coming
    /// out of the partition queues after the rebalance; none is lost or read twice. (Positions are handed over in
    /// memory, because the embedded broker refuses commits during a rebalance, which Kafka accepts.)
    @Test func aRebalanceHandsPartitionsOverWithoutLoss() throws {
        let broker = try makeBroker(partitions: 4)
        let partitions = (0..<4).map { TopicPartition("t", $0) }
        for partition in partitions { try produce(200, to: partition, on: broker) }

        let positions = Positions()
        let first = try GroupMember(broker, positions)
        var errors = serve(first.consumer) { first.owned.count == 4 }
        // Read a part, so that all queues hold prefetched records when the second member joins.
        errors += serve(first.consumer) {
            first.read(atMost: 50)
            return first.seen.count >= 50
        }
        let second = try GroupMember(broker, positions)
        errors += serve(first.consumer, second.consumer) { first.owned.count == 2 && second.owned.count == 2 }
        for partition in partitions { try produce(100, to: partition, on: broker) }
        errors += serve(first.consumer, second.consumer) {
            first.read()
            second.read()
            return first.seen.count + second.seen.count >= 1200
        }
        #expect(errors.isEmpty)
        #expect(Set(first.seen + second.seen).count == 1200)
        #expect(first.seen.count + second.seen.count == 1200)
        // A busy machine may take a round more until both have their share.
        #expect(first.revocations >= 1)
        #expect(first.threads == [pthread_self()] && second.threads == [pthread_self()])
        try first.consumer.close()
        try second.consumer.close()
        #expect(second.revocations >= 1)
    }

    /// The elected worker reads other partitions than the group gave it, and only once its state is restored.
    @Test func anAssignmentCanBeTakenOverLaterAndElsewhere() throws {
        let broker = try makeBroker(partitions: 1)
        try broker.createTopic("input", partitions: 2)
        let input = TopicPartition("input", 1)
        try produce(20, to: input, on: broker)
        let consumer = try makeConsumer(broker)
        var granted: [TopicPartition] = []
        var metadata: GroupMetadata?
        try consumer.subscribe(
            ["t"],
            rebalance: RebalanceHandler(assigned: { consumer, partitions in
                granted = partitions
                metadata = try? consumer.groupMetadata()
                return .nothingYet
            }))
        serve(consumer) { !granted.isEmpty }
        #expect(granted == [TopicPartition("t", 0)])
        #expect(metadata != nil)
        #expect(try consumer.assignment().isEmpty)
        try consumer.assign([TopicPartitionOffset(input, 5)])
        let batch = MessageBatch(capacity: 100)
        var values: [String] = []
        let errors = try serve(consumer) {
            _ = try consumer.partitionQueue(for: input).fill(batch)
            values += batch.filter(\.isRecord).map { text($0.value) }
            batch.clear()
            return values.count >= 15
        }
        #expect(errors.isEmpty)
        #expect(values == (5..<20).map(String.init))
        #expect(consumer.memberID != nil && !consumer.isAssignmentLost)
        try consumer.close()
    }

    /// The offsets that a group committed, and what was stored along, are what the next owner starts from.
    @Test func committedOffsetsComeBackWithTheirMetadata() throws {
        let broker = try makeBroker(partitions: 3)
        let partitions = (0..<3).map { TopicPartition("t", $0) }
        let consumer = try makeConsumer(broker)
        try consumer.commit([
            TopicPartitionOffset(partitions[0], 42, metadata: "lowest=17"), TopicPartitionOffset(partitions[1], 7),
        ])
        let committed = try consumer.committed(partitions, timeoutMilliseconds: 30_000)
        #expect(committed.map(\.partition) == partitions)
        #expect(committed.map(\.offset) == [Offset(42), Offset(7), .unset])
        #expect(committed.map(\.metadata) == ["lowest=17", nil, nil])
        try consumer.close()
    }

    /// A member that is granted a partition must go on at the committed offset, without being told where that is.
    @Test func aGrantedPartitionStartsAtTheCommittedOffset() throws {
        let broker = try makeBroker(partitions: 1)
        let partition = TopicPartition("t", 0)
        try produce(10, to: partition, on: broker)
        let earlier = try makeConsumer(broker)
        try earlier.commit([TopicPartitionOffset(partition, 6)])
        try earlier.close()
        let consumer = try makeConsumer(broker)
        try consumer.subscribe(["t"])
        let batch = MessageBatch(capacity: 100)
        var offsets: [Int64] = []
        let errors = try serve(consumer) {
            _ = try consumer.partitionQueue(for: partition).fill(batch)
            offsets += batch.filter(\.isRecord).map(\.offset)
            batch.clear()
            return offsets.count >= 4
        }
        #expect(errors.isEmpty)
        #expect(offsets == [6, 7, 8, 9])
        try consumer.close()
    }

    /// A commit that the group refuses must be known to whoever made it, with or without waiting.
    @Test func aRefusedCommitIsReported() throws {
        let broker = try makeBroker(partitions: 1)
        let consumer = try makeConsumer(broker)
        let offsets = [TopicPartitionOffset(TopicPartition("t", 0), 1)]
        try consumer.commit(offsets)
        broker.inject([.illegalGeneration], into: .offsetCommit)
        let refused = #expect(throws: KafkaError.self) { try consumer.commit(offsets) }
        #expect(refused?.code == .illegalGeneration)
        #expect(refused?.operation == "commit offsets")
        broker.inject([.unknownMemberID], into: .offsetCommit)
        try consumer.commitAsync(offsets)
        #expect(firstError(of: consumer) { _ in true }?.code == .unknownMemberID)
        try consumer.close()
    }

    /// A rebalance inside a call that fills a batch must not leave records of revoked partitions in it.
    @Test func aMergedBatchHoldsNothingOfBeforeARebalance() throws {
        let broker = try makeBroker(partitions: 2)
        for partition in 0..<2 { try produce(300, to: TopicPartition("t", Int32(partition)), on: broker) }
        var next: [Int32: Int64] = [:]
        var assignments = 0
        let handler = RebalanceHandler(
            assigned: { _, partitions in
                assignments += 1
                return .at(partitions.map { TopicPartitionOffset($0, next[$0.partition, default: 0]) })
            })
        func merged(_ configuration: inout ConsumerConfiguration) {
            rebalancesQuickly(&configuration)
            configuration.delivery = .mergedQueue
        }
        let first = try makeConsumer(broker, merged)
        let second = try makeConsumer(broker, merged)
        let batch = MessageBatch(capacity: 40)
        func read(_ consumer: Consumer) throws {
            _ = try consumer.consumeBatch(into: batch, timeoutMilliseconds: 10)
            for message in batch where message.isRecord {
                #expect(message.offset == next[message.partition, default: 0])
                next[message.partition] = message.offset + 1
            }
            batch.clear()
        }
        try first.subscribe(["t"], rebalance: handler)
        try serve(first) {
            try read(first)
            return next.count == 2
        }
        try second.subscribe(["t"], rebalance: handler)
        try serve(first, second) {
            try read(first)
            try read(second)
            return assignments >= 3 && next == [0: 300, 1: 300]
        }
        try first.close()
        try second.close()
    }
}

/// The embedded broker waits for the whole session timeout whenever another member joins.
private func rebalancesQuickly(_ configuration: inout ConsumerConfiguration) {
    configuration.sessionTimeoutMilliseconds = 3000
    configuration.additional = ["heartbeat.interval.ms": "200"]
}

/// Where the next owner of a partition goes on.
private final class Positions {
    var next: [TopicPartition: Int64] = [:]
}

/// A consumer that goes on where the last owner of a partition stopped.
private final class GroupMember {
    let consumer: Consumer
    private(set) var owned: [TopicPartition] = []
    private(set) var seen: [String] = []
    private(set) var threads: Set<pthread_t> = []
    private(set) var revocations = 0
    private let positions: Positions
    private let batch = MessageBatch(capacity: 32)

    init(_ broker: EmbeddedBroker, _ positions: Positions) throws {
        self.positions = positions
        consumer = try makeConsumer(broker, rebalancesQuickly)
        try consumer.subscribe(
            ["t"],
            rebalance: RebalanceHandler(
                assigned: { [unowned self] _, partitions in
                    owned = partitions
                    threads.insert(pthread_self())
                    return .at(partitions.map { TopicPartitionOffset($0, positions.next[$0, default: 0]) })
                },
                revoked: { [unowned self] _, _ in
                    owned = []
                    revocations += 1
                    threads.insert(pthread_self())
                }))
    }

    func read(atMost limit: Int = .max) {
        for partition in owned where seen.count < limit {
            guard let queue = try? consumer.partitionQueue(for: partition) else { continue }
            _ = queue.fill(batch)
            for message in batch where message.isRecord {
                #expect(message.offset == positions.next[partition, default: 0])
                positions.next[partition] = message.offset + 1
                seen.append("\(partition)@\(message.offset)")
            }
            batch.clear()
        }
    }
}
