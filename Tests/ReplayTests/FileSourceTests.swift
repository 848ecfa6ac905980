import CZstd
import Contracts
import Foundation
import Retraining
import Testing

@testable import Replay

/// Whatever a history is packed in, it is the same history; and what is broken is said by file and line.
struct FileSourceTests {
    @Test("plain, gzip, zstd and CSV give the same decisions")
    func formats() throws {
        let history = SampleHistory(hours: 8 * 24)
        let plain = try TemporaryDirectory()
        try history.write(to: plain)
        let decisions = try SampleHistory.decisions(SampleHistory.source(plain))
        #expect(decisions.count == history.hours - 1)

        let gzip = try TemporaryDirectory()
        try history.write(to: gzip)
        for name in gzip.names { try gzip.pack(name, by: ["gzip"]) }
        #expect(gzip.names == ["actuals.jsonl.gz", "load.jsonl.gz", "predictions.jsonl.gz"])
        #expect(try SampleHistory.decisions(SampleHistory.source(gzip)) == decisions)

        let zstd = try TemporaryDirectory()
        for (name, encode) in history.encoders {
            let bytes: [UInt8] = history.rows.flatMap { encode($0) + [10] }
            // Two frames, one behind the other, as `cat a.zst b.zst` gives.
            let half = bytes.count / 2
            try zstd.write(Self.zstd(bytes[..<half]) + Self.zstd(bytes[half...]), name + ".jsonl.zst")
        }
        #expect(try SampleHistory.decisions(SampleHistory.source(zstd)) == decisions)

        let comma = try TemporaryDirectory()
        try history.writeCSV(to: comma)
        #expect(
            try SampleHistory.decisions(SampleHistory.source(comma), withoutCuts: true)
                == SampleHistory.decisions(SampleHistory.source(plain), withoutCuts: true))
    }

    @Test("a replay equals itself, however its files are cut up")
    func splitFiles() throws {
        let history = SampleHistory(hours: 6 * 24)
        let whole = try TemporaryDirectory()
        try history.write(to: whole)
        let decisions = try SampleHistory.decisions(SampleHistory.source(whole), withoutCuts: true)
        #expect(try SampleHistory.decisions(SampleHistory.source(whole), withoutCuts: true) == decisions)

        let split = try TemporaryDirectory()
        for (name, encode) in history.encoders {
            for day in 0..<6 {
                let from = SampleHistory.start + Int64(day) * .day
                let rows = history.rows.filter { $0.time >= from && $0.time < from + .day }
                let bytes: [UInt8] = rows.flatMap { encode($0) + [10] }
                // Names in an order that is not that of time.
                try split.write(bytes, "\(name)-\((day * 5) % 6).jsonl")
            }
        }
        #expect(try SampleHistory.decisions(SampleHistory.source(split), withoutCuts: true) == decisions)
    }

    @Test("broken lines are counted and named by file and line, and the rest is read")
    func brokenLines() throws {
        let history = SampleHistory(hours: 48)
        let directory = try TemporaryDirectory()
        try history.write(to: directory)
        var lines = history.rows.map { history.actuals($0) }
        lines[4] = Array("{\"model\":\"m\",\"entity\":".utf8)
        lines[9] = Array("<html>".utf8)
        lines[12] = []
        try directory.write(lines.flatMap { $0 + [10] }, "actuals.jsonl")
        let source = try SampleHistory.source(directory)
        let decisions = try SampleHistory.decisions(source)
        #expect(decisions.count == 47)
        let findings = source.findings
        #expect(findings.counts == ["truncated_json": 1, "not_json": 1])
        #expect(findings.first.map(\.place).map { $0.hasSuffix("actuals.jsonl, line 5") } == [true, false])
        #expect(findings.first.last?.place.hasSuffix("actuals.jsonl, line 10") == true)
        #expect(findings.records == 3 * 96 - 1)
    }

    @Test("a file whose first lines nobody can read holds nobody up")
    func brokenBeginning() throws {
        let history = SampleHistory(hours: 48)
        let directory = try TemporaryDirectory()
        try history.write(to: directory)
        let decisions = try SampleHistory.decisions(SampleHistory.source(directory), withoutCuts: true)
        for (name, encode) in history.encoders {
            let lines: [UInt8] = history.rows.flatMap { encode($0) + [10] }
            try directory.write(Array("[\n\u{1}\u{2}\n".utf8) + lines, name + ".jsonl")
        }
        let source = try SampleHistory.source(directory)
        #expect(try SampleHistory.decisions(source, withoutCuts: true) == decisions)
        #expect(source.findings.refused == 6)

        for (name, _) in history.encoders { try directory.write(Array("[\n]\n".utf8), name + ".jsonl") }
        #expect(try SampleHistory.decisions(SampleHistory.source(directory)).isEmpty)
    }

    @Test("a broken cell of a CSV file is named by line and column")
    func brokenCells() throws {
        let directory = try TemporaryDirectory()
        try SampleHistory(hours: 48).writeCSV(to: directory)
        let text = """
            model,entity,at,cpu_pct
            m,a,1735689600000,1
            m,a,yesterday,1
            m,,1735689600000,1
            m,a,1735693200000,one
            m,a,1735693200000,
            m,a,1735693200000,1,2
            m,a,17356932,1
            """
        try directory.write(Array(text.utf8), "actuals.csv")
        let source = try SampleHistory.source(directory)
        _ = try SampleHistory.decisions(source)
        let found = source.findings.first.map { ($0.rejection.reason, $0.rejection.field) }
        #expect(
            found.map(\.0) == [
                .invalidTime, .missingField, .notANumber, .noUsableValue, .malformedJSON, .timeOutOfRange,
            ])
        #expect(found.map(\.1) == ["at", "entity", "cpu_pct", nil, nil, "at"])
        #expect(source.findings.first[0].place.hasSuffix("actuals.csv, line 3"))
    }

    @Test("a file that is cut off is an error, not an end")
    func truncated() throws {
        let history = SampleHistory(hours: 400)
        let directory = try TemporaryDirectory()
        try history.write(to: directory)
        try directory.pack("actuals.jsonl", by: ["gzip"])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/actuals.jsonl.gz"))
        try directory.write(Array(bytes.prefix(bytes.count / 2)), "actuals.jsonl.gz")
        #expect { _ = try SampleHistory.decisions(SampleHistory.source(directory)) } throws: {
            "\($0)".contains("actuals.jsonl.gz is cut off")
        }
        let packed = Self.zstd(history.rows.flatMap { history.actuals($0) + [10] }[...])
        try directory.write(Array(packed.prefix(packed.count / 2)), "actuals.jsonl.gz")
        #expect { _ = try SampleHistory.decisions(SampleHistory.source(directory)) } throws: {
            "\($0)".contains("actuals.jsonl.gz is cut off")
        }
    }

    @Test("a range leaves out what lies outside, and says so where it runs backwards or is empty")
    func ranges() throws {
        let directory = try TemporaryDirectory()
        try SampleHistory(hours: 240).write(to: directory)
        let (from, to) = (SampleHistory.start + 48 * .hour, SampleHistory.start + 96 * .hour)
        let source = try SampleHistory.source(directory, range: ReplayRange(from: from, to: to))
        var boundaries: [Milliseconds] = []
        _ = try StreamReplay.run(
            source, [SampleHistory.configuration],
            note: { evaluation in
                boundaries.append(evaluation.boundary)
                return true
            })
        #expect(boundaries.first == from + .hour && boundaries.last == to - .hour)
        #expect(source.findings.records == 3 * 2 * 48)
        let before = try SampleHistory.source(directory, range: ReplayRange(to: SampleHistory.start))
        #expect(try SampleHistory.decisions(before).isEmpty)
        #expect(before.findings.outsideTimes?.lowerBound == SampleHistory.start)
        #expect(throws: ReplayError.self) { try ReplayRange(from: to, to: from) }
        #expect { try ReplayRange(from: to, to: to) } throws: { "\($0)".contains("empty") }
    }

    @Test("a file of nobody knows what is refused with what to do about it")
    func names() throws {
        #expect(try HistoryFile(path: "/x/actuals-2024.jsonl.zst").role == .actuals)
        #expect(try HistoryFile(path: "/x/load.csv.gz").layout == .commaSeparated)
        #expect(try HistoryFile(path: "anything.csv", role: .predictions).role == .predictions)
        #expect { _ = try HistoryFile(path: "/x/things.jsonl") } throws: { "\($0)".contains("--predictions") }
        let directory = try TemporaryDirectory()
        #expect { _ = try HistoryFile.files(in: directory.path) } throws: { "\($0)".contains("no file") }
    }

    private static func zstd(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var packed = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let count = bytes.withUnsafeBytes { ZSTD_compress(&packed, packed.count, $0.baseAddress, $0.count, 3) }
        return Array(packed[..<count])
    }
}

