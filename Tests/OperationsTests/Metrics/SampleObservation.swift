import Kafka

@testable import Operations
@testable import Retraining
@testable import Worker

/// An observation with something in every field, and a model whose name tries to break out of its label.
enum SampleObservation {
    static let hostileName = "a\"b\\c\nd{e=\"f\"} 1\n# HELP x"

    static var observation: WorkerObservation {
        var observation = WorkerObservation()
        observation.phase = .working
        observation.isReady = true
        observation.at = 1_729_180_800_500
        observation.tasks = 1
        observation.counters.predictions = 12_345_678_901
        observation.counters.pairs = 7
        observation.rejects = [.init(role: .actuals, reason: "invalid_json"): 3]
        observation.decisions = [.noDrift: 5, .driftQuiet: 1]
        observation.requests = [.driftQuiet: 1]
        observation.alerts = [.init(kind: .slaBreach, state: .raised): 2]
        observation.checkpoints.note(.committed, took: 7, bytes: 100, at: 1_729_180_800_000)
        observation.checkpoints.note(.committed, took: 60_000, bytes: 1, at: 1_729_180_801_250)
        observation.checkpoints.note(.unknown, took: 1, bytes: 5, at: 0)
        observation.streamTime = 1_729_180_800_000
        observation.positions = [TopicPartition("predictions", 0): 90, TopicPartition("actuals", 1): 7]
        observation.models = [["tft-prod": model(score: 0.1375), hostileName: model(score: nil)]]
        return observation
    }

    static func model(score: Double?) -> ModelObservation {
        var signal: DriftSignal?
        if let score {
            signal = DriftSignal(
                score: score, scoring: .plain, weightedScore: score, weights: .init(), recommendation: .retrain,
                confidence: 1, terms: .init(), plain: .init(), plainScore: score, floors: nil,
                errors: .init(mape: 0.21), metrics: [], pairs: 100, actuals: 100, predictions: 100, aboveSince: nil)
        }
        let load = LoadEvidence(
            score: 0.25, form: .cpuOnly, machines: 1, isQuiet: true, incident: false, profileHours: 0)
        return ModelObservation(
            Decision(
                model: "m", evaluatedAt: 1_729_180_800_000, outcome: .hold, reason: .persistence, text: "",
                confidence: 0, priority: .normal, checks: [], signal: signal, load: load,
                history: .init(trainingsInWeek: 2), cut: .init()), EngineConfiguration())
    }
}
