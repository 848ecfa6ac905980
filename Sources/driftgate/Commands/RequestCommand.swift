import ArgumentParser
import Foundation
import Operations
import Retraining

struct RequestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request", abstract: "Ask for a training by hand, or call one off.",
        discussion: """
            driftgate request --model tft-prod --reason "new data centre"
            driftgate request cancel --model tft-prod
            """,
        subcommands: [Ask.self, Cancel.self], defaultSubcommand: Ask.self)

    struct Ask: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ask", abstract: "Ask for a training now; the default.",
            discussion: """
                Skips the minimum interval, the back-off, the weekly limit, drift and quiet time, and counts as a \
                training. While a request of the model is open, or triggering is paused, it waits for the end of that.
                \(CommandOptions.exitStatuses) With --wait also 4: not requested in that time.
                """)

        @OptionGroup var command: CommandOptions

        @Option(help: "The model to train.")
        var model: String

        @Option(help: "Why: becomes part of the request.")
        var reason: String

        @Option(help: ArgumentHelp("Wait for the worker's answer, so long at most.", valueName: "seconds"))
        var wait: Int?

        func validate() throws {
            guard wait.map({ (1...86_400).contains($0) }) ?? true else {
                throw ValidationError("--wait takes a number of seconds from 1 to 86400")
            }
        }

        func run() throws {
            let configuration = try command.options.load()
            let follower = try command.reporting { try wait.map { _ in try DecisionReader(configuration) } }
            try command.reporting { try follower?.follow() }
            try command.send(CommandRecord(kind: .request, model: model, reason: reason), configuration)
            guard let follower, let wait else { return }
            try command.reporting { try awaitAnswer(follower, seconds: wait) }
        }

        private func awaitAnswer(_ follower: DecisionReader, seconds: Int) throws {
            let deadline = ContinuousClock.now + .seconds(seconds)
            var last: PublishedDecision?
            while ContinuousClock.now < deadline {
                for decision in try follower.next(timeoutMilliseconds: 200) where decision.model == model {
                    if decision.outcome == "trigger", let id = decision.requestID {
                        return print("requested: \(id)")
                    }
                    last = decision
                }
            }
            let answer = last.map { "the worker holds it: \($0.reason.code): \($0.reason.text)" }
            CommandOptions.complain("not requested within \(seconds) s; \(answer ?? "the worker has decided nothing")")
            throw ExitCode(4)
        }
    }

    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel", abstract: "Call off a model's open request, or one that was asked for by hand.",
            discussion: """
                The trainer is not told: stop its run there. A request called off before its training started does \
                not count against the weekly limit.
                \(CommandOptions.exitStatuses)
                """)

        @OptionGroup var command: CommandOptions

        @Option(help: "The model whose request to call off.")
        var model: String?

        @Option(help: "The request to call off; nothing happens where it is not the open one.")
        var requestID: String?

        @Option(help: "Why; for those who read the topic.")
        var reason: String?

        func validate() throws {
            guard model != nil || requestID != nil else {
                throw ValidationError("say which: --model, --request-id, or both")
            }
        }

        func run() throws {
            try command.send(
                CommandRecord(kind: .cancel, model: model, requestID: requestID, reason: reason),
                command.options.load())
        }
    }
}
