import FoundationEssentials
import Kafka
import Retraining

/// Reads back the requests that earlier runs published, so that a start doubles none.
struct PublishedRequestReader {
    /// What is needed of a request event.
    private struct Event: Decodable {
        struct Data: Decodable {
            struct Reason: Decodable { var code: String }
            var model: String
            var request_id: String
            var requested_at_ms: Int64
            var reason: Reason
        }
        var source: String
        var data: Data
    }

    struct Result {
        var requests = PublishedRequests()
        var ids: Set<String> = []
        /// The boundary of the latest one.
        var latest: Milliseconds = .min
        /// Records that are no requests of ours.
        var unreadable = 0
    }

    var kafka: KafkaAccess
    var topic: String
    /// Whose requests are ours, as the events say: another installation may share the topic.
    var source: String

    /// Reads every partition of the topic from its beginning to the end that it has now.
    func read() throws(KafkaError) -> Result {
        var configuration = ConsumerConfiguration(
            bootstrapServers: kafka.bootstrapServers, groupID: kafka.groupID + "-reader")
        configuration.clientID = kafka.clientID
        configuration.offsetReset = .earliest
        configuration.delivery = .mergedQueue
        configuration.additional = kafka.properties
        let consumer = try Consumer(configuration)
        defer { try? consumer.close() }
        guard let found = try consumer.metadata(topic: topic, timeoutMilliseconds: 10_000)[topic] else {
            return Result()
        }
        var ends: [TopicPartition: Int64] = [:]
        var starts: [TopicPartitionOffset] = []
        for info in found.partitions {
            let partition = TopicPartition(topic, info.id)
            let marks = try consumer.watermarks(partition, timeoutMilliseconds: 10_000)
            guard marks.high > marks.low else { continue }
            ends[partition] = marks.high
            starts.append(TopicPartitionOffset(partition, marks.low))
        }
        return starts.isEmpty ? Result() : try read(consumer, starts, ends)
    }

    private func read(
        _ consumer: Consumer, _ starts: [TopicPartitionOffset], _ ends: [TopicPartition: Int64]
    ) throws(KafkaError) -> Result {
        var result = Result()
        var open = ends
        let batch = MessageBatch(capacity: 500)
        try consumer.assign(starts)
        let decoder = JSONDecoder()
        var lastProgress = Clock.monotonic()
        while !open.isEmpty {
            _ = try consumer.consumeBatch(into: batch, timeoutMilliseconds: 50)
            for message in batch {
                lastProgress = Clock.monotonic()
                let partition = TopicPartition(topic, message.partition)
                // The end of the partition is the word for it: a last record below the mark may never come.
                if message.isEndOfPartition, message.offset >= ends[partition] ?? 0 { open[partition] = nil }
                guard message.isRecord, let base = message.value.baseAddress else { continue }
                let bytes = Data(bytes: base, count: message.value.count)
                guard let event = try? decoder.decode(Event.self, from: bytes),
                    let reason = Reason(rawValue: event.data.reason.code)
                else {
                    result.unreadable += 1
                    continue
                }
                guard event.source == source else { continue }
                result.ids.insert(event.data.request_id)
                result.requests.add(
                    model: event.data.model, requestedAt: event.data.requested_at_ms, reason: reason,
                    id: event.data.request_id)
                result.latest = max(result.latest, event.data.requested_at_ms)
            }
            batch.clear()
            guard Clock.monotonic() - lastProgress < 30_000 else {
                throw KafkaError(
                    code: .timedOut, message: "no record for 30 s although the topic holds more",
                    operation: "read requests back",
                    topic: topic)
            }
        }
        return result
    }
}
