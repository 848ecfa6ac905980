@testable import Retraining

/// A random history from a seed: records between random boundaries, under a random configuration.
///
/// It holds what a state may have to carry: several models, versions and entities, shadow predictions, late and
/// duplicate records, actuals without a model, load of pools, statuses in any order and of requests to come, commands,
/// roll-backs, limits that refuse, halves beyond their bound, tiny windows, and silences of more than 30 days.
struct StateScenario {
    typealias Numbers = DeterminismTests.SeededNumbers

    var numbers: Numbers
    let configuration: EngineConfiguration
    /// Hour by hour with every entity, so that skill, verification and baselines come about; otherwise anything goes.
    let isSteady: Bool
    let evaluations: Int
    private(set) var boundary: Milliseconds = monday
    private var requests: [String] = []
    private var step = 0

    init(seed: UInt64) {
        var numbers = Numbers(seed)
        isSteady = seed % 16 == 0
        evaluations = isSteady ? 60 : 14
        configuration = Self.configuration(isSteady: isSteady, &numbers)
        self.numbers = numbers
    }

    private static func configuration(isSteady: Bool, _ numbers: inout Numbers) -> EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.drift.scoring =
            isSteady ? .calibrated : DriftConfiguration.Scoring.allCases.randomElement(using: &numbers)!
        configuration.drift.window = DriftConfiguration.Window.allCases.randomElement(using: &numbers)!
        configuration.drift.windowSize = Int.random(in: isSteady ? 20...200 : 1...30, using: &numbers)
        configuration.drift.minimumSamples = 4
        configuration.drift.baselineSpan = 3 * .hour
        configuration.drift.persistence = [0, .hour].randomElement(using: &numbers)!
        configuration.drift.errorSpan = [6 * .hour, 72 * .hour].randomElement(using: &numbers)!
        configuration.quiet.rule = [.absolute, .adaptive].randomElement(using: &numbers)!
        configuration.safeguards.minimumInterval = [.hour, 6 * .hour].randomElement(using: &numbers)!
        configuration.safeguards.maximumAge = [2 * .day, 30 * .day].randomElement(using: &numbers)!
        configuration.safeguards.maximumTriggerLag = [nil, 15 * .minute].randomElement(using: &numbers)!
        configuration.training.status = [.topic, .topic, .none].randomElement(using: &numbers)!
        configuration.training.window = [.day, 30 * .day].randomElement(using: &numbers)!
        configuration.mode = [.act, .act, .act, .observe].randomElement(using: &numbers)!
        configuration.limits.retainedHalves = Int.random(in: 20...400, using: &numbers)
        if Bool.random(using: &numbers) {
            configuration.limits.models = 2
            configuration.limits.entities = 5
            configuration.limits.metricsPerModel = 3
        }
        if Int.random(in: 0..<4, using: &numbers) == 0 { configuration.defaultModel = "beta" }
        if Bool.random(using: &numbers) {
            var own = ModelOverrides()
            own.pool = "prod"
            own.errorMeasure = .mase
            configuration.models["alpha"] = own
        }
        return configuration
    }

    /// One interval: its records, each partition in its order, and the evaluation that ends it.
    struct Interval {
        var records: [StreamRecord]
        var boundary: Milliseconds
        var wallClock: Milliseconds?
        var streamTime: Milliseconds?
    }

    mutating func next() -> Interval {
        step += 1
        let from = boundary
        let check = configuration.drift.checkInterval
        if isSteady {
            boundary += .hour
        } else {
            switch Int.random(in: 0..<20, using: &numbers) {
            case 0: boundary += 31 * .day
            case 1...3: boundary += Int64.random(in: 1...48, using: &numbers) * .hour
            default: boundary += Int64.random(in: 1...12, using: &numbers) * check
            }
        }
        var records: [StreamRecord] = []
        if isSteady { records = steadyRecords(from: from) }
        for _ in 0..<Int.random(in: 0...(isSteady ? 6 : 24), using: &numbers) { records += anyRecords(from: from) }
        let lag = [0, Milliseconds.minute, Milliseconds.hour].randomElement(using: &numbers)!
        return Interval(
            records: records, boundary: boundary,
            wallClock: Int.random(in: 0..<5, using: &numbers) == 0 ? nil : boundary + lag,
            streamTime: Bool.random(using: &numbers) ? boundary + 1 : nil)
    }

    mutating func note(_ effects: [Effect]) { requests += effects.requests.map(\.requestID) }

    private mutating func steadyRecords(from: Milliseconds) -> [StreamRecord] {
        let (model, time) = ("alpha", from + 10 * .minute)
        let hour = Double(from.flooredDivision(by: .hour) % 24)
        let version = step < 25 || (55...56).contains(step) || step > 57 ? "v1" : "v2"
        var records: [StreamRecord] = []
        for entity in ["a", "b", "c"] {
            let load = 40 + 20 * (hour < 12 ? hour : 24 - hour) / 12 + Double.random(in: -2...2, using: &numbers)
            let error = step > 15 ? 1.4 : 1.05
            records.append(.actual(model, entity: entity, at: from, ["cpu": load, "mem": 50 + load / 4], time: time))
            for ahead in [Int64(1), 6] {
                records.append(
                    .prediction(
                        model, version: version, entity: entity, at: from + ahead * .hour, issuedAt: from + .minute,
                        ["cpu": load * error, "mem": 50], time: time))
                if step >= 25 {
                    records.append(
                        .prediction(
                            model, version: version == "v1" ? "v2" : "v1", entity: entity, at: from + ahead * .hour,
                            issuedAt: from + .minute, isShadow: true, ["cpu": load * 1.1], time: time))
                }
            }
            records.append(.load(pool: "prod", entity: entity, cpu: load, rate: load * 3, time: time))
        }
        return records
    }

    private mutating func anyRecords(from: Milliseconds) -> [StreamRecord] {
        let time = Int64.random(in: from..<boundary, using: &numbers)
        let partition = Int32.random(in: 0..<2, using: &numbers)
        let model = ["alpha", "beta", "gamma", "delta"].randomElement(using: &numbers)!
        // The last two are written alike and differ in bytes.
        let entity = ["a", "b", "c", "d", "e", "f", "caf\u{E9}", "cafe\u{301}"].randomElement(using: &numbers)!
        let late = Int.random(in: 0..<12, using: &numbers) == 0 ? 5 * Milliseconds.hour : 0
        let ahead = Int.random(in: 0..<12, using: &numbers) == 0 ? 20 * Milliseconds.day : 0
        let at = time.floored(to: 10 * .minute) + Int64.random(in: -2...3, using: &numbers) * 10 * .minute - late
        let cpu = Double.random(in: -5...120, using: &numbers)
        let memory = Double(Int.random(in: 0...400, using: &numbers)) / 4
        let repeats = Int.random(in: 0..<6, using: &numbers) == 0 ? 2 : 1
        let record: StreamRecord
        switch Int.random(in: 0..<12, using: &numbers) {
        case 0...4:
            var values = [StreamRecord.Value("cpu", cpu), StreamRecord.Value("mem", memory)]
            if Int.random(in: 0..<5, using: &numbers) == 0 { values.append(.init("disk", cpu + memory)) }
            if Int.random(in: 0..<9, using: &numbers) == 0 { values = [.init("net", memory)] }
            record = StreamRecord(
                partition: partition, timestamp: time,
                payload: .prediction(
                    model: Int.random(in: 0..<9, using: &numbers) == 0 ? "" : model,
                    version: ["", "v1", "v1", "v2", "v3"].randomElement(using: &numbers)!, entity: entity,
                    at: at + ahead,
                    issuedAt: Bool.random(using: &numbers) ? time.floored(to: .hour) : .unknownTime,
                    isShadow: Int.random(in: 0..<5, using: &numbers) == 0, values: values))
        case 5...8:
            let owner = Int.random(in: 0..<3, using: &numbers) == 0 ? "" : model
            record = .actual(
                owner, entity: entity, at: at, ["mem": memory, "cpu": abs(cpu), "disk": memory], time: time,
                partition: partition)
        case 9:
            record = .load(
                pool: ["", "prod", "lab"].randomElement(using: &numbers)!, entity: entity, cpu: abs(cpu),
                rate: Bool.random(using: &numbers) ? memory : nil,
                incident: Int.random(in: 0..<9, using: &numbers) == 0 ? Bool.random(using: &numbers) : nil, time: time,
                partition: partition)
        default: record = control(model, time: time, partition: partition)
        }
        return Array(repeating: record, count: repeats)
    }

    private mutating func control(_ model: String, time: Milliseconds, partition: Int32) -> StreamRecord {
        switch Int.random(in: 0..<3, using: &numbers) {
        case 0:
            let kinds: [CommandRecord.Kind] = [
                .request, .request, .pause, .resume, .resume, .cancel, .baselineReset, .baselineFreeze,
            ]
            return .command(kinds.randomElement(using: &numbers)!, model: model, time: time)
        case 1:
            // Of a request that this very interval may bring, or of none at all.
            return .status(
                RequestID.make(applicationID: configuration.applicationID, model: model, sequence: boundary),
                TrainingStatusRecord.Status.allCases.randomElement(using: &numbers)!, baseline: trainerBaseline(),
                time: time, partition: partition)
        default:
            return .status(
                requests.suffix(4).randomElement(using: &numbers) ?? "rt-nobody",
                TrainingStatusRecord.Status.allCases.randomElement(using: &numbers)!,
                version: ["v2", "v3", nil].randomElement(using: &numbers)!, baseline: trainerBaseline(), time: time,
                partition: partition)
        }
    }

    /// Of a metric that there is, of one that there is not, or of none.
    private mutating func trainerBaseline() -> [String: QuantileSummary] {
        var baseline: [String: QuantileSummary] = [:]
        for metric in ["cpu", "gpu"] where Bool.random(using: &numbers) {
            let least = Double.random(in: 0...50, using: &numbers)
            baseline[metric] = QuantileSummary(
                count: [nil, 7, 500].randomElement(using: &numbers)!,
                quantiles: (0...4).map { .init(share: Double($0) / 4, value: least + Double($0)) })
        }
        return baseline
    }
}
