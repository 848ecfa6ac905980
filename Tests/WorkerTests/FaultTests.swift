import Foundation
import Kafka
import Retraining
import Testing

@testable import Worker

/// Workers and brokers that die, over real Kafka connections. The embedded broker has no transactions, so what is
/// promised here is at-least-once: nothing is lost, and a repetition carries the same id.
@Suite(.serialized)
struct FaultTests {
    private let now = Clock.wall().floored(to: .hour)

    /// Ids of decisions with what was decided, and of first sendings of requests.
    private func outputs(_ stage: Stage) throws -> (
        decisions: [Milliseconds: String], requests: Set<String>, count: Int
    ) {
        var decisions: [Milliseconds: String] = [:]
        let events = try stage.events(stage.topics.decisions)
        for event in events {
            guard let at = event["evaluated_at_ms"] as? Int64,
                let reason = (event["reason"] as? [String: Any])?["code"] as? String
            else { continue }
            #expect(decisions[at] ?? reason == reason, "a repeated decision says what it said before")
            decisions[at] = reason
        }
        let requests = try stage.events(stage.topics.requests).filter { $0["attempt"] as? Int == 1 }
        return (decisions, Set(requests.compactMap { $0["request_id"] as? String }), events.count)
    }

    private func program(_ stage: Stage, _ settings: [String] = []) throws -> WorkerProgram {
        try WorkerProgram(
            [
                "kafka.bootstrap_servers=\(stage.broker.bootstrapServers)", "kafka.session_timeout_secs=6",
                "kafka.additional.heartbeat.interval.ms=300", "scoring=plain", "quiet.rule=absolute",
                "safeguards.max_trigger_lag_mins=", "log_dir=", "http.address=", "kafka.transactions=false",
            ] + settings)
    }

    @Test("kill -9 in a loop loses no decision and no request, and what is repeated is the same")
    func killed() async throws {
        var history = History(endingAt: now, days: 12)
        // Early enough for requests in all of the stretches that a worker is killed in.
        history.changeAfter = 0.7
        let undisturbed = try Stage()
        try history.publish(0..<history.steps, to: undisturbed)
        let calm = try RunningWorker(undisturbed.options())
        try await undisturbed.eventually("all is decided") {
            try outputs(undisturbed).decisions[history.time(history.steps - 1)] != nil
        }
        #expect(try calm.stop() == .requested)
        let expected = try outputs(undisturbed)
        #expect(!expected.requests.isEmpty)

        let stage = try Stage()
        let quarter = history.steps / 4
        for round in 0..<4 {
            let end = round == 3 ? history.steps : (round + 1) * quarter
            try history.publish(round * quarter..<end, to: stage)
            let worker = try program(stage)
            // Killed in the middle of its work, wherever that is; the last one may finish.
            let goal = round == 3 ? history.steps - 1 : round * quarter + quarter / 2
            try await stage.eventually("it has come to step \(goal)", while: worker) {
                try outputs(stage).decisions[history.time(goal)] != nil
            }
            if round < 3 { worker.kill() } else { #expect(worker.stop() == 0) }
        }
        let found = try outputs(stage)
        #expect(found.decisions == expected.decisions, "every boundary is decided, as without a crash")
        #expect(found.requests == expected.requests)
    }

    @Test("a standby takes over from a worker that was killed, and goes on where it was")
    func standby() async throws {
        let stage = try Stage()
        let history = History(endingAt: now, days: 4)
        let half = history.steps / 2
        let rest = history.steps - 10
        try history.publish(0..<half, to: stage)
        let first = try program(stage)
        try await stage.eventually("the first half is decided", while: first) {
            try outputs(stage).decisions[history.time(half - 1)] != nil
        }
        let second = try program(stage)
        try history.publish(half..<rest, to: stage)
        try await stage.eventually("the second half is decided") {
            try outputs(stage).decisions[history.time(rest - 1)] != nil
        }
        first.kill()
        try history.publish(rest..<history.steps, to: stage)
        try await stage.eventually("the standby decides what came after", while: second) {
            try outputs(stage).decisions[history.time(history.steps - 1)] != nil
        }
        let found = try outputs(stage)
        #expect(found.count == found.decisions.count, "nothing was decided twice")
        #expect(second.stop() == 0)
    }

    @Test("a broker that goes away for a while stops nothing and loses nothing")
    func brokerDown() async throws {
        let stage = try Stage()
        let history = History(endingAt: now, days: 3)
        let half = history.steps / 2
        try history.publish(0..<half, to: stage)
        let worker = try RunningWorker(stage.options())
        try await stage.eventually("the first half is decided") {
            try outputs(stage).decisions[history.time(half - 1)] != nil
        }
        try history.publish(half..<history.steps, to: stage)
        try stage.broker.setDown(broker: 1)
        try await Task.sleep(for: .seconds(3))
        try stage.broker.setUp(broker: 1)
        try await stage.eventually("the second half is decided") {
            try outputs(stage).decisions[history.time(history.steps - 1)] != nil
        }
        #expect(try worker.stop() == .requested)
        #expect(try outputs(stage).decisions.count == history.steps - 1)
    }
}
