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

    private struct Found {
        var decision: Decision
        var forecast: [Double?]
        var verdicts: [Verdict]
    }

    func run() throws {
        guard configurations.swept.isEmpty else { throw ReplayError("one configuration explains a decision: no sweep") }
        let found = try command.history.recordedSet.map(inSet) ?? inStream()
        guard let found else {
            throw ReplayError(
                "there is no decision about \(target.model) at \(Figures.time(target.at)) UTC: is the model's name "
                    + "right, and does the history reach there?")
        }
        let explanation = Explanation(found.decision, forecast: found.forecast, verdicts: found.verdicts)
        for line in explanation.lines { print(line) }
    }

    private var isExact: Bool { command.decision != nil }

    /// Takes the decision asked for; with `--at` the last one up to then.
    private func look(
        _ effects: [Effect], at boundary: Milliseconds, _ forecast: () -> [Double?], _ found: inout Found?
    ) -> Bool {
        guard boundary <= target.at else { return false }
        for case .decision(let decision) in effects where decision.model == target.model {
            if isExact, boundary != target.at { continue }
            let verdicts = effects.compactMap { effect -> Verdict? in
                if case .verdict(let verdict) = effect, verdict.model == target.model { verdict } else { nil }
            }
            // A forecast costs more than the rest: it is made for the last one only, or for one close to it.
            let isNear = target.at - boundary <= 2 * configurations.current.engine.drift.checkInterval + .hour
            found = Found(decision: decision, forecast: isNear ? forecast() : [], verdicts: verdicts)
        }
        return boundary < target.at
    }

    private func inSet(_ directory: String) throws -> Found? {
        let set = try RecordedSet(directory: directory, family: command.history.family)
        guard let entity = set.entities.first(where: { $0.name == target.model }) else {
            throw ReplayError(
                "\(directory) holds no entity \(target.model); it holds \(set.entities.map(\.name).joined(separator: ", "))"
            )
        }
        var run = ClosedLoopRun(
            entity, configuration: ClosedLoopShell.configuration(configurations.current.engine))
        var found: Found?
        run.run { hour, effects, shell in
            look(effects, at: hour, { shell.quietForecast(entity: entity.name, at: hour) }, &found)
        }
        return found
    }

    private func inStream() throws -> Found? {
        let (source, _, options) = try command.source(configurations.current)
        let hasStatuses = options.cuts != nil || source.holdsStatuses
        let engine = configurations.engine(configurations.current, hasStatuses: hasStatuses)
        var found: Found?
        _ = try StreamReplay.run(
            source, [engine], options: options,
            note: { evaluation in
                look(
                    evaluation.effects, at: evaluation.boundary,
                    { evaluation.engine.quietForecast(model: target.model, at: evaluation.boundary) }, &found)
            })
        return found
    }
}

extension HistorySource {
    /// Whether the history says what became of trainings.
    var holdsStatuses: Bool {
        if let topics = self as? TopicSource { return topics.holds(.trainingStatus) }
        return lanes.contains { $0.role == .trainingStatus }
    }
}
