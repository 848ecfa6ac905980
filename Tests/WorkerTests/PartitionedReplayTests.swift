import Contracts
import Foundation
import Kafka
import Logging
import Operations
import Replay
import Retraining
import Testing

@testable import Worker
@testable import driftgate

/// With `scale: partitioned` a history belongs to many tasks, each with the models of its partition.
extension LiveReplayTests {
    /// A model of each partition.
    private var models: [String] {
        (0..<2).map { partition in
            let names = (0...).lazy.map { "model-\($0)" }
            return names.first { name in
                Array(name.utf8).withUnsafeBytes { Partitioner.murmur2($0, 2) } == Int32(partition)
            }!
        }
    }

    private struct Line {
        var topic: String
        var key: String
        var time: Milliseconds
        var value: [UInt8]
    }

    private func lines(_ history: History, _ steps: Range<Int>, _ topics: TopicNames) -> [Line] {
        steps.flatMap { step in
            let time = history.time(step)
            let level = history.level(at: time) + Double(step * 7 % 11 - 5) / 5
            let load = RecordEncoder.load(pool: "prod", entity: "srv", at: time, cpuPercent: level)
            return [Line(topic: topics.load, key: "srv", time: time, value: load)]
                + models.flatMap { model in
                    [
                        Line(
                            topic: topics.predictions, key: model, time: time,
                            value: RecordEncoder.prediction(
                                model: model, version: "v1", entity: "srv", at: time + .hour, issuedAt: time,
                                values: [("cpu_pct", history.level(at: time + .hour))])),
                        Line(
                            topic: topics.actuals, key: model, time: time,
                            value: RecordEncoder.actual(
                                model: model, entity: "srv", at: time, values: [("cpu_pct", level)])),
                    ]
                }
        }
    }

    private func publish(_ lines: [Line], to stage: Stage) throws {
        for line in lines { try stage.send(line.topic, line.value, key: line.key, at: line.time) }
        try stage.flush()
    }

    private func decided(_ stage: Stage, at time: Milliseconds) throws -> Bool {
        let events = try stage.events(stage.topics.decisions)
        return models.allSatisfy { model in
            events.contains { $0["model"] as? String == model && $0["evaluated_at_ms"] as? Int64 == time }
        }
    }

    @Test("a task's evaluations are done again with the records of its own models alone")
    func taskOfMany() async throws {
        let stage = try Stage(states: 2)
        let options = stage.options {
            $0.worker.scale = .partitioned
            $0.worker.snapshotInterval = 300 * .day
        }
        let history = History(endingAt: now, days: 3)
        let all = lines(history, 0..<history.steps, stage.topics)
        try publish(Array(all.prefix(all.count / 2)), to: stage)
        // On the other one's partition, where its task refuses it.
        let stray = RecordEncoder.actual(
            model: models[0], entity: "srv", at: history.time(history.steps / 2), values: [("cpu_pct", 99)])
        try stage.send(stage.topics.actuals, stray, key: models[1], at: history.time(history.steps / 2))
        try publish(Array(all.dropFirst(all.count / 2)), to: stage)
        let worker = try RunningWorker(options)
        try await stage.eventually("both models are decided about") {
            try decided(stage, at: history.time(history.steps - 1))
        }
        let live = try stage.kcat(stage.topics.decisions)
        var consumer = ConsumerConfiguration(bootstrapServers: stage.broker.bootstrapServers, groupID: "cuts")
        consumer.prefetchKilobytes = 8_192
        var log = CutLog(cuts: [], snapshot: nil)
        try await stage.eventually("every evaluation is on record") {
            log = try CutLog.read(TopicPartition(stage.topics.state, 1), consumer: consumer)
            return log.cuts.last?.boundary == history.time(history.steps - 1)
        }
        try worker.stop()
        let source = try source(stage, options, to: log.cuts.last, task: 1)
        #expect(source.predictionPartitions == 2)
        let replayed = try events(
            source, options, cuts: log.cuts, share: ModelShare(partition: 1, of: source.predictionPartitions))
        let own = live.filter { $0.contains("\"model\":\"\(models[1])\"") }
        #expect(own.count > 100)
        #expect(Set(replayed) == Set(own))
        #expect(throws: ReplayError.self) {
            try CutLog.read(TopicPartition(stage.topics.state, 2), consumer: consumer)
        }
    }

    @Test("a first start of many tasks begins with a history, each with its own models")
    func warmTasks() async throws {
        let stage = try Stage(states: 2)
        let history = History(endingAt: now)
        let middle = history.steps - 24
        let directory = NSTemporaryDirectory() + "driftgate-warm-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let past = lines(history, 0..<middle, stage.topics)
        for topic in [stage.topics.predictions, stage.topics.actuals, stage.topics.load] {
            let text: [UInt8] = past.filter { $0.topic == topic }.flatMap { $0.value + [10] }
            try Data(text).write(to: URL(fileURLWithPath: "\(directory)/\(topic).jsonl"))
        }
        var options = stage.options { $0.worker.scale = .partitioned }
        var configuration = Configuration()
        configuration.engine = options.engine
        options.initialState = WarmStart([directory], configuration, Logger(label: "test")).units
        try publish(lines(history, middle..<history.steps, stage.topics), to: stage)
        let worker = try RunningWorker(options)
        try await stage.eventually("both models are decided about") {
            try decided(stage, at: history.time(history.steps - 1))
        }
        #expect(try worker.stop() == .requested)
        // Begun with the same history, a task's evaluations are done again byte for byte.
        let share = ModelShare(partition: 1, of: 2)
        let state = try WarmState.read(
            FileSource(
                HistoryFile.files(in: directory), topic: { "\($0)" }, fields: FieldMap(), limits: DecoderLimits(),
                range: ReplayRange()), configuration: options.engine, shares: [share])[0]
        var consumer = ConsumerConfiguration(bootstrapServers: stage.broker.bootstrapServers, groupID: "cuts")
        consumer.prefetchKilobytes = 8_192
        let cuts = try CutLog.read(TopicPartition(stage.topics.state, 1), consumer: consumer).cuts
        let replayed = try self.events(
            source(stage, options, to: cuts.last, task: 1), options, cuts: cuts,
            from: CutLog.Snapshot(boundary: state.upTo, units: state.units, inputs: [:]), share: share)
        let live = try stage.kcat(stage.topics.decisions).filter { $0.contains("\"model\":\"\(models[1])\"") }
        #expect(replayed.count > 10)
        #expect(Set(replayed) == Set(live))
        let events = try stage.events(stage.topics.decisions)
        for model in models {
            let own = events.filter { $0["model"] as? String == model }
            #expect(own.count <= 24)
            let state = try #require(own.first?["history"] as? [String: Any])
            #expect(state["baseline_version"] as? Int == 1, "the baseline is that of the history")
            let load = try #require(own.first?["load"] as? [String: Any])
            #expect(load["profile_hours"] as? Int ?? 0 > 150, "every task knows the load")
        }
    }
}
