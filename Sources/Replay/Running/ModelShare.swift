import Kafka
import Retraining

/// The models of one task among many: those whose name, as the key of their records, leads to its partition.
package struct ModelShare: Sendable, Equatable {
    package var partition: Int32
    /// How many partitions models are spread over.
    package var partitions: Int
    /// The model of predictions that name none.
    package var defaultModel: String?

    package init(partition: Int32, of partitions: Int, defaultModel: String? = nil) {
        self.partition = partition
        self.partitions = partitions
        self.defaultModel = defaultModel
    }

    /// Load, statuses and commands are everybody's, and so is an actual that names no model.
    func holds(_ entry: HistoryBatch.Entry) -> Bool {
        guard entry.kind == .prediction || entry.kind == .actual else { return true }
        if entry.model.isAbsent, var name = defaultModel { return name.withUTF8 { isOwn(UnsafeRawBufferPointer($0)) } }
        guard let base = entry.model.base, !entry.model.isAbsent else { return true }
        return isOwn(UnsafeRawBufferPointer(start: base, count: entry.model.count))
    }

    private func isOwn(_ name: UnsafeRawBufferPointer) -> Bool { Partitioner.murmur2(name, partitions) == partition }
}
