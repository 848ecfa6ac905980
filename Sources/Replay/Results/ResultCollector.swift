package import Retraining

/// Follows a replay and keeps what the reports show; memory is bounded whatever the length and the number of models.
package struct ResultCollector: Sendable {
    package private(set) var traces: [String: ModelTrace] = [:]
    /// Models beyond what is kept: counted only.
    package private(set) var untraced: Set<String> = []
    package private(set) var decisions = 0
    package private(set) var alerts: [Alert.Kind: Int] = [:]
    package private(set) var first: Milliseconds?
    package private(set) var last: Milliseconds?
    private let configuration: EngineConfiguration
    private let pointsMax: Int
    private static let modelsMax = 2_000
    private static let pointsOfAll = 240_000

    /// - Parameter models: how many are expected; points are shared out among them.
    package init(configuration: EngineConfiguration, models: Int = 16) {
        self.configuration = configuration
        pointsMax = max(96, min(3_000, Self.pointsOfAll / max(1, models)))
    }

    package mutating func note(_ evaluation: Evaluation) {
        guard !evaluation.isWarmUp else { return }
        note(evaluation.effects, at: evaluation.boundary)
    }

    package mutating func note(_ effects: [Effect], at boundary: Milliseconds) {
        first = first ?? boundary
        last = boundary
        for effect in effects {
            switch effect {
            case .decision(let decision):
                decisions += 1
                guard traces[decision.model] != nil || traces.count < Self.modelsMax else {
                    untraced.insert(decision.model)
                    continue
                }
                let settings = configuration.models[decision.model]
                let breach = settings?.breachThreshold ?? configuration.safeguards.breachThreshold
                traces[
                    decision.model,
                    default: ModelTrace(
                        model: decision.model, interval: configuration.drift.checkInterval, pointsMax: pointsMax,
                        isAdaptive: configuration.quiet.rule == .adaptive)
                ].note(decision, breach: breach)
            case .verdict(let verdict): traces[verdict.model]?.note(verdict)
            case .alert(let alert): if alert.state == .raised { alerts[alert.kind, default: 0] += 1 }
            case .request: break
            }
        }
    }

    /// Takes over what another replay of other models found.
    package mutating func merge(_ other: ResultCollector) {
        traces.merge(other.traces) { mine, _ in mine }
        untraced.formUnion(other.untraced)
        decisions += other.decisions
        alerts.merge(other.alerts, uniquingKeysWith: +)
        first = [first, other.first].compactMap { $0 }.min()
        last = [last, other.last].compactMap { $0 }.max()
    }
}
