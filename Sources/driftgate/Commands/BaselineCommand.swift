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
                Reads the model's newest decision from the decisions topic, and what the baseline holds from the last \
                snapshot in the state topic: a freeze or a reset shows from the worker's next evaluation on.
                Exit status: 0 when shown, 1 when the brokers do not answer, 2 for a wrong configuration, 3 when \
                neither knows the model.
                """)

        @OptionGroup var options: ConfigurationOptions

        @Option(help: "The model.")
        var model: String

        @Flag(help: "As one JSON object.")
        var json = false

        func run() throws {
            let configuration = try options.load()
            let command = CommandOptions()
            try command.reporting {
                let newest = try command.newest(model, configuration)
                let state = try known(configuration, isNeeded: newest[model] == nil)
                guard newest[model] != nil || state != nil else {
                    command.complainOfUnknown(model, newest, configuration)
                    throw ExitCode(3)
                }
                let report = BaselineReport(newest[model], state?.view, seenAt: state?.seenAt)
                print(json ? try report.json() : report.text)
            }
        }

        /// What the state says. Whoever may read decisions only is shown what they say.
        private func known(
            _ configuration: Configuration, isNeeded: Bool
        ) throws -> (view: BaselineView, seenAt: Milliseconds?)? {
            let options = try configuration.workerOptions()
            do throws(CommandError) { return try ModelStateReader(options).baseline(of: model) } catch {
                if isNeeded { throw error }
                CommandOptions.note("what the baseline holds is not shown: \(error)")
                return nil
            }
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
