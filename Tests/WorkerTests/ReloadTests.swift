import Foundation
import Kafka
import Logging
import Retraining
import Testing

@testable import Worker

/// A changed configuration, while the worker runs and over a crash: the log must stay exact.
@Suite(.serialized)
struct ReloadTests {
    private let now = Clock.wall().floored(to: .hour)

    /// Two configurations under which baselines are taken at different times: an evaluation that is done again by the
    /// wrong one leaves another state.
    private func options(_ stage: Stage, _ name: String) -> WorkerOptions {
        stage.options { options in
            options.engine = Self.engine(name, options.engine)
            options.settings = name
            options.readSettings = { [engine = options.engine] name in Self.engine(name, engine) }
            // No snapshot comes by itself after the first one.
            options.worker.snapshotInterval = 7 * .day
        }
    }

    private static func engine(_ name: String, _ general: EngineConfiguration) -> EngineConfiguration {
        var engine = general
        engine.fingerprint = name
        engine.drift.baselineSpan = name == "old" ? 2 * .day : 6 * .day
        return engine
    }

    /// Every decision by its boundary, without what the wall clock says.
    private func decisions(_ stage: Stage) throws -> [(at: Int64, configuration: String?, text: String)] {
        try stage.events(stage.topics.decisions).map { event in
            var event = event
            var cut = try #require(event["cut"] as? [String: Any])
            let configuration = cut["configuration"] as? String
            cut["wall_clock"] = nil
            cut["wall_clock_ms"] = nil
            // Offsets at a cut depend on how far a partition had been read.
            cut["positions"] = nil
            event["cut"] = cut
            // How far behind the clock it is.
            event["checks"] = (event["checks"] as? [[String: Any]])?.filter { $0["check"] as? String != "catching_up" }
            let data = try JSONSerialization.data(withJSONObject: event, options: [.sortedKeys])
            return (
                try #require(event["evaluated_at_ms"] as? Int64), configuration, String(decoding: data, as: UTF8.self)
            )
        }.sorted { $0.at < $1.at }
    }

    private func waitUntil(_ stage: Stage, decided time: Milliseconds) async throws {
        try await stage.eventually("\(time) is decided") { try decisions(stage).last?.at == time }
    }

    /// Steps after which the configuration changes; the first few make the snapshot.
    private let history: History
    private let first = 20
    private let middle: Int

    init() {
        history = History(endingAt: Clock.wall().floored(to: .hour), days: 8)
        middle = history.steps * 5 / 8
    }

    /// What it must come to: a clean stop in between.
    private func reference() async throws -> [(at: Int64, configuration: String?, text: String)] {
        let stage = try Stage()
        try history.publish(0..<middle, to: stage)
        let before = try RunningWorker(options(stage, "old"))
        try await waitUntil(stage, decided: history.time(middle - 1))
        #expect(try before.stop() == .requested)
        try history.publish(middle..<history.steps, to: stage)
        let after = try RunningWorker(options(stage, "new"))
        try await waitUntil(stage, decided: history.time(history.steps - 1))
        #expect(try after.stop() == .requested)
        return try decisions(stage)
    }

    private func check(_ found: [(at: Int64, configuration: String?, text: String)]) async throws {
        let expected = try await reference()
        #expect(found.map(\.at) == expected.map(\.at), "every boundary is decided once")
        let last = history.time(middle - 1)
        for (a, b) in zip(found, expected) {
            #expect(a.configuration == (a.at <= last ? "old" : "new"), "at \(a.at)")
            #expect(a.text == b.text)
        }
    }

    @Test("a reload takes effect at a boundary, as a clean stop and a start would")
    func reload() async throws {
        let stage = try Stage()
        try history.publish(0..<middle, to: stage)
        let worker = try RunningWorker(options(stage, "old"))
        try await waitUntil(stage, decided: history.time(middle - 1))
        worker.reload(options(stage, "new"))
        try history.publish(middle..<history.steps, to: stage)
        try await waitUntil(stage, decided: history.time(history.steps - 1))
        #expect(try worker.stop() == .requested)
        try await check(decisions(stage))
    }

    @Test("what a crash leaves undone is done again by the configuration of then, and the new one follows")
    func crash() async throws {
        let stage = try Stage()
        try history.publish(0..<first, to: stage)
        let doomed = try Worker(
            options: options(stage, "old"), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try doomed.start()
        func work(until time: Milliseconds) throws {
            let deadline = Date(timeIntervalSinceNow: 300)
            while doomed.tasks.values.first?.checkpoints.lastBoundary != time
                || doomed.tasks.values.first?.checkpoints.hasFreshCuts != false
            {
                #expect(try doomed.step() == nil)
                try #require(Date() < deadline)
            }
        }
        try work(until: history.time(first - 1))
        try history.publish(first..<middle, to: stage)
        try work(until: history.time(middle - 1))
        #expect(doomed.tasks.values.first.map { $0.checkpoints.cutCount } ?? 0 > 48, "there is much to do again")
        // Without the snapshot that a clean stop writes.
        doomed.close()

        try history.publish(middle..<history.steps, to: stage)
        let worker = try RunningWorker(options(stage, "new"))
        try await waitUntil(stage, decided: history.time(history.steps - 1))
        #expect(try worker.stop() == .requested)
        try await check(decisions(stage))
    }
}
