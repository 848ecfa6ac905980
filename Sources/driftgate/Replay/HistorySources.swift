import Contracts
import Foundation
import Kafka
import Operations
import Replay
import Retraining
import StateRecords
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
    static func topics(
        _ history: HistoryOptions, _ configuration: Configuration, cutsOfTask task: Int32?
    ) throws -> (source: TopicSource, name: String, cuts: [CutRecord]?) {
        let topics = configuration.topics
        var consumer = ConsumerConfiguration(
            bootstrapServers: configuration.kafka.bootstrapServers.joined(separator: ","),
            groupID: configuration.kafka.groupID + "-replay")
        consumer.clientID = configuration.kafka.clientID + "-replay"
        consumer.additional = try configuration.kafka.connectionProperties()
        var cuts: [CutRecord]?
        if let task {
            let found = try CutLog.read(TopicPartition(topics.state, task), consumer: consumer)
            guard !found.isEmpty else { throw ReplayError("\(topics.state)[\(task)] holds no evaluation") }
            cuts = found
        }
        var options = TopicSource.Options(
            consumer: consumer, topics: InputRole.allCases.map { (topics.name(of: $0), $0) },
            fields: try configuration.contracts.fieldMap(), limits: limits(configuration),
            range: try history.range())
        options.from = try history.offsets(history.fromOffsets)
        options.to = try history.offsets(history.toOffsets)
        if cuts == nil, configuration.input.farFuture > 0 {
            options.latest = Milliseconds(Date().timeIntervalSince1970 * 1000) + configuration.input.farFuture
        }
        for lane in cuts?.last?.lanes ?? [] {
            options.to[TopicPartition(lane.topic, lane.partition)] = lane.nextOffset
        }
        return (try TopicSource(options), consumer.bootstrapServers, cuts)
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
