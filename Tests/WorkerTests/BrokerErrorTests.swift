import Foundation
import Kafka
import Retraining
import Testing

@testable import Worker

/// Errors that a broker answers with, over real Kafka connections.
@Suite(.serialized)
struct BrokerErrorTests {
    private let now = Clock.wall().floored(to: .hour)

    private func isDecided(_ stage: Stage, at time: Milliseconds) throws -> Bool {
        try stage.events(stage.topics.decisions).contains { $0["evaluated_at_ms"] as? Int64 == time }
    }

    /// Error, request, and whether the worker ends on it.
    static let injected: [(KafkaError.Code, EmbeddedBroker.Request, ends: Bool)] = [
        (.notLeaderForPartition, .produce, false),
        (.requestTimedOut, .produce, false),
        (.coordinatorNotAvailable, .offsetCommit, false),
        (.notCoordinator, .heartbeat, false),
        (.rebalanceInProgress, .heartbeat, false),
        (.leaderNotAvailable, .fetch, false),
        (.topicAuthorizationFailed, .produce, true),
        (.fencedInstanceID, .heartbeat, true),
    ]

    @Test("errors of brokers are lived through, or end the worker with the reason", arguments: injected)
    func brokerErrors(code: KafkaError.Code, request: EmbeddedBroker.Request, ends: Bool) async throws {
        let stage = try Stage()
        let history = History(endingAt: now, days: 1)
        let half = history.steps / 2
        try history.publish(0..<half, to: stage)
        let worker = try RunningWorker(stage.options { $0.kafka.groupInstanceID = "one" })
        try await stage.eventually("the first half is decided") {
            try isDecided(stage, at: history.time(half - 1))
        }
        try history.publish(half..<history.steps, to: stage)
        stage.broker.inject(Array(repeating: code, count: ends ? 50 : 2), into: request)
        if ends {
            guard case .failed(let why) = try worker.wait() else {
                Issue.record("it went on")
                return
            }
            #expect(why.contains(code.name))
            stage.broker.clearInjected(request)
            return
        }
        try await stage.eventually("the second half is decided") {
            try isDecided(stage, at: history.time(history.steps - 1))
        }
        #expect(try worker.stop() == .requested)
    }
}
