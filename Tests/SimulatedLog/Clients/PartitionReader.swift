import Kafka

/// How far a consumer has read a partition.
final class PartitionReader {
    private let partition: TopicPartition
    private unowned let consumer: SimulatedConsumer
    private var start: Offset
    /// The offset of the next record; nil until `start` is resolved.
    private var position: Int64?
    /// Where the end was last announced.
    private var announcedEnd: Int64?
    private var hasFailed = false

    init(_ partition: TopicPartition, from start: Offset, for consumer: SimulatedConsumer) {
        self.partition = partition
        self.start = start
        self.consumer = consumer
    }

    /// Adds up to `limit` entries to the batch.
    func read(_ log: PartitionLog, into batch: MessageBatch, limit: Int) {
        guard !hasFailed else { return }
        if position == nil { resolve(log) }
        guard var next = position else { return report(log, into: batch) }
        if next < log.start || next > log.end {
            reset(log)
            guard let found = position else { return report(log, into: batch) }
            next = found
        }
        let isolation = consumer.configuration.isolation
        let end = log.end(for: isolation)
        var index = log.index(of: next)
        while batch.count < limit, index < log.entries.count, log.entries[index].offset < end {
            let entry = log.entries[index]
            if log.isVisible(entry, isolation) {
                batch.append(
                    ForeignRecord(
                        .record, partition, offset: entry.offset, timestamp: entry.timestamp, key: entry.key,
                        value: entry.value, headers: entry.headers))
            }
            next = entry.offset + 1
            index += 1
        }
        position = next
        // Markers and gaps at the end are passed without a record.
        let isAtEnd = index == log.entries.count || log.entries[index].offset >= end
        guard isAtEnd, batch.count < limit else { return }
        next = max(next, end)
        position = next
        guard announcedEnd != next else { return }
        announcedEnd = next
        batch.append(ForeignRecord(.endOfPartition, partition, offset: next))
    }

    private func resolve(_ log: PartitionLog) {
        switch start {
        case .beginning: position = log.start
        case .end: position = log.end(for: consumer.configuration.isolation)
        case .stored:
            let group = consumer.cluster.groups.group(consumer.configuration.groupID)
            // Asked again until no transaction can change it.
            guard !group.isUnstable(partition) else { return }
            if let offset = group.committed[partition]?.offset {
                position = offset
            } else {
                reset(log)
            }
        default:
            if let value = start.value {
                position = value
            } else if start.rawValue <= -2000 {
                position = max(log.start, log.end - (-2000 - start.rawValue))
            } else {
                reset(log)
            }
        }
    }

    /// There is no such offset.
    private func reset(_ log: PartitionLog) {
        announcedEnd = nil
        switch consumer.configuration.offsetReset {
        case .earliest: position = log.start
        case .latest: position = log.end(for: consumer.configuration.isolation)
        case .error:
            position = nil
            hasFailed = true
        }
    }

    private func report(_ log: PartitionLog, into batch: MessageBatch) {
        guard hasFailed else { return }
        let error = KafkaError(
            code: .autoOffsetReset, message: "fetch failed: offset out of range", operation: "consume",
            topic: partition.topic, partition: partition.partition)
        batch.append(ForeignRecord(.error(error), partition, offset: start.value ?? -1001))
    }
}

/// The records of one partition of a consumer.
final class SimulatedRecords: PartitionRecords {
    let partition: TopicPartition
    private unowned let consumer: SimulatedConsumer

    init(_ partition: TopicPartition, of consumer: SimulatedConsumer) {
        self.partition = partition
        self.consumer = consumer
    }

    func attach(_ waker: Waker) {}

    func fill(_ batch: MessageBatch, timeoutMilliseconds: Int) -> Int {
        precondition(batch.count == 0, "clear the batch before it is filled again: its records would be lost")
        let cluster = consumer.cluster
        do {
            return try cluster.call(.fill, of: consumer.process, operation: "consume", timeout: 0) {
                guard let log = cluster.log(partition), let reader = consumer.readers[partition],
                    cluster.outageLeft == nil, log.slowUntil <= cluster.clock.now
                else { return 0 }
                var limit = batch.capacity
                if cluster.draws(.partialFill) {
                    limit = min(limit, Int(cluster.number(in: 0...8)))
                }
                if limit > 0 { reader.read(log, into: batch, limit: limit) }
                return batch.count
            }
        } catch {
            batch.clear()
            return 0
        }
    }
}
