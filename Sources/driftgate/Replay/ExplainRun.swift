import Contracts
import Foundation
import Replay
import Retraining

/// Rebuilds the state at a past decision and says why it came out as it did.
struct ExplainRun {
    private let command: ReplayCommand
    private let configurations: ReplayConfigurations
    private let target: (model: String, at: Milliseconds)

    init(_ command: ReplayCommand, _ configurations: ReplayConfigurations, _ target: (model: String, at: Milliseconds))
    {
        self.command = command
        self.configurations = configurations
        self.target = target
    }

    /// What a look at the evaluations up to the target has found.
    private struct Search {
        var found: (decision: Decision, verdicts: [Verdict])?
        /// Models that there were decisions about; the first of them.
        var models: Set<String> = []
        var last: Milliseconds?
        /// The load of the next 24 hours, as it was expected at the last evaluation. It costs more than the rest.
        var forecast: () -> [Double?] = { [] }
        static let modelsMax = 1_000
    }

    func run() throws {
        guard configurations.swept.isEmpty else { throw ReplayError("one configuration explains a decision: no sweep") }
        let search = try command.history.recordedSet.map(inSet) ?? inStream()
        guard let (decision, verdicts) = search.found, !isExact || decision.evaluatedAt == target.at else {
            throw ReplayError(absence(search))
        }
        let forecast = decision.evaluatedAt == search.last ? search.forecast() : []
        let late = target.at - decision.evaluatedAt
        if late >= configurations.current.engine.drift.checkInterval {
            print(
                """
                asked for \(Figures.time(target.at)) UTC; the last decision about \(target.model) up to then was taken \
                \(Figures.hours(Double(late) / Double(Milliseconds.hour))) before

                """)
        }
        for line in Explanation(decision, forecast: forecast, verdicts: verdicts).lines { print(line) }
    }

    private var isExact: Bool { command.decision != nil }

    private func absence(_ search: Search) -> String {
        let wanted =
            isExact
            ? "there is no decision \(target.model)@\(target.at)"
            : "there is no decision about \(target.model) up to \(Figures.time(target.at)) UTC"
        if let (decision, _) = search.found {
            return "\(wanted); the one before is \(decision.id), \(Figures.time(decision.evaluatedAt)) UTC"
        }
        guard let last = search.last else {
            return "\(wanted): the history crosses no boundary of drift_check_interval_mins up to then"
        }
        let models = search.models.sorted()
        let names = models.prefix(8).joined(separator: ", ") + (models.count > 8 ? " and others" : "")
        return models.isEmpty
            ? "\(wanted), nor about any other model up to \(Figures.time(last)) UTC"
            : "\(wanted); up to \(Figures.time(last)) UTC there are decisions about \(names)"
    }

    /// Takes the decision asked for; with `--at` the last one up to then. False once there can be no later one.
    private func look(
        _ effects: [Effect], at boundary: Milliseconds, interval: Milliseconds,
        _ forecast: @escaping () -> [Double?], _ search: inout Search
    ) -> Bool {
        guard boundary <= target.at else { return false }
        search.last = boundary
        search.forecast = forecast
        for case .decision(let decision) in effects {
            if search.models.count < Search.modelsMax { search.models.insert(decision.model) }
            guard decision.model == target.model else { continue }
            let verdicts = effects.compactMap { effect -> Verdict? in
                if case .verdict(let verdict) = effect, verdict.model == target.model { verdict } else { nil }
            }
            search.found = (decision, verdicts)
        }
        return boundary + interval <= target.at
    }

    private func inSet(_ directory: String) throws -> Search {
        let set = try RecordedSet(directory: directory, family: command.history.family)
        guard let entity = set.entities.first(where: { $0.name == target.model }) else {
            throw ReplayError(
                "\(directory) holds no entity \(target.model); it holds \(set.entities.map(\.name).joined(separator: ", "))"
            )
        }
        var run = ClosedLoopRun(
            entity, configuration: ClosedLoopShell.configuration(configurations.current.engine))
        var search = Search()
        run.run { hour, effects, shell in
            look(effects, at: hour, interval: .hour, { shell.quietForecast(entity: entity.name, at: hour) }, &search)
        }
        return search
    }

    private func inStream() throws -> Search {
        let (source, _, options) = try command.source(configurations.current)
        let hasStatuses = options.cuts != nil || source.holdsStatuses
        let engine = configurations.engine(configurations.current, hasStatuses: hasStatuses)
        let interval = engine.drift.checkInterval
        var search = Search()
        try command.withProgress(of: source) { follow in
            _ = try StreamReplay.run(source, [engine], options: options, progress: follow) { evaluation in
                let boundary = evaluation.boundary
                let forecast = { evaluation.engine.quietForecast(model: target.model, at: boundary) }
                return look(evaluation.effects, at: boundary, interval: interval, forecast, &search)
            }
        }
        return search
    }
}

extension HistorySource {
    /// Whether the history says what became of trainings.
    var holdsStatuses: Bool {
        if let topics = self as? TopicSource { return topics.holds(.trainingStatus) }
        return lanes.contains { $0.role == .trainingStatus }
    }
}
