import Foundation
import Kafka

/// Reads whole topics, from their first record on, outside of any group's bookkeeping.
final class TopicReader {
    struct Record {
        let topic: String
        let partition: Int32
        let offset: Int64
        let value: Data
    }

    private let consumer: Consumer
    private let batch = MessageBatch(capacity: 1000)

    /// - Parameter start: where to begin, for each partition.
    init(bootstrapServers: String, groupID: String, start: [TopicPartitionOffset]) throws(KafkaError) {
        var configuration = ConsumerConfiguration(bootstrapServers: bootstrapServers, groupID: groupID)
        configuration.clientID = groupID
        configuration.offsetReset = .earliest
        configuration.delivery = .mergedQueue
        consumer = try Consumer(configuration)
        try consumer.assign(start)
    }

    /// What has come since the last call.
    func poll(timeoutMilliseconds: Int = 0) throws(KafkaError) -> [Record] {
        if case .error(let failure) = consumer.poll(timeoutMilliseconds: 0), failure.isFatal { throw failure }
        var records: [Record] = []
        while try consumer.consumeBatch(into: batch, timeoutMilliseconds: timeoutMilliseconds) > 0 {
            for message in batch where message.isRecord {
                records.append(
                    Record(
                        topic: message.topicName, partition: message.partition, offset: message.offset,
                        value: Data(message.value)))
            }
            let wasFull = batch.count == batch.capacity
            batch.clear()
            if !wasFull { break }
        }
        return records
    }

    /// The first and the next offset of a partition.
    func watermarks(_ partition: TopicPartition) throws(KafkaError) -> (low: Int64, high: Int64) {
        let marks = try consumer.watermarks(partition, timeoutMilliseconds: 10_000)
        return (marks.low, marks.high)
    }

    func close() {
        batch.clear()
        try? consumer.close()
    }
}
