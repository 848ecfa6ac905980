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
    /// Of one model: fewer, the more models there are.
    private var pointsMax: Int
    private static let modelsMax = 2_000
    private let pointsOfAll: Int

    /// - Parameters:
    ///   - isDrawn: whether a report shows its series, and not its figures only.
    ///   - pointsOfAll: points of all models together, as long as each has its least.
    package init(configuration: EngineConfiguration, isDrawn: Bool = true, pointsOfAll: Int = 240_000) {
        self.configuration = configuration
        self.pointsOfAll = pointsOfAll
        pointsMax = isDrawn ? 3_000 : 64
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
                makeRoom(for: decision.model)
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

    private mutating func makeRoom(for model: String) {
        guard traces[model] == nil, pointsMax > 96, (traces.count + 1) * pointsMax > pointsOfAll else { return }
        pointsMax = max(96, pointsMax / 2)
        for key in traces.keys { traces[key]!.keep(points: pointsMax) }
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
