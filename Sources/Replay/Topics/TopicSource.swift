package import Contracts
package import Kafka
package import Retraining

/// The input topics of a cluster, from an offset or a time on, up to where they ended when the replay began.
///
/// It is in no group and commits nothing. A broker that does not look offsets up by time (librdkafka's embedded one) is
/// read from the beginning; what lies before the range is counted and left out, so the outcome is the same.
package final class TopicSource: HistorySource {
    package struct Options: Sendable {
        package var consumer: ConsumerConfiguration
        /// Topic and role, in the order of reading.
        package var topics: [(name: String, role: InputRole)]
        package var fields: FieldMap
        package var limits: DecoderLimits
        package var range: ReplayRange
        /// Where reading begins if the broker knows; unlike the range it leaves nothing out.
        package var startTime: Milliseconds?
        /// First offset to read, and the first one not to read; they count beside the range.
        package var from: [TopicPartition: Int64] = [:]
        package var to: [TopicPartition: Int64] = [:]
        /// The one partition of predictions and actuals that a task reads, where tasks share them out; nil reads all.
        package var task: Int32?
        /// A record that is dated later is refused, as the worker would have done whenever it came; nil takes all.
        package var latest: Milliseconds?

        package init(
            consumer: ConsumerConfiguration, topics: [(name: String, role: InputRole)], fields: FieldMap,
            limits: DecoderLimits, range: ReplayRange
        ) {
            self.consumer = consumer
            self.topics = topics
            self.fields = fields
            self.limits = limits
            self.range = range
        }
    }

    fileprivate struct Lane {
        let partition: TopicPartition
        let role: RecordRole
        let records: any PartitionRecords
        let batch = MessageBatch(capacity: 1000)
        var cursor = 0
        var end: Int64
        var mergeTime: Milliseconds = .min
        var isOver = false
        var reported: Int64
    }

    package let lanes: [LaneDescription]
    package private(set) var findings = SourceFindings()
    package private(set) var size: Int64?
    /// Over how many partitions models are spread.
    package let predictionPartitions: Int
    private let options: Options
    private let consumer: Consumer
    private let decoder: RecordDecoder
    fileprivate var open: [Lane] = []
    private var idlePolls = 0
    private static let timeout = 15_000

    package init(_ options: Options) throws {
        self.options = options
        decoder = RecordDecoder(fields: options.fields, limits: options.limits)
        var configuration = options.consumer
        configuration.offsetReset = .error
        let consumer = try Consumer(configuration)
        self.consumer = consumer
        let all = try Self.partitions(options, consumer)
        predictionPartitions = all.count { $0.1 == .predictions }
        let found = all.filter { partition, role in
            options.task.map { $0 == partition.partition || !role.advancesStreamTime } ?? true
        }
        try Self.check(options, found.map(\.0))
        let byTime = Self.offsets(at: options.startTime ?? options.range.from, found.map(\.0), consumer)
        var lanes: [LaneDescription] = []
        var total: Int64 = 0
        for (partition, role) in found {
            let marks = try consumer.watermarks(partition, timeoutMilliseconds: Self.timeout)
            let begin = min(marks.high, max(marks.low, options.from[partition] ?? byTime[partition] ?? marks.low))
            let end = max(begin, min(marks.high, options.to[partition] ?? marks.high))
            if let wanted = options.from[partition], wanted < marks.low {
                findings.warnings.append(
                    "\(partition) begins at offset \(marks.low): what lay before it is trimmed, from \(wanted) on")
            }
            if let wanted = options.from[partition], wanted > marks.high {
                findings.warnings.append("\(partition) ends before offset \(marks.high): there is no \(wanted) yet")
            }
            total += end - begin
            var lane = Lane(
                partition: partition, role: RecordRole(role), records: try consumer.records(of: partition), end: end,
                reported: begin)
            lane.isOver = end <= begin
            open.append(lane)
            lanes.append(
                LaneDescription(
                    topic: partition.topic, partition: partition.partition, role: role, begin: begin,
                    name: "\(partition.topic)[\(partition.partition)]"))
        }
        self.lanes = lanes
        size = total
        try consumer.assign(
            zip(open, lanes).filter { !$0.0.isOver }.map { TopicPartitionOffset($0.partition, $1.begin) })
    }

    /// - Throws: `ReplayError` where an offset is of a partition that is not read.
    private static func check(_ options: Options, _ partitions: [TopicPartition]) throws {
        for partition in Array(options.from.keys) + options.to.keys where !partitions.contains(partition) {
            let others = partitions.filter { $0.topic == partition.topic }
            throw ReplayError(
                others.isEmpty
                    ? "\(partition) is none of the inputs, which are \(options.topics.map(\.name).joined(separator: ", "))"
                    : "\(partition) is not there: \(partition.topic) has \(others.count) partitions, from 0 on")
        }
    }

    private static func partitions(
        _ options: Options, _ consumer: Consumer
    ) throws -> [(TopicPartition, InputRole)] {
        try options.topics.flatMap { name, role in
            let topic = try consumer.metadata(topic: name, timeoutMilliseconds: timeout)[name]
            guard let topic, topic.error == nil, !topic.partitions.isEmpty else {
                throw ReplayError("topic \(name) is not there, or has no partition that can be read")
            }
            return topic.partitions.map { (TopicPartition(name, $0.id), role) }
        }
    }

    /// Empty where the broker does not know.
    private static func offsets(
        at time: Milliseconds?, _ partitions: [TopicPartition], _ consumer: Consumer
    ) -> [TopicPartition: Int64] {
        guard let time else { return [:] }
        let times = Dictionary(uniqueKeysWithValues: partitions.map { ($0, time) })
        let found = (try? consumer.offsets(at: times, timeoutMilliseconds: timeout)) ?? []
        // "The end" is what a broker answers that cannot look times up, too: then the partition is read.
        return Dictionary(
            found.compactMap { offset in offset.offset.value.map { (offset.partition, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    package func close() {
        for lane in open { lane.batch.clear() }
        try? consumer.close()
    }

    // MARK: Reading

    package func next(lane index: Int) throws -> HistoryBatch? {
        guard !open[index].isOver else { return nil }
        try serve()
        var batch = HistoryBatch(lane: index)
        while batch.entries.count < HistoryBatch.capacity, !open[index].isOver {
            if open[index].cursor >= open[index].batch.count {
                open[index].batch.clear()
                open[index].cursor = 0
                let wait = batch.isEmpty ? 100 : 0
                guard open[index].records.fill(open[index].batch, timeoutMilliseconds: wait) > 0 else {
                    if batch.isEmpty { try noteIdle(index) }
                    break
                }
                idlePolls = 0
            }
            guard try take(open[index].batch[open[index].cursor], index, &batch) else { break }
            open[index].cursor += 1
        }
        if open[index].isOver { open[index].batch.clear() }
        return batch.isEmpty && open[index].isOver ? nil : batch
    }

    private func serve() throws {
        while true {
            switch consumer.poll(timeoutMilliseconds: 0) {
            case .none: return
            case .error(let error) where error.isFatal: throw error
            default: continue
            }
        }
    }

    /// Ten times a second; a broker that says nothing for a minute is not waited for any longer.
    private func noteIdle(_ index: Int) throws {
        idlePolls += 1
        guard idlePolls > 600 else { return }
        throw ReplayError("nothing has come of \(open[index].partition) for a minute: are the brokers there?")
    }

    /// False where the record belongs into the next batch.
    private func take(_ message: MessageView, _ index: Int, _ batch: inout HistoryBatch) throws -> Bool {
        if message.isEndOfPartition {
            open[index].isOver = true
            return true
        }
        if let error = message.error {
            guard error.code != .autoOffsetReset, error.code != .offsetOutOfRange else {
                throw ReplayError("\(open[index].partition) no longer holds what was asked for: \(error)")
            }
            return true
        }
        if message.offset >= open[index].end {
            open[index].isOver = true
            return true
        }
        let plausible = options.limits.times
        let timestamp = message.timestamp < plausible.lowerBound ? Milliseconds.unknownTime : message.timestamp
        let latest = min(plausible.upperBound, options.latest ?? .max)
        if timestamp <= latest, timestamp != .unknownTime {
            open[index].mergeTime = max(open[index].mergeTime, timestamp)
        }
        if let to = options.range.to, open[index].mergeTime >= to {
            findings.leaveOut(at: open[index].mergeTime)
            open[index].isOver = true
            return true
        }
        if let from = options.range.from, open[index].mergeTime < from {
            findings.leaveOut(at: open[index].mergeTime)
            progress(message.offset, index, &batch)
            return true
        }
        let record: DecodedRecord
        if timestamp > latest {
            record = .rejected(
                Rejection(
                    .futureTimestamp, field: "timestamp", detail: "The record's Kafka timestamp lies in the future."))
        } else {
            record = decoder.decode(
                open[index].role, value: message.isTombstone ? nil : message.value, headers: KafkaHeaders(message))
        }
        let usable = timestamp > latest ? Milliseconds.unknownTime : timestamp
        if !batch.append(record, offset: message.offset, timestamp: usable) {
            guard batch.isEmpty else { return false }
            let size = HistoryBatch.size(of: record)
            batch = HistoryBatch(lane: index, text: size.text, values: size.values)
            _ = batch.append(record, offset: message.offset, timestamp: usable)
        }
        findings.records += 1
        if case .rejected(let rejection) = record {
            findings.refuse(rejection, at: "\(open[index].partition), offset \(message.offset)")
        }
        progress(message.offset, index, &batch)
        return true
    }

    private func progress(_ offset: Int64, _ index: Int, _ batch: inout HistoryBatch) {
        batch.sourceBytes += offset + 1 - open[index].reported
        open[index].reported = offset + 1
    }
}

/// Lets the decoder look at a Kafka record's headers where it needs them.
private struct KafkaHeaders: RecordHeaders {
    private let message: MessageView

    init(_ message: MessageView) { self.message = message }

    var isEmpty: Bool { !message.hasHeaders }

    func value(of name: StaticString) -> UnsafeRawBufferPointer? { message.header(named: "\(name)") }
}

extension TopicSource {
    /// Whether there is anything to read of a role.
    package func holds(_ role: InputRole) -> Bool {
        zip(lanes, open).contains { $0.role == role && $1.end > $0.begin }
    }
}
