@testable import Retraining

/// An engine with the shell that a test needs: it numbers offsets, lends text, evaluates and keeps the effects.
final class EngineHarness {
    let engine: Engine
    private(set) var effects: [Effect] = []

    init(_ configuration: EngineConfiguration = .test) { engine = Engine(configuration: configuration) }

    init(_ engine: Engine) { self.engine = engine }

    // MARK: Feeding

    func lane(_ record: StreamRecord) -> Int {
        engine.lane(topic: record.topic, partition: record.partition, role: record.role)
    }

    @discardableResult
    func feed(_ record: StreamRecord) -> EngineRejection? {
        let lane = lane(record)
        let offset = engine.nextOffset(lane: lane)
        let time = record.timestamp
        switch record.payload {
        case .broken:
            engine.skip(lane: lane, offset: offset)
            return nil
        case .status(let status):
            engine.collect(lane: lane, offset: offset, timestamp: time, status: status)
            return nil
        case .command(let command):
            engine.collect(lane: lane, offset: offset, timestamp: time, command: command)
            return nil
        case .prediction, .actual, .load:
            return feedText(record, lane: lane, offset: offset)
        }
    }

    func feed(_ records: [StreamRecord]) { for record in records { feed(record) } }

    private func feedText(_ record: StreamRecord, lane: Int, offset: Int64) -> EngineRejection? {
        var arena = TextArena()
        let time = record.timestamp
        switch record.payload {
        case .prediction(let model, let version, let entity, let at, let issuedAt, let isShadow, let values):
            let (model, version, entity) = (arena.add(model), arena.add(version), arena.add(entity))
            return lend(arena, values) { text, values in
                engine.collect(
                    lane: lane, offset: offset, timestamp: time,
                    prediction: PredictionRecord(
                        model: text.text(model), version: text.text(version), entity: text.text(entity), at: at,
                        issuedAt: issuedAt, isShadow: isShadow, values: values))
            }
        case .actual(let model, let entity, let at, let values):
            let (model, entity) = (arena.add(model), arena.add(entity))
            return lend(arena, values) { text, values in
                engine.collect(
                    lane: lane, offset: offset, timestamp: time,
                    actual: ActualRecord(model: text.text(model), entity: text.text(entity), at: at, values: values))
            }
        case .load(let pool, let entity, let at, let cpu, let rate, let incident):
            let (pool, entity) = (arena.add(pool), arena.add(entity))
            return lend(arena, []) { text, _ in
                engine.collect(
                    lane: lane, offset: offset, timestamp: time,
                    load: LoadRecord(
                        pool: text.text(pool), entity: text.text(entity), at: at, cpuPercent: cpu,
                        predictionsPerSecond: rate, incident: incident))
            }
        case .status, .command, .broken: return nil
        }
    }

    private func lend<Result>(
        _ arena: TextArena, _ values: [StreamRecord.Value],
        _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<MetricValue>) -> Result
    ) -> Result {
        var arena = arena
        let names = values.map { arena.add($0.metric) }
        return arena.bytes.withUnsafeBufferPointer { text in
            let borrowed = zip(names, values).map { MetricValue(name: text.text($0), value: $1.value) }
            return borrowed.withUnsafeBufferPointer { body(text, $0) }
        }
    }

    // MARK: Evaluating

    /// Evaluates and gives the effects of this evaluation alone.
    @discardableResult
    func evaluate(
        _ boundary: Milliseconds, wallClock: Milliseconds? = nil, published: [PublishedRequest]? = nil
    ) -> [Effect] {
        var fresh: [Effect] = []
        engine.evaluate(at: boundary, wallClock: wallClock, published: published, into: &fresh)
        effects += fresh
        return fresh
    }

    /// Evaluates where there is one model, and gives its decision.
    @discardableResult
    func decide(
        _ boundary: Milliseconds, wallClock: Milliseconds? = nil, published: [PublishedRequest]? = nil
    ) -> Decision {
        evaluate(boundary, wallClock: wallClock, published: published).decisions[0]
    }

    /// Keeps a model alive: a prediction and its actual, both right, just before the boundary.
    func pulse(_ boundary: Milliseconds, model: String = "m", version: String = "v1", entity: String = "srv-1") {
        let time = boundary - .minute
        feed(.prediction(model, version: version, entity: entity, at: time, ["cpu_pct": 50], time: time))
        feed(.actual(model, entity: entity, at: time, ["cpu_pct": 50], time: time))
    }

    /// Pulses and evaluates at every multiple of `step` in (from, to].
    func run(
        from: Milliseconds, to: Milliseconds, step: Milliseconds = 5 * .minute, version: String = "v1",
        before: (Milliseconds) -> Void = { _ in }
    ) {
        var boundary = from.floored(to: step) + step
        while boundary <= to {
            pulse(boundary, version: version)
            before(boundary)
            evaluate(boundary)
            boundary += step
        }
    }

    /// Answers a request: accepted, started and succeeded at one time.
    func succeed(_ id: String, version: String? = nil, time: Milliseconds) {
        feed(.status(id, .accepted, time: time))
        feed(.status(id, .started, time: time))
        feed(.status(id, .succeeded, version: version, time: time))
    }

    // MARK: Injecting

    /// Scores that depend on the boundary, for every model.
    func injectScore(_ score: @escaping (Milliseconds) -> Double) {
        let drift = engine.configuration.drift
        engine.injectedSignal = { _, boundary in .of(score(boundary), drift) }
    }

    func injectLoad(_ load: @escaping (Milliseconds) -> Double) { engine.injectedLoad = { load($0) } }
}

extension EngineConfiguration {
    /// The source design to the letter, in windows that are bounded by count.
    static var test: EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.quiet.rule = .absolute
        configuration.drift.scoring = .plain
        configuration.drift.window = .count
        return configuration
    }
}

extension DriftSignal {
    /// A signal that says nothing but its score.
    static func of(_ score: Double, _ drift: DriftConfiguration = DriftConfiguration()) -> DriftSignal {
        let (recommendation, confidence) = DriftScore.recommendation(
            score, critical: drift.criticalThreshold, warning: drift.warningThreshold)
        return DriftSignal(
            score: score, scoring: .plain, weightedScore: score, weights: .init(), recommendation: recommendation,
            confidence: confidence, terms: Terms(),
            plain: Terms(), plainScore: score, floors: nil, errors: ErrorMeasures(), metrics: [], pairs: 1000,
            actuals: 1000, predictions: 1000, aboveSince: nil)
    }
}

extension Sequence<Effect> {
    var decisions: [Decision] {
        compactMap { effect in
            guard case .decision(let decision) = effect else { return nil }
            return decision
        }
    }

    var triggers: [Decision] { decisions.filter { $0.outcome == .trigger } }

    var requests: [TrainingRequest] {
        compactMap { effect in
            guard case .request(let request) = effect else { return nil }
            return request
        }
    }

    var alerts: [Alert] {
        compactMap { effect in
            guard case .alert(let alert) = effect else { return nil }
            return alert
        }
    }
}

/// Monday, 2025-10-13T00:00:00Z: 20 374 days after the epoch.
let monday: Milliseconds = 20_374 * .day

func close(_ left: Double?, _ right: Double, _ tolerance: Double = 1e-12) -> Bool {
    left.map { abs($0 - right) <= tolerance } ?? false
}
