import Foundation
import Kafka

/// Reads published decisions off their topic, as any other consumer would, and leaves no trace: it joins no group and
/// commits nothing.
public final class DecisionReader {
    /// Decisions a partition that are looked at first; then twice as many, and so on back to the beginning.
    private static let firstBlock: Int64 = 500

    private let consumer: Consumer
    private let topic: String
    private let servers: String
    private let timeout: Int
    private let batch = MessageBatch(capacity: 500)
    private var partitions: [Int32] = []

    public init(_ configuration: Configuration, timeoutMilliseconds: Int = 15_000) throws(CommandError) {
        topic = configuration.topics.decisions
        servers = configuration.kafka.bootstrapServers.joined(separator: ",")
        timeout = timeoutMilliseconds
        do {
            var settings = ConsumerConfiguration(
                bootstrapServers: servers, groupID: configuration.kafka.groupID + "-command-line")
            settings.clientID = configuration.kafka.clientID + "-command-line"
            settings.offsetReset = .earliest
            settings.delivery = .mergedQueue
            settings.prefetchKilobytes = 16_384
            settings.additional = try configuration.kafka.connectionProperties()
            settings.additional["log_level"] = settings.additional["log_level"] ?? "2"
            settings.additional["fetch.wait.max.ms"] = settings.additional["fetch.wait.max.ms"] ?? "50"
            consumer = try Consumer(settings)
            let metadata = try consumer.metadata(topic: nil, timeoutMilliseconds: timeoutMilliseconds)
            partitions = metadata[topic]?.partitions.map(\.id).sorted() ?? []
        } catch {
            throw CommandError(kind: .notConnected, "no answer from \(servers): \(error)")
        }
        guard partitions.isEmpty else { return }
        throw CommandError(
            kind: .notDelivered,
            "\(servers) has no topic \(topic): is topics.decisions right? `driftgate topics create` makes it")
    }

    deinit { close() }

    public func close() {
        batch.clear()
        try? consumer.close()
    }

    /// The newest decision of each model; looks back until it has found `model`, or to the beginning.
    public func newest(lookingFor model: String? = nil) throws(CommandError) -> [String: PublishedDecision] {
        var newest: [String: PublishedDecision] = [:]
        do {
            var ranges: [Int32: Range<Int64>] = [:]
            var lows: [Int32: Int64] = [:]
            for partition in partitions {
                let marks = try consumer.watermarks(TopicPartition(topic, partition), timeoutMilliseconds: timeout)
                lows[partition] = marks.low
                ranges[partition] = max(marks.low, marks.high - Self.firstBlock)..<marks.high
            }
            while true {
                for decision in try read(ranges) {
                    if newest[decision.model].map({ $0.evaluatedAt <= decision.evaluatedAt }) ?? true {
                        newest[decision.model] = decision
                    }
                }
                if let model, newest[model] != nil { return newest }
                ranges = ranges.reduce(into: [:]) { earlier, entry in
                    let (partition, range) = entry
                    let low = lows[partition]!
                    guard range.lowerBound > low else { return }
                    earlier[partition] = max(low, range.lowerBound - 2 * Int64(range.count))..<range.lowerBound
                }
                if model == nil || ranges.isEmpty { return newest }
            }
        } catch {
            throw CommandError(kind: .notConnected, "cannot read \(topic): \(error)")
        }
    }

    /// Begins to follow what is published from now on.
    public func follow() throws(CommandError) {
        do {
            try consumer.assign(
                partitions.map { (partition) throws(KafkaError) in
                    let marks = try consumer.watermarks(TopicPartition(topic, partition), timeoutMilliseconds: timeout)
                    return TopicPartitionOffset(TopicPartition(topic, partition), Offset(marks.high))
                })
        } catch {
            throw CommandError(kind: .notConnected, "cannot follow \(topic): \(error)")
        }
    }

    /// What has come since ``follow()`` or the last call; waits up to a time for something to come.
    public func next(timeoutMilliseconds: Int) throws(CommandError) -> [PublishedDecision] {
        do { return try poll(timeoutMilliseconds: timeoutMilliseconds).compactMap(\.decision) } catch {
            throw CommandError(kind: .notConnected, "cannot read \(topic): \(error)")
        }
    }

    // MARK: Reading

    private struct Entry {
        var partition: Int32
        /// Of the next record.
        var next: Int64
        var decision: PublishedDecision?
    }

    private func read(_ ranges: [Int32: Range<Int64>]) throws(KafkaError) -> [PublishedDecision] {
        var open = ranges.filter { !$0.value.isEmpty }
        guard !open.isEmpty else { return [] }
        try consumer.assign(
            open.map { TopicPartitionOffset(TopicPartition(topic, $0.key), Offset($0.value.lowerBound)) })
        var found: [PublishedDecision] = []
        let deadline = ContinuousClock.now + .milliseconds(timeout)
        while !open.isEmpty {
            let entries = try poll(timeoutMilliseconds: 100)
            if entries.isEmpty, ContinuousClock.now > deadline {
                throw KafkaError(code: .timedOut, operation: "read decisions", topic: topic)
            }
            for entry in entries {
                guard let range = open[entry.partition] else { continue }
                if let decision = entry.decision, entry.next <= range.upperBound { found.append(decision) }
                if entry.next >= range.upperBound { open[entry.partition] = nil }
            }
        }
        return found
    }

    private func poll(timeoutMilliseconds: Int) throws(KafkaError) -> [Entry] {
        if case .error(let failure) = consumer.poll(timeoutMilliseconds: 0), failure.isFatal { throw failure }
        _ = try consumer.consumeBatch(into: batch, timeoutMilliseconds: timeoutMilliseconds)
        defer { batch.clear() }
        var entries: [Entry] = []
        for message in batch {
            if message.isEndOfPartition {
                entries.append(Entry(partition: message.partition, next: message.offset))
            } else if let failure = message.error {
                throw failure
            } else {
                entries.append(
                    Entry(
                        partition: message.partition, next: message.offset + 1,
                        decision: Self.decision(Data(message.value))))
            }
        }
        return entries
    }

    private struct Envelope: Decodable {
        var type: String
    }

    private struct Event: Decodable {
        var data: PublishedDecision
    }

    /// Nil for a verdict, which shares the topic, and for what is no event of ours.
    private static func decision(_ value: Data) -> PublishedDecision? {
        let decoder = JSONDecoder()
        guard let envelope = try? decoder.decode(Envelope.self, from: value), envelope.type == "driftgate.decision.v1"
        else { return nil }
        return try? decoder.decode(Event.self, from: value).data
    }
}
