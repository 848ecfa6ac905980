import Kafka
import SimulatedLog

@testable import Worker

/// What holds without knowing anything of the engine.
struct Invariants {
    private let plan: Plan
    private let cluster: SimulatedCluster

    init(_ plan: Plan, _ cluster: SimulatedCluster) {
        self.plan = plan
        self.cluster = cluster
    }

    func check() -> [String] {
        repeatedEvents(plan.options.topics.decisions) + repeatedEvents(plan.options.topics.requests)
            + requestsWithoutDecision() + offsetsThatWentBack()
    }

    private func ids(_ topic: String) -> [String] {
        cluster.partitions(of: topic).flatMap { cluster.history(of: $0) }
            .map { field("id", $0) }
    }

    private func field(_ name: String, _ record: StoredRecord) -> String {
        let event = String(decoding: record.value ?? [], as: UTF8.self)
        guard let range = event.firstRange(of: "\"\(name)\":\"") else { return "" }
        return String(event[range.upperBound...].prefix { $0 != "\"" })
    }

    /// Ids tell duplicates: a decision's names model and boundary, a request's the request and the attempt.
    private func repeatedEvents(_ topic: String) -> [String] {
        var counts: [String: Int] = [:]
        for id in ids(topic) { counts[id, default: 0] += 1 }
        return counts.filter { $0.value > 1 }.keys.sorted().map { "\(topic) has \($0) \(counts[$0]!) times" }
    }

    private func requestsWithoutDecision() -> [String] {
        let decisions = Set(ids(plan.options.topics.decisions))
        return cluster.partitions(of: plan.options.topics.requests).flatMap { cluster.history(of: $0) }
            .filter { !decisions.contains(field("decision_id", $0)) }
            .map { "request \(field("id", $0)) has no decision \(field("decision_id", $0))" }
    }

    private func offsetsThatWentBack() -> [String] {
        var last: [TopicPartition: Int64] = [:]
        var violations: [String] = []
        for commit in cluster.commits(plan.options.kafka.groupID) {
            let offset = commit.offset.rawValue
            if let before = last[commit.partition], offset < before {
                violations.append("\(commit.partition) was committed at \(offset) after \(before)")
            }
            last[commit.partition] = offset
        }
        return violations
    }
}
