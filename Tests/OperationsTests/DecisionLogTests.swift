import Foundation
import Retraining
import Testing

@testable import Operations

/// Protects the decision log's files, and that nothing that happens to them stops the worker.
@Suite struct DecisionLogTests {
    /// 2025-10-17T00:00:00Z.
    private let day: Milliseconds = 20_378 * .day
    private let directory: TemporaryDirectory
    private final class Reports { var texts: [String] = [] }
    private let reports = Reports()

    init() throws { directory = try TemporaryDirectory() }

    private func log(
        directory: String? = nil, retention: Milliseconds = 90 * .day, fileBytesMax: Int = 1_000_000
    ) -> DecisionLog {
        DecisionLog(
            directory: directory ?? self.directory.path, retention: retention, fileBytesMax: fileBytesMax,
            report: { [reports] in reports.texts.append($0) })
    }

    @Test func oneFileAUTCDay() throws {
        let log = log()
        log.append(Array(#"{"n":1}"#.utf8), at: day)
        log.append(Array(#"{"n":2}"#.utf8), at: day + .day - 1)
        log.append(Array(#"{"n":3}"#.utf8), at: day + .day)
        #expect(
            try directory.names == ["retraining_decisions-2025-10-17.jsonl", "retraining_decisions-2025-10-18.jsonl"])
        #expect(try directory.read("retraining_decisions-2025-10-17.jsonl") == "{\"n\":1}\n{\"n\":2}\n")
        #expect(log.linesWritten == 3)
        #expect(reports.texts.isEmpty)
    }

    /// A line is in the file when `append` returns: a stop, clean or not, loses none.
    @Test func nothingIsHeldBack() throws {
        let log = log()
        log.append(Array("{}".utf8), at: day)
        #expect(try directory.read("retraining_decisions-2025-10-17.jsonl") == "{}\n")
        log.close()
        log.append(Array("{}".utf8), at: day)
        #expect(try directory.read("retraining_decisions-2025-10-17.jsonl") == "{}\n{}\n")
    }

    @Test func lineBreaksBecomeBlanks() throws {
        log().append(Array("{\n \"a\": 1\r\n}".utf8), at: day)
        #expect(try directory.read("retraining_decisions-2025-10-17.jsonl") == "{  \"a\": 1  }\n")
    }

    @Test func fullFilesAreFollowed() throws {
        var log = log(fileBytesMax: 10)
        for index in 0..<5 { log.append(Array("{\"\(index)\"}".utf8), at: day) }
        let expected = [
            "retraining_decisions-2025-10-17.1.jsonl", "retraining_decisions-2025-10-17.2.jsonl",
            "retraining_decisions-2025-10-17.3.jsonl", "retraining_decisions-2025-10-17.4.jsonl",
            "retraining_decisions-2025-10-17.jsonl",
        ]
        #expect(try directory.names == expected)
        // After a restart the last one goes on, if there is room.
        log = self.log(fileBytesMax: 12)
        log.append(Array("{\"5\"}".utf8), at: day)
        #expect(try directory.names == expected)
        #expect(try directory.read("retraining_decisions-2025-10-17.4.jsonl") == "{\"4\"}\n{\"5\"}\n")
        // A line that is larger than a file still has one.
        log.append(Array("{\"a line that is too long\"}".utf8), at: day)
        #expect(try directory.read("retraining_decisions-2025-10-17.5.jsonl") == "{\"a line that is too long\"}\n")
    }

    @Test func oldFilesGo() throws {
        for name in [
            "retraining_decisions-2025-10-14.jsonl", "retraining_decisions-2025-10-14.1.jsonl",
            "retraining_decisions-2025-10-15.jsonl", "retraining_decisions-2025-01-01.jsonl.bak",
            "other-2020-01-01.jsonl",
        ] {
            try directory.write("{}\n", to: name)
        }
        log(retention: 2 * .day).append(Array("{}".utf8), at: day)
        #expect(
            try directory.names == [
                "other-2020-01-01.jsonl", "retraining_decisions-2025-01-01.jsonl.bak",
                "retraining_decisions-2025-10-15.jsonl", "retraining_decisions-2025-10-17.jsonl",
            ])
    }

    @Test func aTornLineSwallowsNone() throws {
        try directory.write("{\"n\":1}\n{\"n\":", to: "retraining_decisions-2025-10-17.jsonl")
        log().append(Array(#"{"n":3}"#.utf8), at: day)
        #expect(
            try directory.read("retraining_decisions-2025-10-17.jsonl") == "{\"n\":1}\n{\"n\":\n{\"n\":3}\n")
    }

    @Test func missingDirectoriesAreMade() throws {
        log(directory: directory.path + "/a/b").append(Array("{}".utf8), at: day)
        #expect(try directory.read("a/b/retraining_decisions-2025-10-17.jsonl") == "{}\n")
    }

    /// A file where the directory should be stands for everything that can be wrong with a path.
    @Test func failuresAreCountedAndReportedOnce() throws {
        try directory.write("", to: "logs")
        let path = directory.path + "/logs"
        let log = log(directory: path)
        for _ in 0..<3 { log.append(Array("{}".utf8), at: day) }
        #expect(log.linesLost == 3)
        #expect(log.linesWritten == 0)
        #expect(reports.texts.count == 1)
        #expect(reports.texts[0].hasPrefix("The decision log cannot open \(path)/"))
        try FileManager.default.removeItem(atPath: path)
        log.append(Array("{}".utf8), at: day)
        #expect(log.linesWritten == 1)
        #expect(reports.texts.last == "The decision log works again; 3 lines were lost.")
    }

    /// `/dev/full` takes no byte, as a full disk.
    @Test func aFullDiskStopsNothing() throws {
        try FileManager.default.createSymbolicLink(
            atPath: directory.path + "/retraining_decisions-2025-10-17.jsonl", withDestinationPath: "/dev/full")
        let log = log()
        log.append(Array("{}".utf8), at: day)
        log.append(Array("{}".utf8), at: day)
        #expect(log.linesLost == 2)
        #expect(reports.texts.count == 1)
        #expect(reports.texts[0].contains("No space left on device"))
    }
}
