import Kafka
import Retraining
import StateRecords

/// What a task's state partition holds, and what the next checkpoint writes to it.
///
/// The engine's state is the last complete *snapshot* and the *cuts* since: reading the inputs again from the snapshot
/// on and evaluating at the same cuts, by the same clocks, gives the same state. A checkpoint writes the new cuts, as
/// much of a new snapshot as fits, and the position. A value: what is prepared counts once it is committed.
struct TaskCheckpoints {
    let number: Int32
    let topic: String
    let group: String
    let applicationID: String
    let owner: String
    private(set) var checkpoint: UInt64 = 0
    private(set) var snapshot: PositionRecord.Snapshot?
    /// Where a restore begins to read.
    private(set) var replayFrom: [TopicPartition: Int64] = [:]
    /// Evaluations since the snapshot that the log knows of.
    private(set) var logged: [Milliseconds] = []
    /// Evaluations that it does not know of yet.
    private(set) var fresh: [CutRecord] = []
    /// Hash of the configuration that the log tells of.
    private var loggedConfiguration: String?
    private var writing: SnapshotInProgress?
    /// Keys of chunks that the log holds.
    private var chunkKeys: Set<StateKey> = []
    /// When a snapshot was last begun; monotonic.
    private var lastBegun: Milliseconds?

    init(number: Int32, options: WorkerOptions, owner: String) {
        self.number = number
        topic = options.topics.state
        group = options.kafka.groupID
        applicationID = options.engine.applicationID
        self.owner = owner
    }

    /// Evaluations since the snapshot.
    var cutCount: Int { logged.count + fresh.count }
    var hasFreshCuts: Bool { !fresh.isEmpty }
    var isWritingSnapshot: Bool { writing != nil }
    var lastBoundary: Milliseconds? { fresh.last?.boundary ?? logged.last ?? snapshot?.boundary }
    /// What is stored beside the committed offsets while this is the last checkpoint; nil before the first.
    private(set) var token: CheckpointToken?

    /// Begins with what was restored.
    mutating func take(
        _ position: PositionRecord, _ cuts: [CutRecord], chunkKeys: Set<StateKey>, configuration: String? = nil
    ) {
        loggedConfiguration = configuration
        checkpoint = position.checkpoint
        // Of a task that was just restored, the worker before this one.
        token = position.token
        snapshot = position.snapshot
        logged = cuts.map(\.boundary)
        self.chunkKeys = chunkKeys
        for input in position.inputs {
            replayFrom[TopicPartition(input.topic, input.partition)] = input.replayFrom
        }
    }

    /// An input that the state does not know yet is read from here after a restore.
    mutating func begin(_ partition: TopicPartition, at offset: Int64) { replayFrom[partition] = offset }

    mutating func noteCut(_ cut: CutRecord) { fresh.append(cut) }

    // MARK: Preparing a checkpoint

    /// Bytes of a snapshot in one checkpoint; then the rest waits for the next one.
    static let snapshotBytesMax = 8 << 20

    /// What a checkpoint writes to the state partition, in order; the position is the last that counts.
    mutating func prepare(_ task: ActiveTask, now: Milliseconds) -> (records: [OutputRecord], position: PositionRecord)
    {
        var records: [OutputRecord] = []
        beginSnapshotIfDue(task, now: now)
        // Also those that a snapshot makes needless at once: the log tells of every evaluation that there was.
        let fingerprint = task.engine.configuration.fingerprint
        if loggedConfiguration != fingerprint, !fingerprint.isEmpty, !task.options.settings.isEmpty {
            // An older one than the options' stands in the log already.
            let settings = ConfigurationRecord(fingerprint: fingerprint, settings: task.options.settings)
            records.append(record(.configuration, settings.sealed()))
            loggedConfiguration = fingerprint
        }
        for cut in fresh { records.append(record(.cut(cut.boundary), cut.sealed())) }
        logged += fresh.map(\.boundary)
        fresh.removeAll()
        var obsolete: [StateKey] = []
        if writing != nil, let finished = writeSnapshot(task, into: &records) { obsolete = adopt(finished, task) }
        checkpoint += 1
        let position = PositionRecord(
            checkpoint: checkpoint, owner: owner, group: group, applicationID: applicationID,
            lastBoundary: lastBoundary, cuts: logged.count,
            inputs: task.inputs.map { input in
                PositionRecord.Input(
                    topic: input.partition.topic, partition: input.partition.partition, role: input.role.rawValue,
                    next: max(task.engine.nextOffset(lane: input.lane), input.committed),
                    replayFrom: replayFrom[input.partition] ?? 0)
            }, snapshot: snapshot, skipped: task.skippedToKeep, stallAlert: task.stallAlert,
            keyPartitions: task.keyPartitions)
        token = position.token
        records.append(record(.position, position.sealed()))
        records += obsolete.map { record($0, nil) }
        return (records, position)
    }

