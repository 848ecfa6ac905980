import Kafka
import Logging
import Retraining
import StateRecords

/// What a task's state partition said.
struct LoadedState {
    /// Nil where nothing was ever written.
    var position: PositionRecord?
    /// Evaluations since the snapshot, in order.
    var cuts: [CutRecord] = []
    /// What those evaluations were made by; nil where nobody said.
    var configuration: ConfigurationRecord?
    /// The snapshot's units, whole.
    var units: [(key: String, bytes: [UInt8])] = []
    /// Without a snapshot: what a first start begins with; empty where no history was given.
    var initialUnits: [(key: String, bytes: [UInt8])] = []
    var chunkKeys: Set<StateKey> = []
    var bytes = 0
}

/// Reads a task's state partition to its end, a little at a time.
///
/// The order matters; two others corrupted state silently on a real cluster. The committed offsets have been asked for
/// before (while a transaction is pending there is no answer); then the end of the partition is asked of a
/// *read-uncommitted* consumer (a read-committed one answers with the last stable offset, behind which committed records
/// may lie); then a read-committed consumer reads until the end that it is told lies at or beyond that end. It is never
/// done by counting records: markers and compaction leave gaps.
final class StateLoader {
    let partition: TopicPartition
    private let environment: WorkerEnvironment
    private let consumer: any ConsumerClient
    private let records: any PartitionRecords
    private let batch = MessageBatch(capacity: 500)
    let end: Int64
    private var values: [StateKey: [UInt8]] = [:]
    private var reached: Int64 = 0
    private(set) var bytesRead = 0
    private var lastProgress: Milliseconds
    private(set) var isDone = false

    init(_ options: WorkerOptions, _ environment: WorkerEnvironment, task: Int32, end: Int64? = nil) throws(KafkaError)
    {
        self.environment = environment
        partition = TopicPartition(options.topics.state, task)
        if let end { self.end = end } else { self.end = try Self.end(of: partition, options, environment) }
        consumer = try environment.makeConsumer(Self.configuration(options, .readCommitted))
        records = try consumer.records(of: partition)
        try consumer.assign([TopicPartitionOffset(partition, .beginning)])
        lastProgress = environment.monotonicClock()
    }

    deinit { try? consumer.close() }

    static func configuration(
        _ options: WorkerOptions, _ isolation: ConsumerConfiguration.Isolation
    ) -> ConsumerConfiguration {
        var configuration = ConsumerConfiguration(
            bootstrapServers: options.kafka.bootstrapServers, groupID: options.kafka.groupID)
        configuration.clientID = options.kafka.clientID + "-state"
        configuration.isolation = isolation
        configuration.offsetReset = .earliest
        configuration.prefetchKilobytes = 262_144
        configuration.additional = options.kafka.properties
        return configuration
    }

    /// The offset behind the last record, whether or not its transaction is finished.
    static func end(
        of partition: TopicPartition, _ options: WorkerOptions, _ environment: WorkerEnvironment
    ) throws(KafkaError) -> Int64 {
        try end(
            of: partition, options, environment,
            options.sabotage.contains(.endOffsetReadCommitted) ? .readCommitted : .readUncommitted)
    }

    static func end(
        of partition: TopicPartition, _ options: WorkerOptions, _ environment: WorkerEnvironment,
        _ isolation: ConsumerConfiguration.Isolation
    ) throws(KafkaError) -> Int64 {
        let consumer = try environment.makeConsumer(configuration(options, isolation))
        defer { try? consumer.close() }
        return try consumer.watermarks(partition, timeoutMilliseconds: 10_000).high
    }

    /// For how long nothing has come although there is more: an open transaction lies in between.
    var stalledFor: Milliseconds { isDone ? 0 : environment.monotonicClock() - lastProgress }

    /// Reads until the deadline.
    func step(deadline: Milliseconds) throws {
        while !isDone, environment.monotonicClock() < deadline {
            _ = consumer.poll(timeoutMilliseconds: 0)
            guard records.fill(batch, timeoutMilliseconds: 20) > 0 else { return finishIfAtEnd() }
            for entry in batch { try take(entry) }
            batch.clear()
            finishIfAtEnd()
        }
    }

    private func take(_ entry: MessageView) throws {
        if entry.isEndOfPartition {
            if entry.offset > reached { lastProgress = environment.monotonicClock() }
            reached = max(reached, entry.offset)
            return
        }
        if let error = entry.error { throw error }
        lastProgress = environment.monotonicClock()
        guard let key = StateKey(entry.key) else { return }
        bytesRead += entry.value.count
        // What comes later is of a checkpoint that this restore will be told of.
        values[key] = entry.isTombstone ? nil : Array(entry.value)
    }

    private func finishIfAtEnd() { if reached >= end { isDone = true } }

    // MARK: Result

