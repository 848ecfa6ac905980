import Foundation
import Retraining

/// The protocol on one side, the engine on the other.
struct PolicySession {
    private struct Line: Decodable {
        var type: String
        var ts: String
        var entity: String?
        var metric: String?
        var value: Double?
        var values: [String: Double]?
        var target_ts: String?
        var model: String?
        var shadow: Bool?
        var rollback: Bool?
    }

    /// What the protocol leaves to the policy: whether a request was followed by a deployment.
    private struct Open {
        var requestID: String
        var ticks = 0
    }

    private let engine: Engine
    private let printsPlans: Bool
    private let note: (Decision) -> Void
    private let decoder = JSONDecoder()
    private var lanes: [InputRole: Int] = [:]
    private var offsets: [InputRole: Int64] = [:]
    private var open: [String: Open] = [:]
    private var lastTick: Milliseconds?
    private var loadScales: [String: LoadScale] = [:]
    private var loadEntities: Set<String> = []
    private var effects: [Effect] = []

    /// - Parameter note: is given every decision.
    init(configuration: EngineConfiguration, printsPlans: Bool, note: @escaping (Decision) -> Void) {
        engine = Engine(configuration: configuration)
        self.printsPlans = printsPlans
        self.note = note
        for role in InputRole.allCases { lanes[role] = engine.lane(topic: "\(role)", partition: 0, role: role) }
    }

    /// Takes one line; the answer where it is a tick.
    mutating func take(_ text: String) -> String? {
        guard let line = try? decoder.decode(Line.self, from: Data(text.utf8)), let time = Self.time(line.ts) else {
            return nil
        }
        switch line.type {
        case "load": load(line, text, time)
        case "actual": actual(line, time)
        case "prediction": prediction(line, time)
        case "model_deployed": deployed(line, time)
        case "tick": return tick(line.ts, time)
        default: break
        }
        return nil
    }

    private mutating func next(_ role: InputRole) -> (lane: Int, offset: Int64) {
        let offset = offsets[role, default: 0]
        offsets[role] = offset + 1
        return (lanes[role]!, offset)
    }

    private mutating func prediction(_ line: Line, _ time: Milliseconds) {
        guard let entity = line.entity, let metric = line.metric, let value = line.value,
            let target = line.target_ts.flatMap(Self.time)
        else { return }
        let (lane, offset) = next(.predictions)
        Borrowed.with(entity, line.model ?? "", metric) { entity, version, metric in
            withUnsafePointer(to: MetricValue(name: metric, value: value)) { values in
                _ = engine.collect(
                    lane: lane, offset: offset, timestamp: time,
                    prediction: PredictionRecord(
                        model: entity, version: version, entity: entity, at: target, issuedAt: time,
                        isShadow: line.shadow ?? false, values: UnsafeBufferPointer(start: values, count: 1)))
            }
        }
    }

    private mutating func actual(_ line: Line, _ time: Milliseconds) {
        guard let entity = line.entity, let metric = line.metric, let value = line.value else { return }
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

    /// The first column is the CPU; what does not call itself a percentage is held against its own 30-day p95.
    private mutating func load(_ line: Line, _ text: String, _ time: Milliseconds) {
        guard let entity = line.entity, let values = line.values, let column = Self.firstColumn(text),
            let value = values[column]
        else { return }
        loadEntities.insert(entity)
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

    private mutating func deployed(_ line: Line, _ time: Milliseconds) {
        guard let entity = line.entity, line.rollback != true, let done = open.removeValue(forKey: entity) else {
            return
        }
        let (lane, offset) = next(.trainingStatus)
        engine.collect(
            lane: lane, offset: offset, timestamp: time,
            status: TrainingStatusRecord(
                requestID: done.requestID, status: .succeeded, at: time, modelVersion: line.model))
    }

    private mutating func tick(_ text: String, _ time: Milliseconds) -> String {
        // A time that has been decided about is not decided about again.
        guard lastTick.map({ time > $0 }) ?? true else { return Self.acknowledgement(text) }
        lastTick = time
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
        var reply = ""
        for effect in effects {
            switch effect {
            case .request(let request) where request.attempt == 1:
                open[request.model] = Open(requestID: request.requestID)
                reply += "{\"retrain\":\(Self.quoted(request.model))}\n"
            case .verdict(let verdict) where verdict.recommendsRollback && !verdict.againstShadowForecaster:
                reply += "{\"rollback\":\(Self.quoted(verdict.model))}\n"
            case .decision(let decision): note(decision)
            default: break
            }
        }
        if printsPlans {
            for entity in loadEntities.sorted() {
                guard let plan = engine.quietPlan(pool: entity, at: time) else { continue }
                let (name, hours) = (Self.quoted(entity), [plan.from, plan.to].map { Double($0 - time) / 3_600_000 })
                reply += "{\"plan\":\(name),\"from_hours\":\(hours[0]),\"to_hours\":\(hours[1])}\n"
            }
        }
        return reply + Self.acknowledgement(text)
    }

    private static func acknowledgement(_ text: String) -> String { "{\"ack\":\(quoted(text))}\n" }

    // MARK: Text

    private static func quoted(_ text: String) -> String {
        let data = (try? JSONEncoder().encode(text)) ?? Data("\"\"".utf8)
        return String(decoding: data, as: UTF8.self)
    }

    /// The name of the first member of `values`; a decoded dictionary has lost the order.
    private static func firstColumn(_ text: String) -> String? {
        guard let start = text.range(of: "\"values\":{\""), let end = text[start.upperBound...].firstIndex(of: "\"")
        else { return nil }
        return String(text[start.upperBound..<end])
    }

    /// `YYYY-MM-DDTHH:MM:SSZ`.
    private static func time(_ text: String) -> Milliseconds? {
        let digits = Array(text.utf8)
        guard digits.count >= 20 else { return nil }
        func number(_ from: Int, _ count: Int) -> Int64 {
            digits[from..<from + count].reduce(0) { $0 * 10 + Int64($1 &- 48) }
        }
        let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2))
        // Days from civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let y = month <= 2 ? year - 1 : year
        let era = y / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return ((days * 24 + number(11, 2)) * 60 + number(14, 2)) * 60_000 + number(17, 2) * 1000
    }
}
