import ArgumentParser
import Operations

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check a configuration and say what is wrong with it, by file and line.",
        discussion: "Exit status: 0 when it is right, 2 when it is not.")

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let configuration = try options.load()
        _ = try configuration.workerOptions()
        print("\(options.config ?? "defaults"): valid (\(configuration.fingerprint))")
    }
}
