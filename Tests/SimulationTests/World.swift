import Kafka
import Retraining
import SimulatedLog

/// Everything outside of driftgate: models that predict, what then happens, machines, a trainer, an operator, and
/// producers that are wrong now and then.
final class World {
    private let plan: Plan
    private let cluster: SimulatedCluster
    private var random: SeededGenerator
    private let startedAt: Int64
    private let wallOffset: Int64
    /// By model: what predicts now, and by how much it is off.
    private var versions: [Int]
    private var errors: [Double]
    private var driftHours: [Int]
    private var requestsSeen = 0
    private(set) var isOver = false

    init(_ plan: Plan, _ cluster: SimulatedCluster) {
        self.plan = plan
        self.cluster = cluster
        random = SeededGenerator(seed: plan.seed ^ 0x77_0A1D)
        startedAt = cluster.clock.now
        wallOffset = cluster.clock.wallOffset
        versions = Array(repeating: 1, count: plan.models)
        errors = Array(repeating: 1.02, count: plan.models)
        driftHours = (0..<plan.models).map { _ in 0 }
        driftHours = driftHours.map { _ in random.number(in: 10...plan.hours) }
    }

    /// What a clock without faults shows.
    var time: Milliseconds { Plan.origin + (cluster.clock.now - startedAt) * Plan.acceleration }

    /// What the workers' clocks show.
    var wallClock: Milliseconds {
        time + (cluster.clock.wallOffset - wallOffset)
    }

    /// Lets the history happen by itself, hour by hour.
    func begin() {
        for hour in 0..<plan.hours {
            cluster.clock.schedule(after: Int64(hour) * 1_000) { [unowned self] in live(hour) }
        }
        cluster.clock.schedule(after: Int64(plan.hours) * 1_000) { [unowned self] in end() }
    }

