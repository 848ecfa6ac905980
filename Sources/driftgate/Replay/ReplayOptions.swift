import ArgumentParser
import Contracts
import Foundation
import Kafka
import Replay
import Retraining

/// Where history comes from, and which stretch of it.
struct HistoryOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Files, a directory of them, or a directory of a recorded set.",
            discussion: """
                JSON lines or CSV, plain, gzip or zstd. A file's name says what it holds: predictions…, actuals…, load…, \
                training-status…, driftgate-commands….
                """, valueName: "path"))
    var paths: [String] = []

    @Flag(help: "Read the input topics of the configured cluster. Joins no group, commits nothing.")
    var kafka = false

    @Option(help: "More files of predictions, whatever their name.")
    var predictions: [String] = []

    @Option(help: "More files of actuals.")
    var actuals: [String] = []

    @Option(help: "More files of load.")
    var load: [String] = []

    @Option(help: "More files of training statuses.")
    var status: [String] = []

    @Option(help: "More files of commands.")
    var commands: [String] = []

    @Option(help: ArgumentHelp("First time to replay, RFC 3339 or a date (UTC).", valueName: "time"))
    var from: String?

    @Option(help: ArgumentHelp("Time to stop before.", valueName: "time"))
    var to: String?

    @Option(
        name: .customLong("from-offset"),
        help: ArgumentHelp(
            "With --kafka: first offset of a partition; may be repeated.", valueName: "topic:partition=offset"))
    var fromOffsets: [String] = []

    @Option(
        name: .customLong("to-offset"),
        help: ArgumentHelp("With --kafka: the offset to stop before.", valueName: "topic:partition=offset"))
    var toOffsets: [String] = []

    @Option(help: "Which stored forecasts of a recorded set: ridge or lgb.")
    var family = "ridge"

    var hasFiles: Bool { !(paths + predictions + actuals + load + status + commands).isEmpty }

    func validate() throws {
        if kafka, hasFiles { throw ValidationError("--kafka and files exclude each other") }
        if !kafka, !hasFiles { throw ValidationError("name files, a directory, or --kafka") }
        if !kafka, !(fromOffsets + toOffsets).isEmpty {
            throw ValidationError("--from-offset and --to-offset need --kafka: files have no offsets")
        }
        _ = try offsets(fromOffsets)
        _ = try offsets(toOffsets)
        for (name, text) in [("--from", from), ("--to", to)] {
            if let text, Self.time(text) == nil {
                throw ValidationError("\(name) \(text) is no time: say 2024-10-17T16:00:00Z or 2024-10-17")
            }
        }
    }

    /// Whether a stretch of the history was asked for.
    var isBounded: Bool { from != nil || to != nil || !(fromOffsets + toOffsets).isEmpty }

    func range() throws -> ReplayRange { try ReplayRange(from: from.flatMap(Self.time), to: to.flatMap(Self.time)) }

    func offsets(_ arguments: [String]) throws -> [TopicPartition: Int64] {
        var offsets: [TopicPartition: Int64] = [:]
        for argument in arguments {
            let sides = argument.split(separator: "=")
            let left = sides.first.map { $0.split(separator: ":") } ?? []
            guard sides.count == 2, left.count == 2, let partition = Int32(left[1]), let offset = Int64(sides[1]),
                partition >= 0, offset >= 0
            else {
                throw ValidationError("\(argument): say topic:partition=offset, such as predictions:0=12345")
            }
            offsets[TopicPartition(String(left[0]), partition)] = offset
        }
        return offsets
    }

    static func time(_ text: String) -> Milliseconds? {
        Timestamp.parse(text) ?? Timestamp.parse(text + "T00:00:00Z") ?? Milliseconds(text)
    }

    /// The one directory of a recorded set, where that is what is named.
    var recordedSet: String? {
        guard paths.count == 1, predictions.isEmpty, actuals.isEmpty,
            let names = try? FileManager.default.contentsOfDirectory(atPath: paths[0])
        else { return nil }
        return names.contains { $0.hasSuffix(".actuals.csv.gz") } ? paths[0] : nil
    }

    func files() throws -> [HistoryFile] {
        var files: [HistoryFile] = []
        for path in paths {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
                throw ReplayError("\(path) is not there")
            }
            files += isDirectory.boolValue ? try HistoryFile.files(in: path) : [try HistoryFile(path: path)]
        }
        for (paths, role) in [
            (predictions, InputRole.predictions), (actuals, .actuals), (load, .load), (status, .trainingStatus),
            (commands, .commands),
        ] { files += try paths.map { try HistoryFile(path: $0, role: role) } }
        var seen: Set<String> = []
        for file in files where !seen.insert(URL(fileURLWithPath: file.path).standardizedFileURL.path).inserted {
            throw ReplayError("\(file.path) is named twice")
        }
        return files
    }
}
