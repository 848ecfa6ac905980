import Foundation
import Replay
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

    private var shell: ClosedLoopShell
    private let printsPlans: Bool
    private let note: (Decision) -> Void
    private let decoder = JSONDecoder()
    private var lastTick: Milliseconds?
    private var loadEntities: Set<String> = []

    /// - Parameter note: is given every decision.
    init(configuration: EngineConfiguration, printsPlans: Bool, note: @escaping (Decision) -> Void) {
        shell = ClosedLoopShell(configuration: configuration)
        self.printsPlans = printsPlans
        self.note = note
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

    private func prediction(_ line: Line, _ time: Milliseconds) {
        guard let entity = line.entity, let metric = line.metric, let value = line.value,
            let target = line.target_ts.flatMap(Self.time)
        else { return }
        shell.predict(
            entity: entity, version: line.model ?? "", metric: metric, value: value, at: target, issuedAt: time,
            isShadow: line.shadow ?? false)
    }

    private func actual(_ line: Line, _ time: Milliseconds) {
        guard let entity = line.entity, let metric = line.metric, let value = line.value else { return }
        shell.observe(entity: entity, metric: metric, value: value, at: time)
    }

    /// The first column is the CPU.
    private mutating func load(_ line: Line, _ text: String, _ time: Milliseconds) {
        guard let entity = line.entity, let values = line.values, let column = Self.firstColumn(text),
            let value = values[column]
        else { return }
        loadEntities.insert(entity)
        shell.load(entity: entity, column: column, value: value, at: time)
    }

    private mutating func deployed(_ line: Line, _ time: Milliseconds) {
        guard let entity = line.entity, line.rollback != true else { return }
        shell.deployed(entity: entity, version: line.model, at: time)
    }

    private mutating func tick(_ text: String, _ time: Milliseconds) -> String {
        // A time that has been decided about is not decided about again.
        guard lastTick.map({ time > $0 }) ?? true else { return Self.acknowledgement(text) }
        lastTick = time
        let note = note
        let wishes = shell.tick(at: time) { effects in
            for case .decision(let decision) in effects { note(decision) }
        }
        var reply = ""
        for wish in wishes {
            switch wish {
            case .retrain(let model): reply += "{\"retrain\":\(Self.quoted(model))}\n"
            case .rollBack(let model): reply += "{\"rollback\":\(Self.quoted(model))}\n"
            }
        }
        if printsPlans {
            for entity in loadEntities.sorted() {
                guard let plan = shell.quietPlan(entity: entity, at: time) else { continue }
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
