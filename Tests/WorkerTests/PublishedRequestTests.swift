import Foundation
import Kafka
import Testing

@testable import Retraining
@testable import Worker

/// Protects: what a trainer reads in a published request is true of the topics, record by record.
@Suite(.serialized)
struct PublishedRequestTests {
    private let now = Clock.wall().floored(to: .hour)

    private struct Sent {
        var event: [String: Any]
        var data: [String: Any]
        var traceParent: String?

        init(_ line: String) throws {
            let message = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let payload = try #require(message["payload"] as? String)
            event = try #require(try JSONSerialization.jsonObject(with: Data(payload.utf8)) as? [String: Any])
            data = try #require(event["data"] as? [String: Any])
            let headers = try #require(message["headers"] as? [String])
            traceParent = headers.firstIndex(of: "traceparent").map { headers[$0 + 1] }
        }

        func time(_ name: String) throws -> Milliseconds { try #require(data[name] as? Int64) }
    }

    /// Times of a partition's records as Kafka has them, none before the one ahead of it; by offset from 0 on.
    private func times(_ topic: String, _ partition: Int, _ stage: Stage) throws -> [Milliseconds] {
        var latest = Milliseconds.min
        return try stage.kcat(topic, format: "%p %o %T\\n").map { $0.split(separator: " ").compactMap { Int64($0) } }
            .filter { $0[0] == Int64(partition) }.sorted { $0[1] < $1[1] }.enumerated().map { index, record in
                #expect(record[1] == Int64(index), "nothing is missing here")
                latest = max(latest, record[2])
                return latest
            }
    }

    @Test("exact offsets, deadline, reply topic and trace; sent again it is the same but for its attempt")
    func published() async throws {
        let stage = try Stage()
        let history = History(endingAt: now, days: 8)
        let asked = history.steps - 10
        try history.publish(0..<asked, to: stage)
        try stage.send(
            stage.topics.commands, Array(#"{"command":"request","model":"m","reason":"new hall","by":"ada"}"#.utf8),
            at: history.time(asked - 2) + 1)
        try stage.flush()
        let worker = try RunningWorker(
            stage.options {
                $0.engine.training.window = 3 * .day
                $0.engine.training.deadline = 7 * .hour
            })
        try await stage.eventually("a request is published") { try !stage.events(stage.topics.requests).isEmpty }
        // Nobody accepts it: half an hour a step, sent again after a quarter of an hour.
        try history.publish(asked..<history.steps, to: stage)
        try await stage.eventually("it was sent three times, and then alerted") {
            try stage.events(stage.topics.alerts).contains { $0["kind"] as? String == "training_overdue" }
        }
        #expect(try worker.stop() == .requested)

        let sent = try stage.kcat(stage.topics.requests, asJSON: true).map(Sent.init)
        #expect(sent.count == 3)
        let first = try #require(sent.first)
        let id = try #require(first.data["request_id"] as? String)
        #expect(id.wholeMatch(of: /rt-[a-z2-7]{26}/) != nil, "a DNS-1123 label")
        for (index, one) in sent.enumerated() {
            #expect(one.event["id"] as? String == "\(id).\(index + 1)")
            #expect(one.traceParent != nil && one.traceParent == one.event["traceparent"] as? String)
            #expect(one.traceParent?.prefix(35) == first.traceParent?.prefix(35), "one trace, a span a sending")
            #expect(one.data["attempt"] as? Int == index + 1)
            var same = one.data
            same["attempt"] = 1
            #expect(same as NSDictionary == first.data as NSDictionary, "sent again it says the same")
        }
        let requestedAt = try first.time("requested_at_ms")
        #expect(try first.time("deadline_ms") == requestedAt + 7 * .hour)
        #expect(first.data["reply_topic"] as? String == stage.topics.trainingStatus)
        #expect(first.data["priority"] as? String == "high")
        #expect(first.data["mode"] as? String == "incremental" && first.data["epochs"] as? Int == 1)
        #expect((first.data["reason"] as? [String: Any])?["code"] as? String == "manual")
        try compareWindow(of: first, requestedAt, stage)
    }

    private func compareWindow(of request: Sent, _ requestedAt: Milliseconds, _ stage: Stage) throws {
        let window = try #require(request.data["training_window"] as? [String: Any])
        let (from, to) = (try #require(window["from_ms"] as? Int64), try #require(window["to_ms"] as? Int64))
        #expect(to == requestedAt && from == (to - 3 * .day).floored(to: .hour))
        #expect(window["complete"] as? Bool == true)
        let offsets = try #require(window["offsets"] as? [String: [String: [Int64]]])
        #expect(Set(offsets.keys) == [stage.topics.predictions, stage.topics.actuals, stage.topics.load])
        for (topic, count) in [(stage.topics.predictions, 2), (stage.topics.actuals, 2), (stage.topics.load, 1)] {
            for partition in 0..<count {
                let times = try times(topic, partition, stage)
                let expected = [times.prefix { $0 < from }.count, times.prefix { $0 < to }.count].map(Int64.init)
                #expect(offsets[topic]?["\(partition)"] == expected, "\(topic) [\(partition)]")
                #expect(expected[0] > 0 && expected[1] < times.count, "there is more on either side")
            }
        }
    }

    // MARK: What retention removes

    @Test("what the log lost since it was read is left out, and the window is not complete")
    func trimmed() {
        func held(_ start: Int64?) -> TrainingRequest {
            var request = TrainingRequest.sample
            request.hold { $0.topic == "actuals" ? start : 0 }
            return request
        }
        #expect(held(nil) == .sample, "what nobody knows changes nothing")
        #expect(held(10) == .sample)
        let some = held(11)
        #expect(!some.offsetsComplete && some.offsets.map(\.from) == [11, 5] && some.offsets.map(\.to) == [20, 9])
        let all = held(500)
        #expect(!all.offsetsComplete && all.offsets.map(\.from) == [20, 5] && all.offsets.map(\.to) == [20, 9])
    }
}

extension TrainingRequest {
    fileprivate static let sample = TrainingRequest(
        requestID: "rt-a", attempt: 1, model: "m", modelVersion: nil, requestedAt: 0, mode: "incremental", epochs: 1,
        trainingFrom: 0, trainingTo: 0,
        offsets: [
            .init(topic: "actuals", partition: 0, from: 10, to: 20),
            .init(topic: "predictions", partition: 1, from: 5, to: 9),
        ], offsetsComplete: true, keepShadow: 0, driftOnset: nil, reason: .manual, text: "", priority: .high,
        confidence: 1, signal: nil, decisionID: "", deadline: 0, replyTopic: "")
}
