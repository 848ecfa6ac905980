import Kafka

/// Kafka's `range`: topic by topic, consecutive partitions to the members in order.
enum RangeAssignor {
    static func assign(_ members: [GroupMember], partitions: [String: Int32]) -> [String: [TopicPartition]] {
        var assignment: [String: [TopicPartition]] = [:]
        for topic in Set(members.flatMap(\.topics)).sorted() {
            // Static members by their names, so that restarts do not shuffle them.
            let takers = members.filter { $0.topics.contains(topic) }
                .sorted { ($0.instanceID ?? $0.id) < ($1.instanceID ?? $1.id) }
            let count = Int(partitions[topic] ?? 0)
            var next = 0
            for (index, member) in takers.enumerated() {
                let share = count / takers.count + (index < count % takers.count ? 1 : 0)
                assignment[member.id, default: []] += (next..<next + share).map { TopicPartition(topic, Int32($0)) }
                next += share
            }
        }
        return assignment
    }
}
