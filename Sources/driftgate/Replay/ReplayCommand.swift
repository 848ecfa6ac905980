import ArgumentParser
import Foundation
import Operations
import Replay
import Retraining
import Synchronization

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Run history through the engine: what would it have done, and why?",
        discussion: """
            Engine and defaults are the worker's. Sources are files, recorded sets, or the cluster's topics. Several \
            values of --set, as in --set drift_threshold_critical=0.08,0.10,0.12, replay every combination over one read.
            Exit status: 0 when done, 1 when the history could not be read, 2 for a wrong configuration.
            """)

    enum Trainings: String, ExpressibleByArgument, CaseIterable {
        /// By the training statuses in the history where it has any, else assumed.
        case auto
        /// A request counts as trained after training.assumed_duration_hours.
        case assumed
        /// By the training statuses in the history.
        case history
    }

    @OptionGroup var history: HistoryOptions
    @OptionGroup var options: ConfigurationOptions

    @Option(help: ArgumentHelp("Write every decision, one JSON object a line.", valueName: "file"))
    var decisions: String?

    @Option(help: ArgumentHelp("Write the summary as JSON; - is standard output.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write the report as one HTML page.", valueName: "file"))
    var html: String?

    @Option(help: ArgumentHelp("Write records that could not be taken, with their place.", valueName: "file"))
    var rejected: String?

    @Option(help: "Price of one training, for the cost.")
    var price: Double?

    @Option(help: "What the price is in.")
    var currency = "EUR"

    @Option(help: ArgumentHelp("Hour of the day (UTC) at which fixed schedules train.", valueName: "hour"))
    var scheduleHour = 0

    @Option(help: "How a request comes to an end: auto, assumed or history.")
    var trainings = Trainings.auto

    @Flag(help: "With --kafka: do the evaluations of the live run again, by their records in the state topic.")
    var cuts = false

    @Flag(help: "With --cuts: begin with the live run's last snapshot instead of the beginning of the topics.")
    var fromSnapshot = false

    @Option(
        help: ArgumentHelp(
            "With --cuts: number of the task, and so of its state partition; 0 where nothing is said.",
            valueName: "number"))
    var task: Int32?

    @Option(
        help: ArgumentHelp(
            "Read from --from on, but decide from this time on: what lies before fills windows and profiles.",
            valueName: "time"))
    var decideFrom: String?

    @Option(
        help: ArgumentHelp("Explain this decision: model@milliseconds, as decisions name themselves.", valueName: "id"))
    var decision: String?

    @Option(help: ArgumentHelp("Explain the decision about --model at this time.", valueName: "time"))
    var at: String?

    @Option(help: "The model of --at.")
    var model: String?

    @Flag(help: "No progress bar.")
    var quiet = false

    func validate() throws {
        guard (0..<24).contains(scheduleHour) else { throw ValidationError("--schedule-hour is 0 to 23") }
        guard price.map({ $0 >= 0 }) ?? true else { throw ValidationError("--price is 0 or more") }
        if fromSnapshot, !cuts { throw ValidationError("--from-snapshot needs --cuts") }
        if cuts, !history.kafka { throw ValidationError("--cuts needs --kafka") }
        if task != nil, !cuts { throw ValidationError("--task needs --cuts") }
        if let task, task < 0 { throw ValidationError("--task is 0 or more") }
        if cuts, history.isBounded {
            throw ValidationError(
                "--cuts begins and ends where the live run did: no --from, --to, --from-offset or --to-offset")
        }
        if let decideFrom, HistoryOptions.time(decideFrom) == nil {
            throw ValidationError("--decide-from \(decideFrom) is no time: say 2024-10-17T16:00:00Z or 2024-10-17")
        }
        if decision != nil, at != nil { throw ValidationError("--decision and --at exclude each other") }
        if at != nil, model == nil { throw ValidationError("--at needs --model") }
        if model != nil, at == nil { throw ValidationError("--model needs --at: the time of the decision to explain") }
        if decision != nil || at != nil {
            let outputs = ["--decisions": decisions, "--json": json, "--html": html, "--rejected": rejected]
            if let name = outputs.filter({ $0.value != nil }).keys.min() {
                throw ValidationError("\(name) is of a whole replay: leave it out to have a decision explained")
            }
        }
        if let at, HistoryOptions.time(at) == nil {
            throw ValidationError("--at \(at) is no time: say 2024-10-17T16:00:00Z or 2024-10-17")
        }
        if let decision, Self.target(decision) == nil {
            throw ValidationError("--decision \(decision): say model@milliseconds, as in tft-prod@1729180800000")
        }
    }

    static func target(_ decision: String) -> (model: String, at: Milliseconds)? {
        guard let sign = decision.lastIndex(of: "@"), let at = Milliseconds(decision[decision.index(after: sign)...])
        else { return nil }
        return (String(decision[..<sign]), at)
    }

    func run() throws {
        let configurations = try ReplayConfigurations(options, trainings: trainings)
        ReplaySignals.install()
        do {
            if let target = explained {
                try ExplainRun(self, configurations, target).run()
            } else {
                try ReplayRun(self, configurations).run()
            }
        } catch let error where !(error is ExitCode) {
            AtomicFile.discardAll()
            FileHandle.standardError.write(Data("driftgate replay: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    private var explained: (model: String, at: Milliseconds)? {
        if let decision { return Self.target(decision) }
        if let at, let model, let time = HistoryOptions.time(at) { return (model, time) }
        return nil
    }

    // MARK: Sources

    /// Files or topics; not a recorded set.
    func source(
        _ configuration: Configuration
    ) throws -> (source: any HistorySource, name: String, options: Replayer.Options) {
        var found: (source: any HistorySource, name: String, options: Replayer.Options)
        if history.kafka {
            found = try HistorySources.topics(
                history, configuration, cuts: cuts ? (task: task ?? 0, fromSnapshot: fromSnapshot) : nil)
        } else {
            let (source, name) = try HistorySources.files(history, configuration)
            found = (source, name, Replayer.Options())
        }
        found.options.decidesFrom = decideFrom.flatMap(HistoryOptions.time)
        return found
    }
}

/// The configurations that a replay runs.
struct ReplayConfigurations {
    /// What the command line and the file say, without what is swept.
    let current: Configuration
    let swept: [(settings: [String], configuration: Configuration)]
    private let trainings: ReplayCommand.Trainings

    init(_ options: ConfigurationOptions, trainings: ReplayCommand.Trainings) throws {
        self.trainings = trainings
        func load(_ overrides: [String]) throws(ConfigurationErrors) -> Configuration {
            try Configuration.load(
                file: options.config, environment: ProcessInfo.processInfo.environment, overrides: overrides)
        }
        do {
            let sweep = try Sweep(options.overrides) { (try? load([$0])) != nil }
            current = try load(sweep.common)
            swept = try sweep.combinations.map { ($0, try load(sweep.common + $0)) }
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode(2)
        }
    }

    /// - Parameter hasStatuses: whether the history says what became of trainings.
    func engine(_ configuration: Configuration, hasStatuses: Bool) -> EngineConfiguration {
        var engine = configuration.engine
        if trainings == .assumed || trainings == .auto && !hasStatuses { engine.training.status = .none }
        return engine
    }
}

/// SIGINT, SIGTERM and a terminal that goes away end a replay at once, and leave no unfinished file behind.
enum ReplaySignals {
    static func install() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                AtomicFile.discardAll()
                FileHandle.standardError.write(Data("\ndriftgate replay: interrupted; nothing was written\n".utf8))
                _exit(128 + number)
            }
            source.resume()
            sources.withLock { $0.append(Kept(source: source)) }
        }
    }

    private struct Kept: @unchecked Sendable { let source: any DispatchSourceSignal }
    private static let sources = Mutex<[Kept]>([])
}
