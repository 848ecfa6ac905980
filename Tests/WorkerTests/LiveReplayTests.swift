import Contracts
import Foundation
import Kafka
import Replay
import Retraining
import StateRecords
import Testing

@testable import Worker

/// A live run and a replay of its topics are the same thing.
@Suite(.serialized)
struct LiveReplayTests {
    let now = Clock.wall().floored(to: .hour)

    func source(
        _ stage: Stage, _ options: WorkerOptions, to cut: CutRecord? = nil, from: [TopicPartition: Int64] = [:],
        task: Int32? = nil
    ) throws -> TopicSource {
        var consumer = ConsumerConfiguration(
            bootstrapServers: stage.broker.bootstrapServers, groupID: "driftgate-replay")
        consumer.prefetchKilobytes = 8_192
        let topics = options.topics
        var source = TopicSource.Options(
            consumer: consumer,
            topics: [
                (topics.predictions, .predictions), (topics.actuals, .actuals), (topics.load, .load),
                (topics.trainingStatus, .trainingStatus), (topics.commands, .commands),
            ], fields: FieldMap(), limits: DecoderLimits(options.engine.limits), range: try ReplayRange())
        source.from = from
        source.task = task
        if cut == nil { source.latest = now + .hour }
        for lane in cut?.lanes ?? [] { source.to[TopicPartition(lane.topic, lane.partition)] = lane.nextOffset }
        return try TopicSource(source)
    }

    func events(
        _ source: TopicSource, _ options: WorkerOptions, cuts: [CutRecord]? = nil,
        from snapshot: CutLog.Snapshot? = nil, share: ModelShare? = nil
    ) throws -> [String] {
        let encoder = EventEncoder(applicationID: options.engine.applicationID)
        var events: [String] = []
        var running = Replayer.Options(cuts: cuts, units: snapshot?.units)
        running.share = share
        _ = try StreamReplay.run(
            source, [options.engine], options: running,
            note: { evaluation in
                for effect in evaluation.effects {
                    guard case .decision = effect else { continue }
                    events.append(String(decoding: encoder.encode(effect).value, as: UTF8.self))
                }
                return true
            })
        return events
    }

    @Test(
        "given the cuts of a live run, its replay gives the same decisions byte for byte; without, the same each time")
    func sameBytes() async throws {
        let stage = try Stage()
        // A snapshot at the end of the first run, and none while the second one runs.
        let options = stage.options { $0.worker.snapshotInterval = 300 * .day }
        let history = History(endingAt: now)
        let middle = history.steps - 60
        try history.publish(0..<middle, to: stage)
        // Refused by everybody, and by the live run only, since its clock says so.
        try stage.send(stage.topics.actuals, Array("{\"model\":".utf8), at: history.time(middle))
        try stage.send(
            stage.topics.actuals, Array(#"{"model":"m","entity":"x","at":\#(now + .day),"values":{"cpu_pct":1}}"#.utf8),
            key: "srv-0", at: now + 30 * .day)
        try stage.flush()
        let first = try RunningWorker(options)
        try await stage.eventually("the first part is decided") {
            try stage.events(stage.topics.decisions).contains {
                $0["evaluated_at_ms"] as? Int64 == history.time(middle - 1)
            }
        }
        // A second run goes on from the state of the first.
        #expect(try first.stop() == .requested)
        try history.publish(middle..<history.steps, to: stage)
        let second = try RunningWorker(options)
        try await stage.eventually("the rest is decided") {
            try stage.events(stage.topics.decisions).contains {
                $0["evaluated_at_ms"] as? Int64 == history.time(history.steps - 1)
            }
        }
        let live = try stage.kcat(stage.topics.decisions)
        var consumer = ConsumerConfiguration(bootstrapServers: stage.broker.bootstrapServers, groupID: "cuts")
        consumer.prefetchKilobytes = 8_192
        var log = CutLog(cuts: [], snapshot: nil)
        try await stage.eventually("every evaluation is on record") {
            log = try CutLog.read(TopicPartition(stage.topics.state, 0), consumer: consumer)
            return log.cuts.count >= live.count
        }
        #expect(try second.stop() == .requested)
        let cuts = log.cuts
        #expect(cuts.count == live.count, "one cut a boundary, and one model")
        #expect(cuts.contains { !$0.skipped.isEmpty }, "what the clock refused is on record")
        let replayed = try events(source(stage, options, to: cuts.last), options, cuts: cuts)
        #expect(replayed.count == live.count)
        #expect(Set(replayed) == Set(live))

        let snapshot = try #require(log.snapshot)
        let rest = cuts.filter { $0.boundary > snapshot.boundary }
        #expect(!rest.isEmpty && rest.count < cuts.count)
        let tail = try events(
            source(stage, options, to: cuts.last, from: snapshot.inputs), options, cuts: rest, from: snapshot)
        #expect(tail.count == rest.count)
        #expect(Set(tail).isSubset(of: Set(live)), "from the snapshot on it is the same run")

        let free = try events(source(stage, options), options)
        #expect(free.count >= live.count)
        #expect(try events(source(stage, options), options) == free)
        #expect(free != replayed, "the wall clock is in the cut: only a live run has one")
    }

    @Test("cuts that begin later than the history are refused, not misread")
    func cutsThatAreGone() async throws {
        let stage = try Stage()
        let options = stage.options()
        let history = History(endingAt: now, days: 2)
        try history.publish(0..<history.steps, to: stage)
        let worker = try RunningWorker(options)
        try await stage.eventually("all is decided") {
            try stage.events(stage.topics.decisions).contains {
                $0["evaluated_at_ms"] as? Int64 == history.time(history.steps - 1)
            }
        }
        try worker.stop()
        var consumer = ConsumerConfiguration(bootstrapServers: stage.broker.bootstrapServers, groupID: "cuts")
        consumer.prefetchKilobytes = 8_192
        let cuts = try CutLog.read(TopicPartition(stage.topics.state, 0), consumer: consumer).cuts
        #expect { try events(source(stage, options), options, cuts: Array(cuts.dropFirst(20))) } throws: {
            "\($0)".contains("compacted")
        }
    }

