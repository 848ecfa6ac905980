import Foundation
import Kafka
import Retraining

/// Follows what the worker publishes, as any other consumer of its topics would.
final class WorkerWatch {
    private let reader: TopicReader
    /// The latest decision about each model.
    private var decided: [String: Milliseconds] = [:]
    private(set) var decisions = 0
    /// Requests that decisions say were opened.
    private(set) var opened: Set<String> = []

    /// The boundary of stream time up to which the worker has decided about all models; nil before its first decision.
    /// Models that it has not spoken of for a day are left out: it may have forgotten them.
    var decidedUpTo: Milliseconds? {
        guard let latest = decided.values.max() else { return nil }
        return decided.values.filter { $0 > latest - .day }.min()
    }

    init(bootstrapServers: String, bulkPartitions: Int) throws(KafkaError) {
        var start = (0..<bulkPartitions).map { TopicPartition(Topics.decisions, Int32($0)) }
        start += [TopicPartition(Topics.requests, 0), TopicPartition(Topics.alerts, 0)]
        reader = try TopicReader(
            bootstrapServers: bootstrapServers, groupID: "driftgate-demo-watch",
            start: start.map { TopicPartitionOffset($0, Offset.beginning) })
    }

    /// What the worker has published since the last call.
    ///
    /// - Throws: `DemoError` where an event is not what its contract says.
    func poll(timeoutMilliseconds: Int = 0) throws -> [WorkerEvent] {
        try reader.poll(timeoutMilliseconds: timeoutMilliseconds).compactMap { record in
            let event: WorkerEvent?
            do {
                event = try WorkerEvent(record.value)
            } catch {
                throw DemoError(
                    "the event at \(record.topic)/\(record.partition)@\(record.offset) is not what its contract says: "
                        + "\(error)"
                )
            }
            if case .decision(let decision)? = event {
                decisions += 1
                decided[decision.model] = max(decided[decision.model] ?? .min, decision.evaluatedAt)
                if decision.outcome == "trigger", let request = decision.requestID { opened.insert(request) }
            }
            return event
        }
    }

    func close() {
        reader.close()
    }
}