/// Lines come out as they stand in the file, whatever their ends and lengths.
struct LineReaderTests {
    private func lines(_ bytes: [UInt8], longest: Int = 64) throws -> [String] {
        let directory = try TemporaryDirectory()
        try directory.write(bytes, "lines")
        let reader = LineReader(try CompressedFile(path: "\(directory.path)/lines"), longest: longest)
        var lines: [String] = []
        while let line = try reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }

    @Test func ends() throws {
        #expect(try lines(Array("a\nbc\r\n\nd".utf8)) == ["a", "bc", "", "d"])
        #expect(try lines([]).isEmpty)
        #expect(try lines(Array("\n".utf8)) == [""])
        #expect(try lines([0xEF, 0xBB, 0xBF] + Array("a\n\u{FEFF}b".utf8)) == ["a", "\u{FEFF}b"])
    }

    @Test("a line that is too long is cut, and the one behind it is whole")
    func tooLong() throws {
        let long = String(repeating: "x", count: 1000)
        let found = try lines(Array("a\n\(long)\nb\n\(long)".utf8))
        #expect(found.count == 4)
        #expect(found[0] == "a" && found[2] == "b")
        #expect(found[1].count == 65 && found[3].count > 64)
    }

    @Test("many lines over many fills stay in order")
    func many() throws {
        let all = (0..<5000).map { "line \($0) \(String(repeating: "y", count: $0 % 50))" }
        #expect(try lines(Array(all.joined(separator: "\n").utf8)) == all)
    }
}
