package import Kafka
package import Retraining
package import StateRecords

/// The evaluations of a live run, and its last snapshot, as its state topic has them.
///
/// A worker deletes the cuts before its last snapshot; they are to be had until the brokers compact them away.
package struct CutLog {
    /// A live run's state at one of its evaluations.
    package struct Snapshot: Sendable {
        package var boundary: Milliseconds
        package var units: [(key: String, bytes: [UInt8])]
        /// Where inputs are read on.
        package var inputs: [TopicPartition: Int64]

        package init(boundary: Milliseconds, units: [(key: String, bytes: [UInt8])], inputs: [TopicPartition: Int64]) {
            (self.boundary, self.units, self.inputs) = (boundary, units, inputs)
        }
    }

    /// Those that are left, in order.
    package let cuts: [CutRecord]
    package let snapshot: Snapshot?

    /// Whether what is left begins with the snapshot, and not with the history.
    package var beginsWithSnapshot: Bool {
        guard let snapshot, let first = cuts.first else { return false }
        return first.boundary > snapshot.boundary
    }

    package init(cuts: [CutRecord], snapshot: Snapshot?) {
        self.cuts = cuts
        self.snapshot = snapshot
    }

    /// - Parameter partition: of the state topic; its number is the task's.
    package static func read(
        _ partition: TopicPartition, consumer configuration: ConsumerConfiguration
    ) throws -> CutLog {
        var configuration = configuration
        configuration.offsetReset = .earliest
        configuration.isolation = .readCommitted
        let consumer = try Consumer(configuration)
        let known = try consumer.metadata(topic: partition.topic, timeoutMilliseconds: 15_000)[partition.topic]
        guard let known, known.error == nil, known.partitions.contains(where: { $0.id == partition.partition }) else {
            throw ReplayError(
                "\(partition) is not there: \(partition.topic) has \(known?.partitions.count ?? 0) partitions, one a task"
            )
        }
        let records = try consumer.records(of: partition)
        let batch = MessageBatch(capacity: 500)
        defer {
            batch.clear()
            try? consumer.close()
        }
        try consumer.assign([TopicPartitionOffset(partition, .beginning)])
        var cuts: [Milliseconds: CutRecord] = [:]
        var chunks: [StateKey: [UInt8]] = [:]
        var position: PositionRecord?
        var idlePolls = 0
        while true {
            _ = consumer.poll(timeoutMilliseconds: 0)
            guard records.fill(batch, timeoutMilliseconds: 100) > 0 else {
                idlePolls += 1
                guard idlePolls < 300 else { throw ReplayError("\(partition) cannot be read: are the brokers there?") }
                continue
            }
            idlePolls = 0
            var isOver = false
            for entry in batch {
                if entry.isEndOfPartition {
                    isOver = true
                    break
                }
                if let error = entry.error { throw error }
                guard let key = StateKey(entry.key) else { continue }
                let value = Array(entry.value)
                do throws(StateFault) {
                    switch key {
                    case .chunk: chunks[key] = entry.isTombstone ? nil : value
                    // A boundary that was written twice was decided once: the later record is what was committed.
                    case .cut(let boundary):
                        if !entry.isTombstone { cuts[boundary] = try CutRecord(StateFrame.open(value[...]).payload) }
                    // What evaluations were made by: a replay is told its own configuration.
                    case .configuration: break
                    case .position: position = try PositionRecord(StateFrame.open(value[...]).payload)
                    }
                } catch {
                    throw ReplayError("\(partition), key \(String(decoding: key.bytes, as: UTF8.self)): \(error)")
                }
            }
            batch.clear()
            if isOver { break }
        }
        let ordered = cuts.values.sorted { $0.boundary < $1.boundary }
        guard let position else { return CutLog(cuts: ordered, snapshot: nil) }
        return CutLog(cuts: ordered, snapshot: try snapshot(of: position, chunks))
    }

    /// Nil where it is not whole.
    private static func snapshot(of position: PositionRecord, _ chunks: [StateKey: [UInt8]]) throws -> Snapshot? {
        guard let wanted = position.snapshot else { return nil }
        var pieces: [String: [SnapshotChunk]] = [:]
        var found = 0
        for (key, value) in chunks {
            guard case .chunk(wanted.slot, _, _) = key else { continue }
            let chunk = try SnapshotChunk(StateFrame.open(value[...]).payload)
            guard chunk.boundary == wanted.boundary else { continue }
            found += 1
            pieces[chunk.unit, default: []].append(chunk)
        }
        guard found == wanted.chunks else { return nil }
        // What the worker itself remembers is no part of the engine.
        pieces["worker"] = nil
        let units = pieces.sorted { $0.key < $1.key }.map { unit, pieces in
            (key: unit, bytes: pieces.sorted { $0.index < $1.index }.flatMap(\.bytes))
        }
        return Snapshot(
            boundary: wanted.boundary, units: units,
            inputs: Dictionary(
                position.inputs.map { (TopicPartition($0.topic, $0.partition), $0.replayFrom) },
                uniquingKeysWith: { first, _ in first }))
    }
}
