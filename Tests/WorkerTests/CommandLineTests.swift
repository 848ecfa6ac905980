import Contracts
import Foundation
import Retraining
import Testing

@testable import Worker

/// What operators type, as a process of its own, with a worker that obeys.
@Suite(.serialized)
struct CommandLineTests {
    private let now = Clock.wall().floored(to: .hour)

    private func settings(_ stage: Stage) -> [String] { ["kafka.bootstrap_servers=\(stage.broker.bootstrapServers)"] }

    private func command(_ record: String) -> CommandRecord? {
        guard case .command(let command) = RecordDecoder().decode(.command, Array(record.utf8)) else { return nil }
        return command
    }

    @Test("request, pause, baseline and cancel go over the topics, and the worker obeys")
    func obeyed() async throws {
        let stage = try Stage()
        let history = History(endingAt: now, days: 8)
        let middle = history.steps - 8
        try history.publish(0..<middle, to: stage)
        // At some hours of the day the load lets the drift of this history be acted on.
        let worker = try RunningWorker(stage.options { $0.engine.drift.criticalThreshold = 0.99 })
        defer { _ = try? worker.stop() }
        try await stage.eventually("the first part is decided") {
            try stage.events(stage.topics.decisions).contains {
                $0["evaluated_at_ms"] as? Int64 == history.time(middle - 1)
            }
        }
        func run(_ arguments: String..., atStep step: Int) throws -> Program.Outcome {
            let outcome = try Program.run(
                arguments + ["--time", "\(history.time(step) + 1)", "--by", "ada"], settings: settings(stage))
            try history.publish(step + 1..<step + 2, to: stage)
            return outcome
        }
        func decision(_ step: Int) async throws -> [String: Any] {
            var found: [String: Any]?
            try await stage.eventually("step \(step) is decided") {
                found = try stage.events(stage.topics.decisions).first {
                    $0["evaluated_at_ms"] as? Int64 == history.time(step)
                }
                return found != nil
            }
            return try #require(found)
        }

        try history.publish(middle..<middle + 1, to: stage)
        let asking = try Program(
            ["request", "--model", "m", "--reason", "new data centre", "--wait", "300", "--by", "ada", "--time"]
                + ["\(history.time(middle) + 1)"], settings: settings(stage))
        try await stage.eventually("the command is there") { try !stage.kcat(stage.topics.commands).isEmpty }
        try history.publish(middle + 1..<middle + 3, to: stage)
        let asked = asking.end()
        #expect(asked.status == 0, "\(asked.errors)")
        #expect(asked.output.contains("sent request for m: driftgate-commands [0] @ 0"))
        let requested = try await decision(middle + 1)
        #expect(requested["outcome"] as? String == "trigger")
        #expect((requested["reason"] as? [String: Any])?["text"] as? String == "Asked for by hand: new data centre.")
        let id = try #require(requested["request_id"] as? String)
        #expect(asked.output.contains("requested: \(id)"))

        let cancelled = try run("request", "cancel", "--request-id", id, atStep: middle + 2)
        #expect(cancelled.status == 0, "\(cancelled.errors)")
        #expect(try run("pause", "--model", "m", "--reason", "audit", atStep: middle + 3).status == 0)
        #expect(try run("baseline", "freeze", "--model", "m", atStep: middle + 4).status == 0)
        try history.publish(middle + 6..<middle + 7, to: stage)
        let paused = try await decision(middle + 5)
        #expect((paused["reason"] as? [String: Any])?["code"] as? String == "paused")
        let evidence = try #require(paused["history"] as? [String: Any])
        #expect(evidence["open_request_id"] is NSNull)
        #expect(evidence["baseline_frozen"] as? Bool == true)

        let shown = try Program.run(["baseline", "show", "--model", "m"], settings: settings(stage))
        #expect(shown.status == 0, "\(shown.errors)")
        #expect(shown.output.contains("baseline  1, from the first full window, captured "))
        #expect(shown.output.contains("frozen: trainings do not replace it"))
        #expect(shown.output.contains("cpu_pct"))
        #expect(shown.output.contains("window against baseline"))
        let json = try Program.run(["baseline", "show", "--model", "m", "--json"], settings: settings(stage))
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(report["baseline_version"] as? Int == 1 && report["baseline_frozen"] as? Bool == true)
        let sent = try stage.kcat(stage.topics.commands).compactMap(command)
        #expect(sent.map(\.kind) == [.request, .cancel, .pause, .baselineFreeze])
        #expect(sent.allSatisfy { $0.by == "ada" })
        #expect(try stage.kcat(stage.topics.deadLetters).isEmpty)

        let mistyped = try Program.run(["pause", "--model", "mm"], settings: settings(stage))
        #expect(mistyped.status == 3)
        #expect(mistyped.errors.contains("did you mean m?"))
        #expect(try stage.kcat(stage.topics.commands).count == 4, "nothing was sent")
    }

