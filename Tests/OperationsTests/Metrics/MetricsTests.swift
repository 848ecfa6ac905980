import Foundation
import Kafka
import Retraining
import Testing

@testable import Operations
@testable import Worker

/// Protects what Prometheus reads: the format, the names, and that nothing from Kafka breaks either.
@Suite struct MetricsTests {
    private func lines(_ observation: WorkerObservation?, statistics: [String] = []) -> [String] {
        let board = ObservationBoard()
        if let observation { board.put(observation) }
        for json in statistics { board.put(statistics: Array(json.utf8), isOfGroup: true) }
        let page = MetricsPage(board, topics: TopicNames(), fingerprint: "0123456789abcdef")
        return String(decoding: page.render(), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func totalsAreWhole() {
        let lines = lines(SampleObservation.observation)
        for line in [
            #"driftgate_records_total{kind="prediction"} 12345678901"#,
            #"driftgate_rejects_total{topic="actuals",reason="invalid_json"} 3"#,
            #"driftgate_rejects_total{topic="predictions",reason="invalid_json"} 0"#,
            #"driftgate_decisions_total{reason="no_drift"} 5"#,
            #"driftgate_decisions_total{reason="manual"} 0"#,
            #"driftgate_alerts_total{kind="sla_breach",state="raised"} 2"#,
            #"driftgate_last_checkpoint_timestamp_seconds 1729180801.25"#,
            #"driftgate_checkpoints_total{outcome="unknown"} 1"#,
            #"driftgate_drift_score{model="tft-prod"} 0.1375"#,
            #"driftgate_accuracy_ratio{model="tft-prod"} 0.79"#,
            #"driftgate_sla_breached{model="tft-prod"} 1"#,
            #"driftgate_worker_phase{phase="working"} 1"#,
            #"driftgate_configuration_info{hash="0123456789abcdef"} 1"#,
        ] { #expect(lines.contains(line), "\(line) is missing") }
    }

    @Test func bucketsAreCumulative() {
        let lines = lines(SampleObservation.observation).filter { $0.hasPrefix("driftgate_checkpoint_duration") }
        #expect(lines.first == #"driftgate_checkpoint_duration_seconds_bucket{le="0.005"} 0"#)
        #expect(lines.contains(#"driftgate_checkpoint_duration_seconds_bucket{le="0.01"} 1"#))
        #expect(lines.contains(#"driftgate_checkpoint_duration_seconds_bucket{le="30"} 1"#))
        #expect(lines.contains(#"driftgate_checkpoint_duration_seconds_bucket{le="+Inf"} 2"#))
        #expect(
            lines.suffix(2) == [
                "driftgate_checkpoint_duration_seconds_sum 60.007", "driftgate_checkpoint_duration_seconds_count 2",
            ])
    }

    /// A name from Kafka stays within its quotes: every line is still a comment, or a name of ours.
    @Test func hostileNamesStayInTheirLabel() {
        let lines = lines(SampleObservation.observation)
        #expect(lines.contains(#"driftgate_quiet{model="a\"b\\c\nd{e=\"f\"} 1\n# HELP x"} 1"#))
        for line in lines {
            let isOurs = [
                "# HELP driftgate_", "# TYPE driftgate_", "# HELP process_", "# TYPE process_", "driftgate_",
                "process_",
            ]
            .contains { line.hasPrefix($0) }
            #expect(isOurs, "\(line)")
        }
        #expect(!lines.contains { $0.hasPrefix("driftgate_drift_score{model=\"a") }, "there was nothing to score")
    }

    /// librdkafka tells −1 and −1001 where it does not know.
    @Test func lagLeavesOutWhatIsNotKnown() {
        let json = #"""
            {"name":"rdkafka#consumer-1","topics":{"predictions":{"partitions":{
            "0":{"partition":0,"ls_offset":100,"hi_offset":120,"consumer_lag":-1},
            "-1":{"partition":-1,"ls_offset":-1001,"hi_offset":-1001}}},
            "actuals":{"partitions":{"1":{"partition":1,"ls_offset":-1001,"hi_offset":-1}}}}}
            """#
        let lag = lines(SampleObservation.observation, statistics: [json, "{", "[]"].reversed())
            .filter { $0.hasPrefix("driftgate_consumer_lag") }
        #expect(lag == [#"driftgate_consumer_lag_records{topic="predictions",partition="0"} 10"#])
    }

    @Test func beforeTheFirstObservation() {
        let lines = lines(nil)
        #expect(lines.contains { $0.hasPrefix("process_resident_memory_bytes ") })
        #expect(!lines.contains { $0.hasPrefix("driftgate_ready") })
    }

    /// Prometheus's own judgement of names, types and help texts.
    @Test(.enabled(if: Promtool.isInstalled, "promtool is not installed (Debian package prometheus)"))
    func promtoolFindsNothing() throws {
        let board = ObservationBoard()
        board.put(SampleObservation.observation)
        board.put(
            statistics: Array(
                #"{"topics":{"predictions":{"partitions":{"0":{"partition":0,"ls_offset":100}}}}}"#.utf8),
            isOfGroup: true)
        let page = MetricsPage(board, topics: TopicNames(), fingerprint: "0123456789abcdef")
        let (status, output) = try Promtool.run(["check", "metrics"], input: page.render())
        #expect(status == 0 && output.isEmpty, "\(output)")
        let (bad, complaint) = try Promtool.run(["check", "metrics"], input: Array("# TYPE a counter\na 1\n".utf8))
        #expect(bad != 0 && complaint.contains("no help text"), "it would not have told: \(complaint)")
    }

    @Test(.enabled(if: Promtool.isInstalled, "promtool is not installed (Debian package prometheus)"))
    func alertRulesDoWhatTheirTestsSay() throws {
        for arguments in [["check", "rules", "driftgate.rules.yml"], ["test", "rules", "driftgate.rules.test.yml"]] {
            let (status, output) = try Promtool.run(arguments, folder: Promtool.root + "/config/prometheus")
            #expect(status == 0, "\(output)")
        }
    }
}

/// Prometheus's tool, as a process.
enum Promtool {
    static let path = "/usr/bin/promtool"
    static let isInstalled = FileManager.default.isExecutableFile(atPath: path)
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    static func run(
        _ arguments: [String], folder: String = root, input: [UInt8] = []
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let (output, given) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = output
        process.standardInput = given
        try process.run()
        // Smaller than a pipe holds, or read while it is written.
        given.fileHandleForWriting.write(Data(input))
        try given.fileHandleForWriting.close()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
