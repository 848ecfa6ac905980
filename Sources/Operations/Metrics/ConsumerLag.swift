import Foundation
import Kafka

/// How far the partitions reach, as librdkafka's statistics have it.
///
/// librdkafka's own `consumer_lag` counts from offsets that it has committed or stored itself. The worker commits in
/// transactions, for which it stays at −1; so the lag is worked out from the end and the worker's own position.
struct ConsumerLag: Sendable {
    /// The last stable offset, or the end where there are no transactions. Partitions whose end is not known (negative)
    /// are left out.
    private(set) var ends: [TopicPartition: Int64] = [:]

    init() {}

    /// Takes what one client says; what is not its JSON is ignored.
    mutating func take(_ json: [UInt8]) {
        guard let statistics = try? JSONDecoder().decode(Statistics.self, from: Data(json)) else { return }
        for (topic, entry) in statistics.topics {
            for partition in entry.partitions.values where partition.partition >= 0 {
                let end = partition.ls_offset ?? -1
                let known = end >= 0 ? end : partition.hi_offset ?? -1
                if known >= 0 { ends[TopicPartition(topic, partition.partition)] = known }
            }
        }
    }

    /// Records between each position and the end of its partition; only where both are known.
    func lag(at positions: [TopicPartition: Int64]) -> [(partition: TopicPartition, records: Int64)] {
        positions.compactMap { partition, position in
            ends[partition].map { (partition, max(0, $0 - position)) }
        }.sorted { ($0.partition.topic, $0.partition.partition) < ($1.partition.topic, $1.partition.partition) }
    }

    // The names are librdkafka's.
    private struct Statistics: Decodable {
        struct Topic: Decodable { var partitions: [String: Partition] }
        struct Partition: Decodable {
            var partition: Int32
            var ls_offset: Int64?
            var hi_offset: Int64?
        }
        var topics: [String: Topic]
    }
}
