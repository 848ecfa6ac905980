import Contracts
import Kafka
import SimulatedLog

@testable import Retraining
import StateRecords
@testable import Worker

/// An engine that nothing ever interrupted, fed with the same inputs up to the same cuts: what it publishes is what there
/// must be, and its state is what there must be.
///
/// It takes from the state topic only the facts that no record tells: where each evaluation cut its inputs, by which
/// clock, and which records had been refused by clock or limit. How records are read and what becomes of them it does by
/// itself.
final class Oracle {
    private let plan: Plan
    private let cluster: SimulatedCluster
    private let task: Int32
    let engine: Engine
    private let encoder: EventEncoder
    private let decoder: RecordDecoder
    private var lastTold: [String: ToldDecision] = [:]
    private var lanes: [TopicPartition: Int] = [:]
    private var records: [TopicPartition: ArraySlice<StoredRecord>] = [:]
    /// By topic and key, in order.
    private var published: [Stream: [[UInt8]]] = [:]
    /// Where dead letters must have come from.
    private var refused: Set<String> = []

    private struct Stream: Hashable {
        var topic: String
        var key: [UInt8]
    }

    init(_ plan: Plan, _ cluster: SimulatedCluster, task: Int32) {
        self.plan = plan
        self.cluster = cluster
        self.task = task
        engine = Engine(configuration: plan.options.engine)
        encoder = EventEncoder(applicationID: plan.options.engine.applicationID)
        decoder = RecordDecoder(limits: DecoderLimits(plan.options.engine.limits))
        for (partition, role) in inputs {
            lanes[partition] = engine.lane(topic: partition.topic, partition: partition.partition, role: role)
            records[partition] = cluster.history(of: partition)[...]
        }
    }

    private var inputs: [(TopicPartition, InputRole)] {
        let topics = plan.options.topics
        let roles: [(String, InputRole)] = [
            (topics.predictions, .predictions), (topics.actuals, .actuals), (topics.load, .load),
            (topics.trainingStatus, .trainingStatus), (topics.commands, .commands),
        ]
        return roles.flatMap { topic, role in
            if plan.options.worker.scale == .partitioned, !role.isBroadcast {
                return [(TopicPartition(topic, task), role)]
            }
            return cluster.partitions(of: topic).map { ($0, role) }
        }
    }

    /// Does everything again; what differs from what was published.
    func replay() -> [String] {
        var violations: [String] = []
        let cuts = self.cuts(&violations)
        for cut in cuts {
            if let last = engine.lastBoundary, cut.boundary <= last {
                return violations + ["task \(task): \(cut.boundary) was evaluated after \(last)"]
            }
            for lane in cut.lanes {
                let ranges = cut.skipped.filter { $0.topic == lane.topic && $0.partition == lane.partition }
                feed(TopicPartition(lane.topic, lane.partition), to: lane.nextOffset, ranges.flatMap(\.ranges))
            }
            var effects: [Effect] = []
            engine.evaluate(at: cut.boundary, wallClock: cut.wallClock, streamTime: cut.streamTime, into: &effects)
            for effect in effects { note(effect) }
        }
        return violations + compare() + compareDeadLetters(cuts.last)
    }

    /// Every evaluation that was ever committed.
    private func cuts(_ violations: inout [String]) -> [CutRecord] {
        var cuts: [CutRecord] = []
        for record in cluster.history(of: TopicPartition(plan.options.topics.state, task)) {
            guard let key = record.key, let value = record.value, case .cut = StateKey(key)
            else { continue }
            do {
                cuts.append(try CutRecord(StateFrame.open(value[...]).payload))
            } catch {
                violations.append("task \(task): a cut cannot be read: \(error)")
            }
        }
        return cuts
    }

    // MARK: Inputs

    private func feed(_ partition: TopicPartition, to end: Int64, _ skipped: [Range<Int64>]) {
        guard let lane = lanes[partition], let role = inputs.first(where: { $0.0 == partition })?.1 else { return }
        while let record = records[partition]?.first, record.offset < end {
            records[partition]?.removeFirst()
            let isTaken = !skipped.contains { $0.contains(record.offset) } && take(record, lane, role)
            if !isTaken {
                if skipped.contains(where: { $0.contains(record.offset) }) {
                    engine.skip(lane: lane, offset: record.offset)
                }
                if task == 0 || !role.isBroadcast { refused.insert("\(partition)@\(record.offset)") }
            }
        }
    }

    /// Whether the record could be used.
    private func take(_ record: StoredRecord, _ lane: Int, _ role: InputRole) -> Bool {
        let (offset, timestamp) = (record.offset, record.timestamp)
        let decoded =
            if let value = record.value {
                decoder.decode(role.recordRole, value)
            } else {
                decoder.decode(role.recordRole, value: nil)
            }
        if isMisKeyed(decoded) {
            engine.skip(lane: lane, offset: offset)
            return false
        }
        // Refused by limits at the time or not at all.
        engine.isReplaying = true
        switch decoded {
        case .prediction(let record):
            return engine.collect(lane: lane, offset: offset, timestamp: timestamp, prediction: record) == nil
        case .actual(let record):
            return engine.collect(lane: lane, offset: offset, timestamp: timestamp, actual: record) == nil
        case .load(let record):
            return engine.collect(lane: lane, offset: offset, timestamp: timestamp, load: record) == nil
        case .trainingStatus(let record):
            engine.collect(lane: lane, offset: offset, timestamp: timestamp, status: record)
        case .command(let record):
            engine.collect(lane: lane, offset: offset, timestamp: timestamp, command: record)
        case .rejected:
            engine.skip(lane: lane, offset: offset)
            return false
        }
        return true
    }