    /// Puts together what was read. Call once done.
    func result() throws -> LoadedState {
        var state = LoadedState()
        state.bytes = bytesRead
        guard let record = values[.position] else { return state }
        let position = try opened(record, .position, .position) { (payload) throws(StateFault) in
            try PositionRecord(payload)
        }
        state.position = position
        let from = position.snapshot?.boundary ?? .min
        for (key, value) in values {
            switch key {
            case .position: break
            case .configuration:
                state.configuration = try opened(value, .configuration, key) { (payload) throws(StateFault) in
                    try ConfigurationRecord(payload)
                }
            case .cut(let boundary):
                guard boundary > from, boundary <= position.lastBoundary ?? .min else { break }
                state.cuts.append(
                    try opened(value, .cut, key) { (payload) throws(StateFault) in try CutRecord(payload) })
            case .chunk: state.chunkKeys.insert(key)
            }
        }
        state.cuts.sort { $0.boundary < $1.boundary }
        guard state.cuts.count == position.cuts else {
            throw RestoreError.incomplete(
                partition, "\(position.cuts) evaluations are on record and \(state.cuts.count) of them are there")
        }
        if let snapshot = position.snapshot { state.units = try units(of: snapshot) }
        values = [:]
        return state
    }

    private func units(of snapshot: PositionRecord.Snapshot) throws -> [(key: String, bytes: [UInt8])] {
        var chunks: [String: [SnapshotChunk]] = [:]
        var found = 0
        var sum: UInt32 = 0
        for (key, value) in values {
            guard case .chunk(snapshot.slot, _, _) = key else { continue }
            let chunk = try opened(value, .chunk, key) { (payload) throws(StateFault) in try SnapshotChunk(payload) }
            guard chunk.boundary == snapshot.boundary else { continue }
            found += 1
            sum &+= StateFrame.checksum(of: value[...])
            chunks[chunk.unit, default: []].append(chunk)
        }
        guard found == snapshot.chunks, sum == snapshot.sum else {
            throw RestoreError.incomplete(
                partition, "the snapshot has \(snapshot.chunks) pieces and \(found) of them are there, or others")
        }
        return try chunks.sorted { $0.key < $1.key }.map { unit, pieces in
            let pieces = pieces.sorted { $0.index < $1.index }
            guard pieces.count == pieces[0].count else {
                throw RestoreError.incomplete(
                    partition, "unit \(unit) has \(pieces.count) of \(pieces[0].count) pieces")
            }
            return (unit, pieces.count == 1 ? Array(pieces[0].bytes) : pieces.flatMap(\.bytes))
        }
    }

    private func opened<Value>(
        _ record: [UInt8], _ kind: StateFrame.Kind, _ key: StateKey,
        _ body: (ArraySlice<UInt8>) throws(StateFault) -> Value
    ) throws -> Value {
        do {
            let frame = try StateFrame.open(record[...])
            guard frame.kind == kind else { throw StateFault.damaged("is of another kind than its key says") }
            return try body(frame.payload)
        } catch let fault as StateFault {
            throw RestoreError.unreadable(partition, key: String(decoding: key.bytes, as: UTF8.self), fault)
        }
    }
}

/// Why a task cannot be restored. What it says, an operator can act on.
enum RestoreError: Error, CustomStringConvertible {
    case unreadable(TopicPartition, key: String, StateFault)
    case incomplete(TopicPartition, String)
    case unequal(TopicPartition, String)
    case foreign(TopicPartition, group: String, applicationID: String)
    case unknownInput(TopicPartition, TopicPartition)
    case expanded(TopicPartition, topic: String, from: Int, to: Int)
    case engine(TopicPartition, String)

    var description: String {
        switch self {
        case .unreadable(let partition, let key, let fault): "\(partition), key \(key): \(fault). \(Self.wayOut)"
        case .incomplete(let partition, let what): "\(partition) is incomplete: \(what). \(Self.wayOut)"
        case .unequal(let partition, let what):
            """
            \(partition) does not belong to the offsets that the group committed: \(what). Somebody moved the group's \
            offsets, or the topic was deleted. Undo that; or begin anew: \(Self.anew)
            """
        case .foreign(let partition, let group, let applicationID):
            """
            \(partition) is the state of group \(group), application \(applicationID): give every installation its own \
            topics.state
            """
        case .unknownInput(let partition, let input):
            """
            \(partition) is the state after reading \(input), which `topics` no longer names or which is no longer there. \
            Put it back; or begin anew: \(Self.anew)
            """
        case .expanded(let partition, let topic, let before, let now):
            """
            \(partition) was written while \(topic) had \(before) partitions; it has \(now). With scale: partitioned that \
            moves models to other partitions, and with them to tasks that know nothing of them. Use a topic with \(before) \
            partitions, or scale: single; or begin anew: \(Self.anew)
            """
        case .engine(let partition, let what): "\(partition): \(what). \(Self.wayOut)"
        }
    }

    private static let anew =
        "stop all workers, delete and create the state topic (`driftgate topics create`), delete the group's offsets "
        + "(kafka-consumer-groups.sh --delete), and start; the inputs are then read from the beginning"
    private static let wayOut = "Is its cleanup.policy compact, and nothing else? To begin anew: \(anew)"
}