    @Test("a baseline is told where few decisions are, none, and before there is one")
    func baselines() async throws {
        let stage = try Stage()
        let history = History(endingAt: now, days: 8)
        // Before the first baseline: frozen, the first is taken all the same and kept.
        try history.publish(0..<20, to: stage)
        func freeze(_ kind: String, atStep step: Int) throws {
            try stage.send(
                stage.topics.commands, Array(#"{"command":"baseline-\#(kind)","model":"m"}"#.utf8),
                at: history.time(step) + 1)
        }
        try freeze("freeze", atStep: 18)
        let worker = try RunningWorker(
            stage.options {
                $0.output.decisions = .changes
                $0.worker.snapshotInterval = 1
            })
        defer { _ = try? worker.stop() }
        func shows(_ text: String, _ settings: [String] = []) throws -> Bool {
            let outcome = try Program.run(
                ["baseline", "show", "--model", "m"], settings: self.settings(stage) + settings)
            return outcome.status == 0 && outcome.output.contains(text)
        }
        try await stage.eventually("the freeze is told although no reason changes") {
            try shows("none yet; frozen: trainings will not replace the first")
        }
        try history.publish(20..<history.steps - 8, to: stage)
        try await stage.eventually("the first baseline is told") {
            try shows("baseline  1, from the first full window, captured ") && shows("; frozen: trainings do not")
        }
        try await stage.eventually("a snapshot holds it") { try shows("\nbaseline 1\nmetric") }
        let json = try Program.run(["baseline", "show", "--model", "m", "--json"], settings: settings(stage))
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let contents = try #require(report["contents"] as? [String: Any])
        let metric = try #require((contents["metrics"] as? [[String: Any]])?.first)
        #expect(metric["metric"] as? String == "cpu_pct")
        let quantiles = try #require(metric["quantiles"] as? [Double])
        #expect(quantiles.count == 7 && quantiles == quantiles.sorted() && quantiles[0] > 10 && quantiles[6] < 60)
        try freeze("reset", atStep: history.steps - 10)
        try history.publish(history.steps - 8..<history.steps, to: stage)
        try await stage.eventually("the reset is told") { try shows("baseline  2, from the windows, by command") }
        // As after the decisions' retention: another topic, which holds none.
        try stage.broker.createTopic("no-decisions", partitions: 1)
        try await stage.eventually("the state tells it as well") {
            try shows("from the state: no decision about the model is kept", ["topics.decisions=no-decisions"])
        }
        let sent = try Program.run(
            ["pause", "--model", "m"], settings: settings(stage) + ["topics.decisions=no-decisions"])
        #expect(sent.status == 0, "\(sent.errors)")
    }

    @Test("what is wrong is said, with a status of its own")
    func mistakes() throws {
        let stage = try Stage()
        let empty = try Program.run(["pause", "--model", "m"], settings: settings(stage))
        #expect(empty.status == 3)
        #expect(empty.errors.contains("no decision about any model"))
        let forced = try Program.run(["pause", "--model", "m", "--force"], settings: settings(stage))
        #expect(forced.status == 0)
        let unanswered = try Program.run(
            ["request", "--model", "m", "--reason", "x", "--force", "--wait", "1"], settings: settings(stage))
        #expect(unanswered.status == 4)
        #expect(unanswered.errors.contains("the worker has decided nothing"))
        let long = try Program.run(
            ["pause", "--force", "--model", String(repeating: "x", count: 300)], settings: settings(stage))
        #expect(long.status == 64)
        #expect(long.errors.contains("model"))
        let nowhere = try Program.run(["resume"], settings: ["kafka.bootstrap_servers=127.0.0.1:1"])
        #expect(nowhere.status == 1)
        #expect(nowhere.errors.contains("127.0.0.1:1"))
        let wrong = try Program.run(["resume"], settings: ["kafka.group=x"])
        #expect(wrong.status == 2)
        #expect(try Program.run(["request", "cancel"], settings: []).status == 64)
        #expect(try Program.run(["request", "--model", "m"], settings: []).status == 64)
    }
}

/// The broker that trainers are tried on.
@Suite struct BrokerCommandTests {
    @Test("the broker says where it is, holds the topics, and ends on SIGTERM")
    func broker() throws {
        let process = Process()
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        process.executableURL = folder.appendingPathComponent("driftgate")
        process.arguments = ["broker", "--partitions", "3"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let line = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        let address = line.prefix { $0 != "\n" }
        let kcat = Process()
        kcat.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        kcat.arguments = ["kcat", "-b", String(address), "-L"]
        let listing = Pipe()
        kcat.standardOutput = listing
        try kcat.run()
        let text = String(decoding: listing.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(text.contains("topic \"actuals\" with 3 partitions"))
        #expect(text.contains("topic \"training-requests\" with 1 partitions"))
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}

/// The program, as an operator runs it.
final class Program {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    private let process = Process()
    private let (output, errors) = (Pipe(), Pipe())

    init(_ arguments: [String], settings: [String]) throws {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        process.executableURL = folder.appendingPathComponent("driftgate")
        process.arguments = arguments + settings.flatMap { ["--set", $0] }
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    static func run(_ arguments: [String], settings: [String]) throws -> Outcome {
        try Program(arguments, settings: settings).end()
    }

    /// Waits for its end. What it says is little enough for a pipe.
    func end() -> Outcome {
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaints = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: complaints, as: UTF8.self))
    }
}
