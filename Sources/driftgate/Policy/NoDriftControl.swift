import Foundation
import Replay
import Retraining

/// A stationary load with a daily and weekly season and autocorrelated noise, and a forecast that never ages: any
/// training but a forced refresh is a false alarm. Drives the engine in process, since at 1000 pairs an hour a protocol
/// of text would take most of the time.
struct NoDriftControl {
    /// Size of the season, and of the noise relative to the level.
    private static let shapes: [(amplitude: Double, noise: Double)] = [
        (1, 0.08), (1, 0.02), (0.5, 0.08), (0, 0.08), (0, 0.02),
    ]
    private static let start: Milliseconds = 1_736_121_600_000  // Monday, 2025-01-06.

    let rate: Int
    let seed: Int
    let weeks: Int

    struct Outcome {
        var byDrift = 0
        var refreshes = 0
        var pairs = 0
        var hoursAbove = 0
        var hours = 0
        var plainHoursAbove = 0

        var line: String {
            "{\"drift_triggered\":\(byDrift),\"forced_refreshes\":\(refreshes),\"pairs\":\(pairs),"
                + "\"hours\":\(hours),\"hours_above\":\(hoursAbove),\"plain_hours_above\":\(plainHoursAbove)}"
        }
    }

    func run(_ configuration: EngineConfiguration) -> Outcome {
        let engine = Engine(configuration: configuration)
        let lanes = InputRole.allCases.map { engine.lane(topic: "\($0)", partition: 0, role: $0) }
        var random = Gaussian(seed: UInt64(rate) << 32 | UInt64(seed))
        let (amplitude, noise) = Self.shapes[seed % Self.shapes.count]
        var outcome = Outcome()
        var (state, version) = (0.0, 0)
        var requestID: String?
        var effects: [Effect] = []
        for hour in 0..<weeks * 168 {
            let now = Self.start + Int64(hour) * .hour
            if let id = requestID {
                version += 1
                requestID = nil
                engine.collect(
                    lane: lanes[InputRole.trainingStatus.rawValue],
                    offset: engine.nextOffset(lane: lanes[InputRole.trainingStatus.rawValue]), timestamp: now,
                    status: TrainingStatusRecord(requestID: id, status: .succeeded, modelVersion: "v\(version)"))
            }
            state = 0.7 * state + 0.71 * noise * random.next()
            let (level, ahead) = (Self.level(hour, amplitude), Self.level(hour + 1, amplitude))
            Borrowed.with("m", "v\(version)", "x") { entity, version, metric in
                _ = engine.collect(
                    lane: lanes[InputRole.load.rawValue],
                    offset: engine.nextOffset(lane: lanes[InputRole.load.rawValue]), timestamp: now,
                    load: LoadRecord(
                        pool: entity, entity: entity, at: now, cpuPercent: level * (1 + state),
                        predictionsPerSecond: nil, incident: nil))
                for index in 0..<rate {
                    let at = now + Int64(index) * .hour / Int64(rate)
                    // Many pairs in an hour are the same series seen by several: a little noise of their own.
                    let own = rate > 1 ? 0.2 * noise * random.next() : 0
                    for (role, value) in [
                        (InputRole.actuals, level * (1 + state + own)), (.predictions, ahead * (1 + 0.7 * state)),
                    ] {
                        let lane = lanes[role.rawValue]
                        let offset = engine.nextOffset(lane: lane)
                        withUnsafePointer(to: MetricValue(name: metric, value: value)) { value in
                            let values = UnsafeBufferPointer(start: value, count: 1)
                            if role == .actuals {
                                _ = engine.collect(
                                    lane: lane, offset: offset, timestamp: at,
                                    actual: ActualRecord(model: entity, entity: entity, at: at, values: values))
                            } else {
                                _ = engine.collect(
                                    lane: lane, offset: offset, timestamp: at,
                                    prediction: PredictionRecord(
                                        model: entity, version: version, entity: entity, at: at + .hour, issuedAt: at,
                                        isShadow: false, values: values))
                            }
                        }
                    }
                }
                outcome.pairs += rate
            }
            effects.removeAll(keepingCapacity: true)
            engine.evaluate(at: now, wallClock: nil, into: &effects)
            for effect in effects {
                switch effect {
                case .request(let request) where request.attempt == 1:
                    requestID = request.requestID
                    if request.reason == .forcedRefresh { outcome.refreshes += 1 } else { outcome.byDrift += 1 }
                case .decision(let decision):
                    guard let signal = decision.signal else { continue }
                    outcome.hours += 1
                    if signal.score > configuration.drift.criticalThreshold { outcome.hoursAbove += 1 }
                    if signal.plainScore > configuration.drift.criticalThreshold { outcome.plainHoursAbove += 1 }
                default: break
                }
            }
        }
        return outcome
    }

    private static func level(_ hour: Int, _ amplitude: Double) -> Double {
        let day = sin(2 * .pi * Double(hour % 24 - 9) / 24)
        return 40 + 25 * max(-0.6, min(1, day)) * (hour / 24 % 7 < 5 ? 1 : 0.45) * amplitude
    }
}

/// Normally distributed numbers from a seed, the same on every machine: SplitMix64 and the polar method (Marsaglia and
/// Bray 1964).
struct Gaussian {
    private var state: UInt64
    private var spare: Double?

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return Double(bits >> 11) * 0x1p-53
    }

    mutating func next() -> Double {
        if let spare {
            self.spare = nil
            return spare
        }
        while true {
            let (x, y) = (2 * uniform() - 1, 2 * uniform() - 1)
            let square = x * x + y * y
            guard square > 0, square < 1 else { continue }
            let scale = (-2 * log(square) / square).squareRoot()
            spare = y * scale
            return x * scale
        }
    }
}