    private func record(_ key: StateKey, _ value: [UInt8]?) -> OutputRecord {
        OutputRecord(topic: topic, partition: number, key: key.bytes, value: value)
    }

    // MARK: Snapshots

    private struct SnapshotInProgress {
        var slot: SnapshotSlot
        var boundary: Milliseconds
        var units: [StateUnit]
        var next = 0
        var chunks = 0
        var sum: UInt32 = 0
        var keys: Set<StateKey> = []
        /// Where every input stood at the boundary.
        var positions: [TopicPartition: Int64]
    }

    private mutating func beginSnapshotIfDue(_ task: ActiveTask, now: Milliseconds) {
        guard writing == nil, task.isLive, let boundary = task.engine.lastBoundary,
            boundary > snapshot?.boundary ?? .min
        else { return }
        let interval = task.options.worker.snapshotInterval
        let isDue =
            task.wantsSnapshot || snapshot.map { boundary - $0.boundary >= interval } ?? (cutCount > 0)
        let isTooSoon = lastBegun.map { now - $0 < min(interval, 30_000) } ?? false
        guard isDue, task.wantsSnapshot || !isTooSoon else { return }
        lastBegun = now
        writing = SnapshotInProgress(
            slot: snapshot?.slot.other ?? .a, boundary: boundary, units: task.engine.stateUnits(),
            positions: Dictionary(
                task.engine.cutPositions.map { (TopicPartition($0.topic, $0.partition), $0.nextOffset) },
                uniquingKeysWith: { first, _ in first }))
    }

    /// Writes units until the budget is used; the snapshot, once it is complete.
    private mutating func writeSnapshot(
        _ task: ActiveTask, into records: inout [OutputRecord]
    ) -> SnapshotInProgress? {
        guard var current = writing else { return nil }
        var written = 0
        while current.next <= current.units.count, written < Self.snapshotBytesMax {
            let isLast = current.next == current.units.count
            let bytes = isLast ? task.workerUnit() : task.engine.encode(current.units[current.next])
            let unit = isLast ? ActiveTask.workerUnitKey : current.units[current.next].key
            for chunk in SnapshotChunk.split(bytes, unit: unit, boundary: current.boundary) {
                let key = chunk.key(current.slot)
                let value = chunk.sealed()
                current.chunks += 1
                current.sum &+= StateFrame.checksum(of: value[...])
                current.keys.insert(key)
                written += value.count
                records.append(record(key, value))
            }
            current.next += 1
        }
        chunkKeys.formUnion(current.keys)
        writing = current
        return current.next > current.units.count ? current : nil
    }

    /// Makes a complete snapshot the one that counts; gives the keys that are of no more use.
    private mutating func adopt(_ finished: SnapshotInProgress, _ task: ActiveTask) -> [StateKey] {
        writing = nil
        snapshot = PositionRecord.Snapshot(
            slot: finished.slot, boundary: finished.boundary, chunks: finished.chunks, sum: finished.sum)
        for (partition, offset) in finished.positions { replayFrom[partition] = offset }
        var obsolete = logged.filter { $0 <= finished.boundary }.map(StateKey.cut)
        logged.removeAll { $0 <= finished.boundary }
        obsolete += chunkKeys.subtracting(finished.keys)
        chunkKeys = finished.keys
        return obsolete
    }
}

extension ActiveTask {
    static let workerUnitKey = "worker"

    /// What the worker itself remembers as of the last evaluation: what it told of each model.
    func workerUnit() -> [UInt8] {
        var writer = BinaryWriter()
        writer.list(lastTold.sorted { $0.key < $1.key }) { writer, entry in
            writer.text(entry.key)
            writer.text(entry.value.text)
        }
        return writer.bytes
    }

    func take(workerUnit bytes: [UInt8]) throws(StateFault) {
        var reader = BinaryReader(bytes[...])
        let entries = try reader.list { (reader) throws(StateFault) in (try reader.text(), try reader.text()) }
        for (model, text) in entries { lastTold[model] = ToldDecision(text) }
    }

    /// Refusals since the last evaluation, those of before a restore among them.
    var skippedToKeep: [CutRecord.Skipped] {
        let cuts = Dictionary(
            engine.cutPositions.map { (TopicPartition($0.topic, $0.partition), $0.nextOffset) },
            uniquingKeysWith: { first, _ in first })
        return inputs.compactMap { input in
            let cut = cuts[input.partition] ?? 0
            var ranges = OffsetRanges(input.knownSkips.ranges.filter { $0.upperBound > cut })
            ranges.formUnion(input.skips)
            guard !ranges.isEmpty else { return nil }
            return CutRecord.Skipped(
                topic: input.partition.topic, partition: input.partition.partition, ranges: ranges.ranges)
        }
    }
}
