import ArgumentParser
import Foundation
import Operations
import Retraining

struct BaselineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline", abstract: "Show a model's baseline, keep it, or capture a new one.",
        subcommands: [Show.self, Freeze.self, Reset.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Which baseline is in use, and how each metric lies against it.",
            discussion: """
                Reads the model's newest decision from the decisions topic.
                Exit status: 0 when shown, 1 when the brokers do not answer, 2 for a wrong configuration, 3 when \
                there is no decision about the model.
                """)

        @OptionGroup var options: ConfigurationOptions

        @Option(help: "The model.")
        var model: String

        @Flag(help: "As one JSON object.")
        var json = false

        func run() throws {
            let configuration = try options.load()
            let command = CommandOptions()
            let decision = try command.reporting { try command.find(model, configuration) }
            print(json ? try BaselineReport(decision).json() : BaselineReport(decision).text)
        }
    }

    struct Freeze: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "freeze", abstract: "Keep the baseline through trainings, until it is reset.",
            discussion: CommandOptions.exitStatuses)

        @OptionGroup var command: CommandOptions

        @Option(help: "The model.")
        var model: String

        @Option(help: "Why; for those who read the topic.")
        var reason: String?

        func run() throws {
            try command.send(CommandRecord(kind: .baselineFreeze, model: model, reason: reason), command.options.load())
        }
    }

    struct Reset: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset", abstract: "Capture a new baseline from the windows now; ends a freeze.",
            discussion: CommandOptions.exitStatuses)

        @OptionGroup var command: CommandOptions

        @Option(help: "The model.")
        var model: String

        @Option(help: "Why; for those who read the topic.")
        var reason: String?

        func run() throws {
            try command.send(CommandRecord(kind: .baselineReset, model: model, reason: reason), command.options.load())
        }
    }
}
