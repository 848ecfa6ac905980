import ArgumentParser
import Foundation
import Operations
import Retraining

/// What all commands that go over the commands topic share.
struct CommandOptions: ParsableArguments {
    static let exitStatuses = """
        Exit status: 0 when the brokers have the command, 1 when they do not answer or did not take it, 2 for a wrong \
        configuration, 3 when there is no such model, 64 for wrong arguments.
        """

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Who asks; the name of the user if left out.")
    var by: String?

    @Flag(help: "Do not look first whether a decision about this model was ever published.")
    var force = false

    @Option(
        help: ArgumentHelp(
            "The command's time in milliseconds since 1970, for streams whose time is not that of the wall clock.",
            valueName: "ms"))
    var time: Int64?

    /// Sends a command and says where it went; the process ends with a status of its own where it did not.
    func send(_ command: CommandRecord, _ configuration: Configuration) throws {
        try reporting {
            var command = command
            command.by = by ?? NSUserName()
            command.at = time ?? Milliseconds(Date().timeIntervalSince1970 * 1000)
            let sender = try CommandSender(configuration)
            if let model = command.model, !force { try require(model, configuration) }
            let receipt = try sender.send(command, time: time)
            let minutes = configuration.engine.drift.checkInterval / .minute
            print(
                "sent \(command.summary): \(receipt). The worker takes it at its next evaluation (every \(minutes) min)."
            )
        }
    }

    /// Turns a ``CommandError`` into a line on standard error and exit status 1.
    func reporting<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as CommandError {
            Self.complain("\(error)")
            throw ExitCode(error.kind == .refused ? 64 : 1)
        }
    }

    /// A typing mistake in a model's name would otherwise be counted by the worker and seen by nobody.
    private func require(_ model: String, _ configuration: Configuration) throws {
        let newest = try newest(model, configuration)
        guard newest[model] == nil else { return }
        // Decisions are kept for a while only, and with `decisions: changes` there may be none for long.
        if (try? ModelStateReader(configuration.workerOptions()).baseline(of: model)) != nil { return }
        complainOfUnknown(model, newest, configuration)
        throw ExitCode(3)
    }

    /// The newest decision of each model that is looked at on the way to this one's.
    func newest(_ model: String, _ configuration: Configuration) throws -> [String: PublishedDecision] {
        let reader = try DecisionReader(configuration)
        defer { reader.close() }
        return try reader.newest(lookingFor: model)
    }

    func complainOfUnknown(
        _ model: String, _ newest: [String: PublishedDecision], _ configuration: Configuration
    ) {
        let topic = configuration.topics.decisions
        if newest.isEmpty {
            Self.complain("\(topic) holds no decision about any model: does the worker run? --force sends all the same")
        } else {
            let nearest = NearestName.of(model, among: newest.keys).map { "; did you mean \($0)?" }
            let known = newest.keys.sorted().prefix(20).joined(separator: ", ")
            Self.complain(
                "\(topic) holds no decision about \(model)\(nearest ?? ""). Known: \(known). --force sends all the same"
            )
        }
    }

    static func note(_ text: String) { FileHandle.standardError.write(Data("note: \(text)\n".utf8)) }

    static func complain(_ text: String) {
        FileHandle.standardError.write(Data("error: \(text)\n".utf8))
    }
}

extension CommandRecord {
    /// `pause for tft-prod`, `resume for all models`.
    fileprivate var summary: String {
        "\(kind.rawValue) for \(model ?? requestID.map { "request \($0)" } ?? "all models")"
    }
}
