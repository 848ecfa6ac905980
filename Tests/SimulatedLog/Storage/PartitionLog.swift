import Kafka

/// The entries of one partition.
final class PartitionLog {
    let partition: TopicPartition
    let settings: SimulatedTopic
    /// By offset; gaps are what compaction took.
    private(set) var entries: [StoredRecord] = []
    /// The oldest offset that may be read.
    private(set) var start: Int64 = 0
    /// The offset of the next entry: the high watermark, as every append is replicated at once.
    private(set) var end: Int64 = 0
    /// The first offset of each transaction that has not ended here.
    private var open: [Int: Int64] = [:]
    private var aborted: Set<Int> = []
    /// Committed records that compaction or retention took, for whoever checks what ever was.
    private var removed: [StoredRecord] = []
    /// Brings nothing before this moment.
    var slowUntil: Int64 = 0

    init(_ partition: TopicPartition, _ settings: SimulatedTopic) {
        self.partition = partition
        self.settings = settings
    }

    /// Readers of committed records see nothing from here on.
    var lastStableOffset: Int64 { open.values.min() ?? end }

    func end(for isolation: ConsumerConfiguration.Isolation) -> Int64 {
        isolation == .readCommitted ? lastStableOffset : end
    }

    @discardableResult
    func append(_ record: StoredRecord) -> Int64 {
        var record = record
        record.offset = end
        if record.kind == .record, let transaction = record.transaction, open[transaction] == nil {
            open[transaction] = end
        }
        entries.append(record)
        end += 1
        return record.offset
    }

    /// Writes the marker of a transaction that ends.
    func finish(_ transaction: Int, isCommitted: Bool, timestamp: Int64) {
        var marker = StoredRecord(timestamp: timestamp, key: nil, value: nil)
        marker.kind = isCommitted ? .commitMarker : .abortMarker
        marker.transaction = transaction
        append(marker)
        open[transaction] = nil
        if !isCommitted { aborted.insert(transaction) }
    }

    /// The index of the first entry whose offset is not below `offset`.
    func index(of offset: Int64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether a reader gets this entry.
    func isVisible(_ entry: StoredRecord, _ isolation: ConsumerConfiguration.Isolation) -> Bool {
        guard entry.kind == .record else { return false }
        guard isolation == .readCommitted, let transaction = entry.transaction else { return true }
        return !aborted.contains(transaction)
    }

    /// All committed records that were ever written, in order.
    var history: [StoredRecord] {
        let limit = lastStableOffset
        let present = entries.filter { $0.offset < limit && isVisible($0, .readCommitted) }
        return (removed + present).sorted { $0.offset < $1.offset }
    }

    /// The first offset whose record is not older; nil where all are.
    func offset(at time: Int64, _ isolation: ConsumerConfiguration.Isolation) -> Int64? {
        let limit = end(for: isolation)
        return entries.first { $0.offset >= start && $0.offset < limit && $0.timestamp >= time }?.offset
    }

    /// Forgets what lies below `offset`, as retention does; never what is not stable yet.
    func trim(to offset: Int64) {
        start = max(start, min(offset, lastStableOffset))
        let count = index(of: start)
        removed += entries[..<count].filter { isVisible($0, .readCommitted) }
        entries.removeFirst(count)
    }

    /// Keeps the latest value of each key among the stable entries before the tail.
    ///
    /// - Parameters:
    ///   - tail: how many of the last offsets are left alone; at least 1, as the active segment is never compacted.
    ///   - now: when this happens; tombstones stay for `tombstoneRetention` after they were first met.
    func compact(tail: Int64, now: Int64) {
        let limit = min(lastStableOffset, end - max(1, tail))
        let count = index(of: limit)
        var latest: [[UInt8]: Int64] = [:]
        for entry in entries[..<count] where isVisible(entry, .readCommitted) {
            if let key = entry.key { latest[key] = entry.offset }
        }
        var kept: [StoredRecord] = []
        for var entry in entries[..<count] {
            guard isVisible(entry, .readCommitted) else { continue }
            guard let key = entry.key, latest[key] == entry.offset else {
                removed.append(entry)
                continue
            }
            if entry.value == nil {
                let since = entry.tombstoneSince ?? now
                if now - since >= settings.tombstoneRetention, entry.tombstoneSince != nil {
                    removed.append(entry)
                    continue
                }
                entry.tombstoneSince = since
            }
            kept.append(entry)
        }
        entries.replaceSubrange(..<count, with: kept)
    }
}
