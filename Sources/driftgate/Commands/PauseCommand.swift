import ArgumentParser
import Retraining

struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Trigger no training until resumed; evaluations go on.",
        discussion: CommandOptions.exitStatuses)

    @OptionGroup var command: CommandOptions

    @Option(help: "One model; all models if left out.")
    var model: String?

    @Option(help: "Why; for those who read the topic.")
    var reason: String?

    func run() throws {
        try command.send(CommandRecord(kind: .pause, model: model, reason: reason), command.options.load())
    }
}

struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Trigger trainings again.",
        discussion: """
            A pause of all models and the pause of one model are two things: each is ended as it was begun.
            \(CommandOptions.exitStatuses)
            """)

    @OptionGroup var command: CommandOptions

    @Option(help: "One model; all models if left out.")
    var model: String?

    @Option(help: "Why; for those who read the topic.")
    var reason: String?

    func run() throws {
        try command.send(CommandRecord(kind: .resume, model: model, reason: reason), command.options.load())
    }
}
