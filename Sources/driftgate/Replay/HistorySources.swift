import Contracts
import Foundation
import Kafka
import Operations
import Replay
import Retraining
import Worker

/// Sources as the command line names them and the configuration reads them.
enum HistorySources {
    static func files(
        _ history: HistoryOptions, _ configuration: Configuration
    ) throws -> (source: FileSource, name: String) {
        let files = try history.files()
        let topics = configuration.topics
        let source = try FileSource(
            files, topic: { topics.name(of: $0) }, fields: try configuration.contracts.fieldMap(),
            limits: limits(configuration), range: try history.range())
        return (
            source,
            files.count > 1 && history.paths.count != 1
                ? "\(files[0].path) and others" : history.paths.first ?? files[0].path
        )
    }

    /// The input topics, up to where they end now or the live run had read.
    ///
    /// - Parameter cuts: which task's evaluations are to be done again, and whether from its last snapshot on.
    static func topics(
        _ history: HistoryOptions, _ configuration: Configuration, cuts: (task: Int32, fromSnapshot: Bool)?
    ) throws -> (source: TopicSource, name: String, options: Replayer.Options) {
        let topics = configuration.topics
        var consumer = ConsumerConfiguration(
            bootstrapServers: configuration.kafka.bootstrapServers.joined(separator: ","),
            groupID: configuration.kafka.groupID + "-replay")
        consumer.clientID = configuration.kafka.clientID + "-replay"
        consumer.additional = try configuration.kafka.connectionProperties()
        var options = TopicSource.Options(
            consumer: consumer, topics: InputRole.allCases.map { (topics.name(of: $0), $0) },
            fields: try configuration.contracts.fieldMap(), limits: limits(configuration),
            range: try history.range())
        options.from = try history.offsets(history.fromOffsets)
        options.to = try history.offsets(history.toOffsets)
        for (partition, from) in options.from.sorted(by: { $0.key.description < $1.key.description }) {
            guard let to = options.to[partition], from >= to else { continue }
            throw ReplayError(
                from == to
                    ? "the range of \(partition) is empty: from and to are both offset \(from)"
                    : "the range of \(partition) runs backwards: from offset \(from) to \(to)")
        }
        var running = Replayer.Options()
        if let cuts {
            let isPartitioned = configuration.worker.scale == .partitioned
            guard isPartitioned || cuts.task == 0 else {
                throw ReplayError("with scale: single there is task 0 only; is the configuration that of the live run?")
            }
            if isPartitioned { options.task = cuts.task }
            let partition = TopicPartition(topics.state, cuts.task)
            let log = try CutLog.read(partition, consumer: consumer)
            guard let last = log.cuts.last else { throw ReplayError("\(partition) holds no evaluation") }
            running.cuts = log.cuts
            for lane in last.lanes { options.to[TopicPartition(lane.topic, lane.partition)] = lane.nextOffset }
            if cuts.fromSnapshot || log.beginsWithSnapshot {
                guard let snapshot = log.snapshot else { throw ReplayError("\(partition) holds no whole snapshot") }
                running.cuts = log.cuts.filter { $0.boundary > snapshot.boundary }
                running.units = snapshot.units
                options.from = snapshot.inputs
            } else if let state = try warmState(configuration, task: options.task, consumer) {
                running.units = state.units
                options.startTime = state.upTo
            }
            guard running.cuts?.isEmpty == false else {
                throw ReplayError(
                    "\(partition) holds no evaluation behind its last snapshot: there is nothing to do again")
            }
        } else if configuration.input.farFuture > 0 {
            options.latest = Milliseconds(Date().timeIntervalSince1970 * 1000) + configuration.input.farFuture
        }
        let source = try TopicSource(options)
        // What another task's model sent to this one's partition was refused.
        if let task = options.task { running.share = ModelShare(partition: task, of: source.predictionPartitions) }
        return (source, consumer.bootstrapServers, running)
    }

    /// What a live run began with that was told to begin with a history.
    private static func warmState(
        _ configuration: Configuration, task: Int32?, _ consumer: ConsumerConfiguration
    ) throws -> WarmState? {
        guard !configuration.worker.warmFrom.isEmpty else { return nil }
        let (source, _) = try files(try HistoryOptions.parse(["--"] + configuration.worker.warmFrom), configuration)
        let share = try task.map { task in
            let client = try Consumer(consumer)
            defer { try? client.close() }
            let topic = configuration.topics.predictions
            let partitions = try client.metadata(topic: topic, timeoutMilliseconds: 15_000)[topic]?.partitions.count
            return ModelShare(
                partition: task, of: partitions ?? 1, defaultModel: configuration.engine.defaultModel)
        }
        return try WarmState.read(source, configuration: configuration.engine, shares: [share])[0]
    }

    private static func limits(_ configuration: Configuration) -> DecoderLimits {
        var limits = DecoderLimits(configuration.engine.limits)
        limits.recordBytes = configuration.input.maximumRecordBytes
        return limits
    }
}

extension TopicNames {
    func name(of role: InputRole) -> String {
        switch role {
        case .predictions: predictions
        case .actuals: actuals
        case .load: load
        case .trainingStatus: trainingStatus
        case .commands: commands
        }
    }
}