    private func isMisKeyed(_ record: DecodedRecord) -> Bool {
        guard plan.options.worker.scale == .partitioned else { return false }
        let model: BorrowedText
        switch record {
        case .prediction(let record): model = record.model
        case .actual(let record): model = record.model
        default: return false
        }
        guard !model.isAbsent else { return false }
        return Partitioner.murmur2(UnsafeRawBufferPointer(model.bytes), Int(plan.partitions)) != task
    }

    // MARK: Outputs

    private func note(_ effect: Effect) {
        let topic: String
        switch effect {
        case .decision(let decision):
            let told = ToldDecision(decision)
            let isChange = lastTold.updateValue(told, forKey: decision.model) != told
            if plan.options.output.decisions == .changes, !isChange, decision.outcome == .hold { return }
            topic = plan.options.topics.decisions
        case .verdict: topic = plan.options.topics.decisions
        case .request: topic = plan.options.topics.requests
        case .alert(let alert):
            guard alert.model != nil else { return }
            topic = plan.options.topics.alerts
        }
        let event = encoder.encode(effect)
        published[Stream(topic: topic, key: event.key), default: []].append(event.value)
    }

    private func compare() -> [String] {
        var violations: [String] = []
        let topics = plan.options.topics
        var found: [Stream: [[UInt8]]] = [:]
        let models = Set(engine.modelsByName.compactMap { engine.models[Int($0)]?.name }.map { Array($0.utf8) })
        for topic in [topics.decisions, topics.requests, topics.alerts] {
            for record in cluster.partitions(of: topic).flatMap({ cluster.history(of: $0) }) {
                guard let key = record.key, models.contains(key) else { continue }
                found[Stream(topic: topic, key: key), default: []].append(record.value ?? [])
            }
        }
        for stream in Set(found.keys).union(published.keys) {
            let (actual, expected) = (found[stream] ?? [], published[stream] ?? [])
            let isRequest = stream.topic == topics.requests
            func isSame(_ event: [UInt8], _ other: [UInt8]) -> Bool {
                event == other || isRequest && isShortened(event, other)
            }
            guard !actual.elementsEqual(expected, by: isSame) else { continue }
            let index = zip(actual, expected).enumerated().first { !isSame($0.element.0, $0.element.1) }?.offset
            let at = index ?? min(actual.count, expected.count)
            func text(_ events: [[UInt8]]) -> String {
                at < events.count ? String(decoding: events[at].prefix(300), as: UTF8.self) : "nothing"
            }
            violations.append(
                """
                \(stream.topic) of \(String(decoding: stream.key, as: UTF8.self)): \(actual.count) events where an \
                uninterrupted engine has \(expected.count); number \(at) is \(text(actual)) and should be \
                \(text(expected))
                """)
        }
        return violations
    }

    /// The oracle's log is whole. Where retention has removed something, a request begins later, and says so.
    private func isShortened(_ event: [UInt8], _ other: [UInt8]) -> Bool {
        func withoutStarts(_ event: [UInt8]) -> String {
            String(decoding: event, as: UTF8.self).replacing(/\[\d+,/, with: "[")
                .replacing(/"complete":(true|false)/, with: "")
        }
        return String(decoding: event, as: UTF8.self).contains(#""complete":false"#)
            && withoutStarts(event) == withoutStarts(other)
    }

    private func compareDeadLetters(_ last: CutRecord?) -> [String] {
        var found: [String: Int] = [:]
        for record in cluster.partitions(of: plan.options.topics.deadLetters).flatMap({ cluster.history(of: $0) }) {
            func header(_ name: String) -> String {
                String(decoding: record.headers.first { $0.name == name }?.value ?? [], as: UTF8.self)
            }
            guard header(DeadLetter.taskHeader) == String(task) else { continue }
            let origin = "\(header(DeadLetter.topicHeader))[\(header(DeadLetter.partitionHeader))]"
            found["\(origin)@\(header(DeadLetter.offsetHeader))", default: 0] += 1
        }
        var violations = found.filter { $0.value > 1 }.keys.sorted().map { "\($0) has \(found[$0]!) dead letters" }
        violations += refused.subtracting(found.keys).sorted().map { "\($0) was refused and has no dead letter" }
        // Behind the last evaluation refusals are published as well, and nothing of them is in the oracle.
        let ends = Dictionary(
            (last?.lanes ?? []).map { (TopicPartition($0.topic, $0.partition).description, $0.nextOffset) },
            uniquingKeysWith: { first, _ in first })
        for name in Set(found.keys).subtracting(refused).sorted() {
            let parts = name.split(separator: "@")
            if let offset = Int64(parts[1]), let end = ends[String(parts[0])], offset < end {
                violations.append("\(name) has a dead letter and was not refused")
            }
        }
        return violations
    }
}