    private func live(_ hour: Int) {
        for model in 0..<plan.models {
            if hour == driftHours[model] { errors[model] = 1.6 }
            for entity in 0..<2 { observe(model, entity, hour) }
        }
        let load = 20 + 40 * Double((hour / 6) % 2) + random.unit()
        send(
            plan.options.topics.load, key: "node",
            #"{"pool":"prod","entity":"node","at":\#(time),"cpu_pct":\#(load),"predictions_per_s":\#(load / 10)}"#)
        train()
        operate()
        if random.chance(0.1) { goWrong() }
    }

    private func observe(_ model: Int, _ entity: Int, _ hour: Int) {
        let (name, entity) = ("m\(model)", "e\(model)-\(entity)")
        let level = 30 + 10 * Double(hour % 12) + Double(entity.utf8.last! & 7) + random.unit()
        let now = time + random.number(in: 0...60_000)
        let predicted = level * errors[model]
        let target = (time + .hour).floored(to: .hour)
        let prediction = """
            {"model":"\(name)","model_version":"v\(versions[model])","entity":"\(entity)","at":\(target),\
            "issued_at":\(now),"values":{"cpu":\(predicted),"mem":\(50 + predicted / 4)}}
            """
        send(plan.options.topics.predictions, key: name, prediction, at: now)
        // Non-idempotent producers repeat themselves.
        if random.chance(0.03) { send(plan.options.topics.predictions, key: name, prediction, at: now) }
        if random.chance(0.03) { return }
        let late = random.chance(0.05) ? random.number(in: 1...3) * Milliseconds.hour : 0
        let naming = random.chance(0.2) && plan.options.worker.scale == .single ? "" : #""model":"\#(name)","#
        let actual = """
            {\(naming)"entity":"\(entity)","at":\(time.floored(to: .hour) - late),\
            "values":{"cpu":\(level),"mem":\(50 + level / 4)}}
            """
        send(plan.options.topics.actuals, key: name, actual, at: now)
    }

    /// Something on every partition behind everything else, so that all of it is evaluated.
    private func end() {
        for number in 0..<plan.partitions {
            for (topic, at) in [(plan.options.topics.predictions, time + .hour), (plan.options.topics.actuals, time)] {
                append(
                    #"{"entity":"last","model":"m0","at":\#(at),"values":{"cpu":1}}"#,
                    key: "m0", to: TopicPartition(topic, number), at: time)
            }
        }
        isOver = true
    }

    // MARK: Trainer

    private func train() {
        let requests = plan.options.topics.requests
        let published = cluster.partitions(of: requests).flatMap { cluster.history(of: $0) }
        for record in published.dropFirst(requestsSeen) {
            let event = String(decoding: record.value ?? [], as: UTF8.self)
            guard let id = field("id", of: event),
                let model = field("subject", of: event).flatMap({ Int($0.dropFirst()) })
            else { continue }
            answer(String(id.prefix { $0 != "." }), model)
        }
        requestsSeen = published.count
    }

    private func answer(_ request: String, _ model: Int) {
        // Orchestrators lose events, and repeat them.
        if random.chance(0.15) { return }
        let version = versions[model] + 1
        var delay: Int64 = 0
        let end = random.pick(["succeeded", "succeeded", "succeeded", "failed", "cancelled", "rejected"])
        for status in ["accepted", "started", "progress", end] {
            // Now and then out of order.
            delay = random.chance(0.1) ? random.number(in: 0...4_000) : delay + random.number(in: 0...2_000)
            if random.chance(0.05) { continue }
            let repeats = random.chance(0.1) ? 2 : 1
            for _ in 0..<repeats {
                cluster.clock.schedule(after: delay) { [unowned self] in report(request, status, model, version) }
            }
        }
    }

    private func report(_ request: String, _ status: String, _ model: Int, _ version: Int) {
        guard !isOver else { return }
        let named = status == "succeeded" ? #","model_version":"v\#(version)""# : ""
        send(
            plan.options.topics.trainingStatus, key: request,
            #"{"request_id":"\#(request)","status":"\#(status)","at":\#(time)\#(named)}"#)
        guard status == "succeeded", random.chance(0.9) else { return }
        versions[model] = max(versions[model], version)
        errors[model] = random.pick([1.01, 1.05, 1.4])
    }

    private func field(_ name: String, of event: String) -> String? {
        guard let range = event.firstRange(of: "\"\(name)\":\"") else { return nil }
        return String(event[range.upperBound...].prefix { $0 != "\"" })
    }

    // MARK: Operator

    private func operate() {
        guard random.chance(0.12) else { return }
        let model = #""model":"m\#(random.number(in: 0...plan.models - 1))""#
        let command = random.pick([
            "pause", "resume", "request", "request", "cancel", "baseline-reset", "baseline-freeze",
        ])
        send(plan.options.topics.commands, key: "operator", #"{"command":"\#(command)",\#(model),"by":"sim"}"#)
        guard command == "pause" else { return }
        cluster.clock.schedule(after: random.number(in: 500...5_000)) { [unowned self] in
            guard !isOver else { return }
            send(plan.options.topics.commands, key: "operator", #"{"command":"resume",\#(model)}"#)
        }
    }

    // MARK: Producers that are wrong

    private func goWrong() {
        let topics = plan.options.topics
        let topic = random.pick([
            topics.predictions, topics.actuals, topics.load, topics.trainingStatus, topics.commands,
        ])
        switch random.number(in: 0...5) {
        case 0: send(topic, key: "m0", #"{"model":"m0","#)
        case 1: send(topic, key: "m1", #"{"model":"m1","values":{}}"#)
        case 2: send(topic, key: "m0", nil)
        case 3: send(topic, key: "m0", "")
        case 4:
            // Far ahead of every clock: refused by the clock, and by nothing else.
            send(
                topics.actuals, key: "m0", #"{"model":"m0","entity":"e0-0","at":\#(time),"values":{"cpu":50}}"#,
                at: time + 5 * .hour)
        default:
            // A model too many, on whatever partition.
            let name = "extra\(random.number(in: 0...2))"
            append(
                #"{"model":"\#(name)","entity":"\#(name)","at":\#(time),"values":{"cpu":50}}"#, key: name,
                to: random.pick(cluster.partitions(of: topics.predictions)), at: time)
        }
    }

    // MARK: Sending

    private func send(_ topic: String, key: String, _ text: String?, at timestamp: Milliseconds? = nil) {
        let partitions = cluster.partitions(of: topic)
        let number =
            plan.options.worker.scale == .partitioned
            ? Array(key.utf8).withUnsafeBytes { Partitioner.murmur2($0, partitions.count) }
            : random.number(in: 0...Int32(partitions.count - 1))
        append(text, key: key, to: TopicPartition(topic, number), at: timestamp ?? time)
    }

    private func append(_ text: String?, key: String, to partition: TopicPartition, at timestamp: Milliseconds) {
        cluster.append(
            StoredRecord(timestamp: timestamp, key: Array(key.utf8), value: text.map { Array($0.utf8) }), to: partition)
    }
}
