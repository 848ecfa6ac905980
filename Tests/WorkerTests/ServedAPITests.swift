import Foundation
import FoundationNetworking
import Logging
import Operations
import Testing

@testable import driftgate

/// Protects: the program serves what contracts/openapi.yaml says, about models that it decides on itself, and follows a
/// reload.
@Suite(.serialized)
struct ServedAPITests {
    private static let python = ProcessInfo.processInfo.environment["DRIFTGATE_TEST_CONTRACTS_PYTHON"]
    private static let contracts = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("contracts")

    @Test func whatIsServedBesideTheAPIIsDescribed() throws {
        let document = try String(contentsOf: Self.contracts.appendingPathComponent("openapi.yaml"), encoding: .utf8)
        let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let routes = Monitoring(try Configuration.load(file: nil), logger: silent).routes
        #expect(!routes.isEmpty)
        for route in routes { #expect(document.contains("\n  \(route.path):\n"), "\(route.path) is not described") }
    }

    /// Nothing is served without the token that was asked for, whatever the brokers do.
    @Test(arguments: ["", " \n", nil]) func withoutItsTokenItDoesNotStart(_ content: String?) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("driftgate-\(UUID()).token")
        defer { try? FileManager.default.removeItem(at: file) }
        if let content { try Data(content.utf8).write(to: file) }
        let worker = try WorkerProgram([
            "kafka.bootstrap_servers=127.0.0.1:1", "http.address=127.0.0.1:\(try PrometheusTests.Clock.freePort())",
            "http.token_file=\(file.path)", "log_dir=",
        ])
        #expect(worker.wait() == 2)
    }

    private static func summary(_ port: Int) -> [String: Any]? {
        guard let url = URL(string: "http://127.0.0.1:\(port)/api/v1/models"), let data = try? Data(contentsOf: url)
        else { return nil }
        let answer = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        return (answer?["models"] as? [[String: Any]])?.first
    }

    private static func critical(_ port: Int) -> Double? {
        (summary(port)?["thresholds"] as? [String: Any])?["critical"] as? Double
    }

    @Test func everyAnswerFitsAndThresholdsFollowAReload() async throws {
        let stage = try Stage()
        let history = History(endingAt: PrometheusTests.Clock.now(), days: 12)
        try history.publish(0..<history.steps, to: stage)
        try stage.flush()
        let port = try PrometheusTests.Clock.freePort()
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("driftgate-\(UUID()).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        func write(critical: Double) throws {
            let text = """
                drift_threshold_critical: \(critical)
                log_dir: null
                kafka:
                  bootstrap_servers: ["\(stage.broker.bootstrapServers)"]
                  session_timeout_secs: 6
                  additional: {heartbeat.interval.ms: "300"}
                  transactions: false
                http: {address: "127.0.0.1:\(port)"}
                """
            try Data(text.utf8).write(to: file)
        }
        try write(critical: 0.11)
        let worker = try WorkerProgram([], configuration: file)
        try await stage.eventually("all is decided", while: worker) {
            Self.summary(port)?["decided_at_ms"] as? Int64 == history.time(history.steps - 1)
        }
        #expect(Self.critical(port) == 0.11)
        if let python = Self.python {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: python)
            process.arguments = [
                Self.contracts.appendingPathComponent("check-api").path, "http://127.0.0.1:\(port)",
            ]
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = pipe
            try process.run()
            let answer = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(answer.prefix(4000))")
        }
        try write(critical: 0.115)
        worker.reload()
        try await stage.eventually("the new threshold is served", while: worker) { Self.critical(port) == 0.115 }
        #expect(worker.stop() == 0)
    }
}