    @Test(
        "a first start that is given a history begins with its profile and baseline, and a restart goes on from there")
    func warmStart() async throws {
        let stage = try Stage()
        let history = History(endingAt: now)
        let middle = history.steps - 48
        let directory = NSTemporaryDirectory() + "driftgate-warm-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try write(history, 0..<middle, to: directory)
        var options = stage.options()
        let configuration = options.engine
        options.initialState = { _ in
            try WarmState.read(
                FileSource(
                    HistoryFile.files(in: directory), topic: { "\($0)" }, fields: FieldMap(), limits: DecoderLimits(),
                    range: ReplayRange()), configuration: configuration
            )[0].units
        }
        try history.publish(middle..<history.steps - 10, to: stage)
        let first = try RunningWorker(options)
        try await stage.eventually("the first part is decided") {
            try stage.events(stage.topics.decisions).contains {
                $0["evaluated_at_ms"] as? Int64 == history.time(history.steps - 11)
            }
        }
        #expect(try first.stop() == .requested)
        // The snapshot has it now: the history is not asked for again.
        options.initialState = { _ in throw ReplayError("asked again") }
        try history.publish(history.steps - 10..<history.steps, to: stage)
        let second = try RunningWorker(options)
        try await stage.eventually("the rest is decided") {
            try stage.events(stage.topics.decisions).contains {
                $0["evaluated_at_ms"] as? Int64 == history.time(history.steps - 1)
            }
        }
        #expect(try second.stop() == .requested)
        let decisions = try stage.events(stage.topics.decisions).sorted {
            ($0["evaluated_at_ms"] as? Int64 ?? 0) < ($1["evaluated_at_ms"] as? Int64 ?? 0)
        }
        let times = decisions.compactMap { $0["evaluated_at_ms"] as? Int64 }
        #expect(Set(times).count == times.count)
        #expect(times.first ?? 0 >= history.time(middle - 1))
        let load = try #require(decisions.first?["load"] as? [String: Any])
        #expect(load["profile_hours"] as? Int ?? 0 > 150)
        let state = try #require(decisions.first?["history"] as? [String: Any])
        #expect(state["baseline_version"] as? Int == 1)
        let positions = try #require((decisions.first?["cut"] as? [String: Any])?["positions"] as? [String: Any])
        #expect(positions.keys.contains("predictions") && !positions.keys.contains("trainingStatus"))
    }

    private func write(_ history: History, _ steps: Range<Int>, to directory: String) throws {
        var (predictions, actuals, load) = ([UInt8](), [UInt8](), [UInt8]())
        for step in steps {
            let time = history.time(step)
            for machine in 0..<5 {
                let entity = "srv-\(machine)"
                let level = history.level(at: time) + Double((step * 7 + machine * 13) % 11 - 5) / 5
                predictions +=
                    RecordEncoder.prediction(
                        model: "m", version: "v1", entity: entity, at: time + .hour, issuedAt: time,
                        values: [("cpu_pct", history.level(at: time + .hour))]) + [10]
                actuals +=
                    RecordEncoder.actual(model: "m", entity: entity, at: time, values: [("cpu_pct", level)]) + [10]
                load += RecordEncoder.load(pool: "prod", entity: entity, at: time, cpuPercent: level) + [10]
            }
        }
        for (name, bytes) in [("predictions", predictions), ("actuals", actuals), ("load", load)] {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(directory)/\(name).jsonl"))
        }
    }
}
