import Foundation
import Kafka
import Retraining
import Testing

@testable import Worker

/// The whole worker over real Kafka connections, read back by `kcat`.
@Suite(.serialized)
struct EndToEndTests {
    private let now = Clock.wall().floored(to: .hour)

    private func decisions(_ stage: Stage) throws -> [[String: Any]] {
        try stage.events(stage.topics.decisions).sorted {
            ($0["evaluated_at_ms"] as? Int64 ?? 0) < ($1["evaluated_at_ms"] as? Int64 ?? 0)
        }
    }

    @Test("records in, decisions and one training request out, readable by kcat")
    func wholeLoop() async throws {
        let stage = try Stage()
        let history = History(endingAt: now)
        try history.publish(0..<history.steps, to: stage)
        let worker = try RunningWorker(stage.options())
        let last = history.time(history.steps - 1)
        try await stage.eventually("the last boundary is decided") {
            try decisions(stage).last?["evaluated_at_ms"] as? Int64 == last
        }
        #expect(try worker.stop() == .requested)

        let decided = try decisions(stage)
        #expect(decided.count == history.steps - 1, "one decision a boundary")
        let reasons = decided.compactMap { ($0["reason"] as? [String: Any])?["code"] as? String }
        #expect(reasons.first == "insufficient_data" || reasons.first == "no_baseline")
        #expect(reasons.contains("no_drift"))
        #expect(reasons.contains("drift_quiet"))
        let requests = try stage.events(stage.topics.requests)
        let request = try #require(requests.first)
        #expect(Set(requests.compactMap { $0["request_id"] as? String }).count == 1, "re-sends carry the same id")
        let decision = try #require(decided.first { $0["outcome"] as? String == "trigger" })
        #expect(decision["request_id"] as? String == request["request_id"] as? String)
        let window = try #require(request["training_window"] as? [String: Any])
        #expect((window["offsets"] as? [String: Any])?.keys.sorted() == ["actuals", "load", "predictions"])
        let headers = try stage.kcat(stage.topics.requests, format: "%h\\n")
        #expect(headers.allSatisfy { $0.contains("content-type=application/cloudevents+json") })
    }

    @Test("a restart doubles no decision and no request, and goes on where it was")
    func restart() async throws {
        let stage = try Stage()
        // The change comes early enough for a request before the restart.
        var history = History(endingAt: now, days: 12)
        history.changeAfter = 0.7
        let middle = history.steps - 40
        try history.publish(0..<middle, to: stage)
        let first = try RunningWorker(stage.options())
        try await stage.eventually("the first half is decided") {
            try decisions(stage).last?["evaluated_at_ms"] as? Int64 == history.time(middle - 1)
        }
        #expect(try first.stop() == .requested)
        let before = try stage.kcat(stage.topics.decisions).count
        let requestsBefore = try stage.events(stage.topics.requests).compactMap { $0["request_id"] as? String }

        try history.publish(middle..<history.steps, to: stage)
        let second = try RunningWorker(stage.options())
        try await stage.eventually("the second half is decided") {
            try decisions(stage).last?["evaluated_at_ms"] as? Int64 == history.time(history.steps - 1)
        }
        #expect(try second.stop() == .requested)

        let times = try decisions(stage).compactMap { $0["evaluated_at_ms"] as? Int64 }
        #expect(times.count == before + 40)
        #expect(Set(times).count == times.count, "no boundary is decided twice")
        let all = try stage.events(stage.topics.requests)
        #expect(!requestsBefore.isEmpty)
        let firstSendings = all.filter { $0["attempt"] as? Int == 1 }.compactMap { $0["request_id"] as? String }
        #expect(Set(firstSendings).count == firstSendings.count, "no request is published twice")
    }

    @Test("a worker without its topics says which ones are missing")
    func missingTopics() throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("driftgate-commands", partitions: 1)
        var options = WorkerOptions()
        options.kafka.bootstrapServers = broker.bootstrapServers
        // The embedded broker makes topics that are asked for by name, so the names are ones it refuses.
        broker.setTopicError("predictions", .unknownTopicOrPartition)
        let worker = try RunningWorker(options)
        #expect(throws: WorkerError.self) { try worker.wait() }
    }
}
