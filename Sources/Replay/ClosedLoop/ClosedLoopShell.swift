package import Retraining

/// The engine beside an evaluator that feeds it hour by hour and puts its trainings into service: one model an entity.
///
/// `driftgate policy` speaks to it by lines of text, `driftgate replay` from recorded sets in memory.
package struct ClosedLoopShell {
    /// What the engine asks of the evaluator after a tick.
    package enum Wish: Equatable, Sendable {
        case retrain(model: String)
        case rollBack(model: String)
    }

    /// What the protocol leaves to the policy: whether a request was followed by a deployment.
    private struct Open {
        var requestID: String
        var ticks = 0
    }

    private let engine: Engine
    private var lanes: [Int]
    private var open: [String: Open] = [:]
    private var loadScales: [String: LoadScale] = [:]
    private var effects: [Effect] = []

    /// - Parameter configuration: see ``configuration(_:)``.
    package init(configuration: EngineConfiguration) {
        let engine = Engine(configuration: configuration)
        self.engine = engine
        lanes = InputRole.allCases.map { engine.lane(topic: "\($0)", partition: 0, role: $0) }
    }

    /// One model an entity, each with the load of its own machine, evaluated at every tick.
    package static func configuration(_ base: EngineConfiguration) -> EngineConfiguration {
        var configuration = base
        configuration.quiet.pool = QuietConfiguration.poolOfModel
        configuration.drift.checkInterval = .hour
        configuration.safeguards.maximumTriggerLag = nil
        return configuration
    }

    private func next(_ role: InputRole) -> (lane: Int, offset: Int64) {
        let lane = lanes[role.rawValue]
        return (lane, engine.nextOffset(lane: lane))
    }

    package func predict(
        entity: String, version: String, metric: String, value: Double, at target: Milliseconds,
        issuedAt: Milliseconds, isShadow: Bool
    ) {
        let (lane, offset) = next(.predictions)
        Borrowed.with(entity, version, metric) { entity, version, metric in
            withUnsafePointer(to: MetricValue(name: metric, value: value)) { values in
                _ = engine.collect(
                    lane: lane, offset: offset, timestamp: issuedAt,
                    prediction: PredictionRecord(
                        model: entity, version: version, entity: entity, at: target, issuedAt: issuedAt,
                        isShadow: isShadow, values: UnsafeBufferPointer(start: values, count: 1)))
            }
        }
    }

    package func observe(entity: String, metric: String, value: Double, at time: Milliseconds) {
        let (lane, offset) = next(.actuals)
        Borrowed.with(entity, "", metric) { entity, _, metric in
            withUnsafePointer(to: MetricValue(name: metric, value: value)) { values in
                _ = engine.collect(
                    lane: lane, offset: offset, timestamp: time,
                    actual: ActualRecord(
                        model: entity, entity: entity, at: time,
                        values: UnsafeBufferPointer(start: values, count: 1)))
            }
        }
    }

    /// - Parameter column: a load that does not call itself a percentage (`_pct`) is held against its own 30-day p95.
    package mutating func load(entity: String, column: String, value: Double, at time: Milliseconds) {
        let percent =
            column.hasSuffix("_pct")
            ? value : loadScales[entity, default: LoadScale()].percent(of: value, at: time)
        let (lane, offset) = next(.load)
        Borrowed.with(entity, "", "") { entity, _, _ in
            _ = engine.collect(
                lane: lane, offset: offset, timestamp: time,
                load: LoadRecord(
                    pool: entity, entity: entity, at: time, cpuPercent: percent, predictionsPerSecond: nil,
                    incident: nil))
        }
    }

    /// A training has been put into service; a roll-back is none.
    package mutating func deployed(entity: String, version: String?, at time: Milliseconds) {
        guard let done = open.removeValue(forKey: entity) else { return }
        let (lane, offset) = next(.trainingStatus)
        engine.collect(
            lane: lane, offset: offset, timestamp: time,
            status: TrainingStatusRecord(
                requestID: done.requestID, status: .succeeded, at: time, modelVersion: version))
    }

    /// Evaluates, in the order of what it wishes.
    ///
    /// - Parameter note: is given all effects.
    package mutating func tick(at time: Milliseconds, note: ([Effect]) -> Void) -> [Wish] {
        // Without a deployment in three ticks the evaluator has not taken the request.
        for (entity, request) in open.sorted(by: { $0.key < $1.key }) {
            guard request.ticks >= 3 else {
                open[entity]!.ticks += 1
                continue
            }
            open[entity] = nil
            let (lane, offset) = next(.trainingStatus)
            engine.collect(
                lane: lane, offset: offset, timestamp: time,
                status: TrainingStatusRecord(requestID: request.requestID, status: .rejected, at: time))
        }
        effects.removeAll(keepingCapacity: true)
        engine.evaluate(at: time, wallClock: nil, into: &effects)
        var wishes: [Wish] = []
        for effect in effects {
            switch effect {
            case .request(let request) where request.attempt == 1:
                open[request.model] = Open(requestID: request.requestID)
                wishes.append(.retrain(model: request.model))
            case .verdict(let verdict) where verdict.recommendsRollback && !verdict.againstShadowForecaster:
                wishes.append(.rollBack(model: verdict.model))
            default: break
            }
        }
        note(effects)
        return wishes
    }

    /// See `Engine.quietForecast`.
    package func quietForecast(entity: String, at time: Milliseconds) -> [Double?] {
        engine.quietForecast(model: entity, at: time)
    }

    /// The least busy window of the coming 24 hours.
    package func quietPlan(entity: String, at time: Milliseconds) -> QuietWindow? {
        engine.quietPlan(pool: entity, at: time)
    }
}
