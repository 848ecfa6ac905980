package import Kafka
package import StateRecords

/// The evaluations of a live run, as its state topic has them.
///
/// A worker deletes the cuts before its last snapshot; they are to be had until the brokers compact them away.
package enum CutLog {
    /// - Parameter partition: of the state topic; its number is the task's.
    /// - Returns: the cuts that are left, in order.
    package static func read(
        _ partition: TopicPartition, consumer configuration: ConsumerConfiguration
    ) throws -> [CutRecord] {
        var configuration = configuration
        configuration.offsetReset = .earliest
        configuration.isolation = .readCommitted
        let consumer = try Consumer(configuration)
        let records = try consumer.records(of: partition)
        let batch = MessageBatch(capacity: 500)
        defer {
            batch.clear()
            try? consumer.close()
        }
        try consumer.assign([TopicPartitionOffset(partition, .beginning)])
        var cuts: [CutRecord] = []
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
                guard case .cut(let boundary) = StateKey(entry.key), !entry.isTombstone else { continue }
                do throws(StateFault) {
                    let frame = try StateFrame.open(Array(entry.value)[...])
                    cuts.append(try CutRecord(frame.payload))
                } catch {
                    throw ReplayError("\(partition), evaluation at \(boundary): \(error)")
                }
            }
            batch.clear()
            if isOver { break }
        }
        // A boundary that was written twice was decided once: the later record is what was committed.
        let last = Dictionary(cuts.map { ($0.boundary, $0) }, uniquingKeysWith: { $1 })
        return last.values.sorted { $0.boundary < $1.boundary }
    }
}
