import ArgumentParser

@main
struct Driftgate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "driftgate",
        abstract: "Decides when forecasting models should be retrained, beside a Kafka cluster.",
        subcommands: [
            RunCommand.self, ValidateCommand.self, ConfigCommand.self, StatusCommand.self, DoctorCommand.self,
            TopicsCommand.self, RequestCommand.self, PauseCommand.self, ResumeCommand.self, BaselineCommand.self,
            DemoCommand.self, ReplayCommand.self, BrokerCommand.self, PolicyCommand.self,
        ])
}
