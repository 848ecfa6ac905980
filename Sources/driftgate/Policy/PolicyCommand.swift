import ArgumentParser
import Contracts
import Foundation
import Operations
import Replay
import Retraining

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Decide for a closed-loop evaluator, or where nothing drifts.",
        discussion: """
            --stdio reads JSON lines of types load, actual, prediction, model_deployed and tick; answers each tick with \
            any of {"retrain": ENTITY}, {"rollback": ENTITY} and then {"ack": TIME}. An entity is a model.
            --no-drift makes stationary series whose forecasts never age, and counts the trainings that drift triggers.
            Engine and defaults are the worker's; only evaluation is hourly.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Speak the protocol on standard input and output.")
    var stdio = false

    @Option(help: ArgumentHelp("Write every decision to this file, one JSON line each.", valueName: "file"))
    var decisions: String?

    @Flag(help: "Before each acknowledgement also print {\"plan\": ENTITY, \"from\": TIME, \"to\": TIME}.")
    var plans = false

    @Option(
        help: ArgumentHelp(
            "Multiply a constant of the policy, to see how much hangs on it: \(PolicyConstant.names).",
            valueName: "name=factor"))
    var perturb: [PolicyConstant] = []

    @Flag(help: "Run stationary series instead.")
    var noDrift = false

    @Option(help: "With --no-drift: pairs an hour.")
    var rate = 1

    @Option(help: "With --no-drift: the first seed, and how many.")
    var firstSeed = 0

    @Option(help: "With --no-drift: series, one a seed.")
    var seeds = 1

    @Option(help: "With --no-drift: length of a series.")
    var weeks = 16

    func validate() throws {
        guard stdio != noDrift else { throw ValidationError("say --stdio or --no-drift") }
        guard rate > 0, rate <= 3600, seeds > 0, weeks > 0 else {
            throw ValidationError("--rate is 1 to 3600, --seeds and --weeks are above 0")
        }
    }

    func run() throws {
        var configuration = try options.load().engine
        for constant in perturb { constant.apply(to: &configuration) }
        configuration = ClosedLoopShell.configuration(configuration)
        if noDrift {
            for seed in firstSeed..<firstSeed + seeds {
                let outcome = NoDriftControl(rate: rate, seed: seed, weeks: weeks).run(configuration)
                print(outcome.line)
            }
            return
        }
        let log = try decisions.map { try DecisionFile(path: $0) }
        var session = PolicySession(configuration: configuration, printsPlans: plans) { log?.append($0) }
        while let line = readLine(strippingNewline: true) {
            guard let reply = session.take(line) else { continue }
            FileHandle.standardOutput.write(Data(reply.utf8))
        }
    }
}

/// Decisions with all their evidence, one JSON line each.
final class DecisionFile {
    private let handle: FileHandle

    init(path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw ValidationError("\(path) cannot be written") }
        self.handle = handle
    }

    func append(_ decision: Decision) {
        handle.write(Data(EventEncoder.data(of: .decision(decision)) + [0x0A]))
    }
}
