public import ArgumentParser
public import Demo
import Foundation

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Watch the whole loop on an embedded broker.",
        discussion: """
            A feed, a forecaster, the worker and a trainer, all over real Kafka connections: a model drifts, the worker \
            waits for a quiet time, a training request leaves, the trainer answers, accuracy recovers.
            """)

    @Flag(name: .customLong("this-host"), help: "Real time, on the metrics of this machine, until Ctrl-C.")
    var thisHost = false

    @Option(help: "Feed a set of recorded series with stored forecasts, such as …/bitbrains-vm.")
    var data: String?

    @Option(help: "Which stored forecasts of the set: ridge or lgb.")
    var family = DemoOptions.ForecastFamily.ridge

    @Flag(help: "Leave the broker up at the end and print how to attach kcat.")
    var keep = false

    @Option(help: "Of the simulated world; the same seed gives the same world.")
    var seed: UInt64 = 7

    @Option(help: "Hours of stream time in one second.")
    var speed: Double?

    @Option(help: "Days that the simulated story lasts, 18 to 40.")
    var days = 28

    @Flag(help: "Only the summary.")
    var quiet = false

    func validate() throws {
        guard !(thisHost && data != nil) else { throw ValidationError("--this-host and --data exclude each other") }
        guard (18...40).contains(days) else { throw ValidationError("--days must be 18 to 40") }
        guard speed.map({ $0 > 0 }) ?? true else { throw ValidationError("--speed must be above 0") }
    }

    func run() throws {
        var options = DemoOptions()
        if thisHost { options.scene = .thisHost }
        if let data { options.scene = .data(directory: data, family: family) }
        options.keep = keep
        options.seed = seed
        options.hoursPerSecond = speed
        options.days = days
        options.quiet = quiet
        do {
            let code = try runDemo(options)
            if code != 0 { throw ExitCode(code) }
        } catch let error where !(error is ExitCode) {
            FileHandle.standardError.write(Data("driftgate demo: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }
}

extension DemoOptions.ForecastFamily: ExpressibleByArgument {}
