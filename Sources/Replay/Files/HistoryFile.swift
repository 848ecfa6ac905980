import Foundation
package import Retraining

/// A file of history, and what its records are.
package struct HistoryFile: Sendable, Equatable {
    package enum Layout: Sendable { case jsonLines, commaSeparated }

    package var path: String
    package var role: InputRole
    package var layout: Layout

    private static let beginnings: [(String, InputRole)] = [
        ("predictions", .predictions), ("forecasts", .predictions), ("actuals", .actuals), ("load", .load),
        ("training-status", .trainingStatus), ("training_status", .trainingStatus), ("status", .trainingStatus),
        ("driftgate-commands", .commands), ("commands", .commands),
    ]

    /// - Parameter role: nil where the file's name says it, such as `predictions-2024-10.jsonl.zst`.
    package init(path: String, role: InputRole? = nil) throws {
        self.path = path
        let name = (path as NSString).lastPathComponent.lowercased()
        guard let role = role ?? Self.beginnings.first(where: { name.hasPrefix($0.0) })?.1 else {
            throw ReplayError(
                "\(path): what does it hold? Begin its name with predictions, actuals, load, training-status or "
                    + "driftgate-commands, or name it with --predictions, --actuals, --load, --status or --commands")
        }
        self.role = role
        var bare = name
        for ending in [".gz", ".zst", ".zstd"] where bare.hasSuffix(ending) { bare.removeLast(ending.count) }
        layout = bare.hasSuffix(".csv") ? .commaSeparated : .jsonLines
        guard layout == .jsonLines || role != .trainingStatus && role != .commands else {
            throw ReplayError("\(path): training statuses and commands are read from JSON lines only")
        }
    }

    private static let endings = [".jsonl", ".ndjson", ".json", ".csv"]

    /// The files of a directory that say what they hold; files by name, in the order of names.
    package static func files(in directory: String) throws -> [HistoryFile] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw ReplayError("cannot read the directory \(directory)")
        }
        let files = try names.sorted().compactMap { name -> HistoryFile? in
            var bare = name.lowercased()
            for ending in [".gz", ".zst", ".zstd"] where bare.hasSuffix(ending) { bare.removeLast(ending.count) }
            guard endings.contains(where: { bare.hasSuffix($0) }),
                beginnings.contains(where: { bare.hasPrefix($0.0) })
            else { return nil }
            return try HistoryFile(path: "\(directory)/\(name)")
        }
        guard !files.isEmpty else {
            throw ReplayError(
                "\(directory) holds no file that could be replayed: their names begin with predictions, actuals, load, "
                    + "training-status or driftgate-commands and end in .jsonl or .csv, with .gz or .zst behind it")
        }
        return files
    }
}
