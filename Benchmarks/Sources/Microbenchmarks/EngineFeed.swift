import Retraining

/// Hands an engine the rows of many series, as a worker does, without anything that costs beside it.
final class EngineFeed {
    let engine: Engine
    private let predictions: Int
    private let actuals: Int
    private let models: [BorrowedText]
    private let entities: [BorrowedText]
    private let version = text("2025-10-17")
    private let values: UnsafeMutableBufferPointer<MetricValue>
    private var numbers = Numbers(7)
    private(set) var now: Milliseconds
    /// From forecast to what happened.
    private let horizon: Milliseconds

    /// - Parameter start: a multiple of every interval that is evaluated.
    init(
        _ configuration: EngineConfiguration, models: Int, entities: Int, metrics: Int, horizon: Milliseconds,
        start: Milliseconds = 1_728_864_000_000
    ) {
        engine = Engine(configuration: configuration)
        predictions = engine.lane(topic: "predictions", partition: 0, role: .predictions)
        actuals = engine.lane(topic: "actuals", partition: 0, role: .actuals)
        self.models = (0..<models).map { Self.text("tft-\($0)") }
        self.entities = (0..<entities).map { Self.text("srv-\($0)") }
        values = .allocate(capacity: metrics)
        for metric in 0..<metrics {
            let name = metric < 14 ? DecodeBenchmarks.metricNames[metric] : "metric-\(metric)"
            (values.baseAddress! + metric).initialize(to: MetricValue(name: Self.text(name), value: 0))
        }
        self.horizon = horizon
        now = start
    }

    /// For as long as the process lives.
    private static func text(_ text: String) -> BorrowedText {
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
        _ = bytes.initialize(from: text.utf8)
        return BorrowedText(base: UnsafePointer(bytes.baseAddress), count: bytes.count)
    }

    /// One forecast and one actual of every series, all at this moment.
    func collect(models wanted: Range<Int>? = nil) {
        for model in wanted ?? 0..<models.count {
            var entity = model
            while entity < entities.count {
                for lane in [predictions, actuals] {
                    for metric in 0..<values.count {
                        values[metric] = MetricValue(name: values[metric].name, value: 40 + 20 * numbers.share())
                    }
                    let refusal: EngineRejection? =
                        if lane == predictions {
                            engine.collect(
                                lane: lane, offset: engine.nextOffset(lane: lane), timestamp: now,
                                prediction: PredictionRecord(
                                    model: models[model], version: version, entity: entities[entity], at: now + horizon,
                                    issuedAt: now, isShadow: false, values: UnsafeBufferPointer(values)))
                        } else {
                            engine.collect(
                                lane: lane, offset: engine.nextOffset(lane: lane), timestamp: now,
                                actual: ActualRecord(
                                    model: models[model], entity: entities[entity], at: now,
                                    values: UnsafeBufferPointer(values)))
                        }
                    precondition(refusal == nil, "refused: \(refusal!)")
                }
                entity += models.count
            }
        }
    }

    func advance(by step: Milliseconds) { now += step }

    /// Evaluates at this moment, a boundary.
    func evaluate() -> [Effect] {
        var effects: [Effect] = []
        engine.evaluate(at: now, wallClock: nil, into: &effects)
        return effects
    }
}
