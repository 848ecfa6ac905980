import Foundation
import Retraining
import Testing

@testable import Worker

/// Protects: every event that the program publishes is what `contracts` says, by validators that are not ours.
@Suite(.serialized)
struct PublishedEventTests {
    private static let python = ProcessInfo.processInfo.environment["DRIFTGATE_TEST_CONTRACTS_PYTHON"]
    private let now = Clock.wall().floored(to: .hour)

    /// A whole life: a request by hand, its training, a new version that is worse beside the old one, the verdict, and a
    /// record that is refused; then the topics as `kcat` reads them.
    @Test(
        "a live run publishes nothing but what the contracts describe",
        .enabled(if: python != nil, "SKIPPED: scripts/test sets DRIFTGATE_TEST_CONTRACTS_PYTHON, where PyPI answers"))
    func live() async throws {
        let stage = try Stage()
        var history = History(endingAt: now, days: 14)
        history.changeAfter = 1
        let asked = Int(0.6 * Double(history.steps))
        try history.publish(0..<asked, to: stage)
        try stage.send(
            stage.topics.commands, Array(#"{"command":"request","model":"m","reason":"a test"}"#.utf8),
            at: history.time(asked - 2) + 1)
        try stage.flush()
        let worker = try RunningWorker(stage.options { $0.engine.drift.scoring = .calibrated })
        try await stage.eventually("a request is published") { try !stage.events(stage.topics.requests).isEmpty }
        let id = try #require(try stage.events(stage.topics.requests)[0]["request_id"] as? String)
        let told = history.time(asked)
        for status in ["accepted", "started", "succeeded"] {
            try stage.send(
                stage.topics.trainingStatus,
                Array(#"{"request_id":"\#(id)","status":"\#(status)","model_version":"v2"}"#.utf8), at: told)
        }
        try history.publish(asked..<history.steps, to: stage, version: "v2", error: 1.5, shadow: "v1")
        try await stage.eventually("a verdict is published") {
            try stage.events(stage.topics.decisions).contains { $0["verdict_id"] != nil }
        }
        try stage.send(stage.topics.actuals, Array("no JSON".utf8), at: history.time(history.steps - 1))
        try stage.flush()
        #expect(try worker.stop() == .requested)

        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        let topics = [stage.topics.decisions, stage.topics.requests, stage.topics.alerts]
        let lines = try topics.flatMap { try stage.kcat($0, asJSON: true) }
        try Data(lines.joined(separator: "\n").utf8).write(to: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        process.arguments = [top.appendingPathComponent("contracts/check").path, "--events", file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let answer = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(answer.prefix(4000))")
        for kind in ["decisions", "requests", "alerts", "verdicts"] {
            #expect(answer.contains(" \(kind)"), "\(answer)")
        }
    }
}
