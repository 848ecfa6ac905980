import Contracts
import Kafka
import Retraining

/// Publishes input records over a real Kafka connection. Every record's timestamp is stream time.
final class RecordPublisher {
    private let producer: Producer
    /// Predictions and actuals so far: what moves the worker's stream time.
    private(set) var movingRecords = 0

    init(bootstrapServers: String) throws(KafkaError) {
        var configuration = ProducerConfiguration(bootstrapServers: bootstrapServers)
        configuration.clientID = "driftgate-demo-feed"
        // The embedded broker keeps 5 MiB a partition and counts compressed bytes: half as many as with lz4.
        configuration.compression = .zstd
        configuration.lingerMilliseconds = 5
        producer = try Producer(configuration)
    }

    /// - Parameter timestamp: when the forecast was issued; also the record's own time.
    func prediction(
        model: String, version: String, entity: String, at: Milliseconds, issuedAt: Milliseconds, isShadow: Bool,
        values: [(String, Double)]
    ) throws(KafkaError) {
        try publish(
            Topics.predictions, key: model, timestamp: issuedAt,
            RecordEncoder.prediction(
                model: model, version: version, entity: entity, at: at, issuedAt: issuedAt, isShadow: isShadow,
                values: values))
    }

    func actual(model: String, entity: String, at: Milliseconds, values: [(String, Double)]) throws(KafkaError) {
        try publish(
            Topics.actuals, key: model, timestamp: at,
            RecordEncoder.actual(model: model, entity: entity, at: at, values: values))
    }

    /// - Parameter predictionsPerSecond: what the serving version predicts for this entity; nil while nothing does.
    func load(
        pool: String?, entity: String, at: Milliseconds, cpuPercent: Double, predictionsPerSecond: Double? = nil
    ) throws(KafkaError) {
        try publish(
            Topics.load, key: entity, timestamp: at,
            RecordEncoder.load(
                pool: pool, entity: entity, at: at, cpuPercent: cpuPercent, predictionsPerSecond: predictionsPerSecond,
                incident: nil))
    }

    /// Says what a trainer has to say, and waits until the broker has it.
    func trainingStatus(_ status: TrainingStatusRecord, timestamp: Milliseconds) throws(KafkaError) {
        try publish(
            Topics.trainingStatus, key: status.requestID, timestamp: timestamp, RecordEncoder.trainingStatus(status))
        try flush()
    }

    /// Sends without waiting.
    ///
    /// - Throws: the first failure to deliver anything so far.
    func push() throws(KafkaError) {
        if case .error(let failure) = producer.poll(timeoutMilliseconds: 0), failure.isFatal { throw failure }
        if let failure = producer.deliveries.firstFailure { throw failure }
    }

    /// Waits until the broker has everything.
    func flush() throws(KafkaError) {
        try producer.flush(timeoutMilliseconds: 10_000)
        if let failure = producer.deliveries.firstFailure { throw failure }
    }

    func close() {
        try? producer.close(flushTimeoutMilliseconds: 2_000)
    }

    private func publish(_ topic: String, key: String, timestamp: Milliseconds, _ value: [UInt8]) throws(KafkaError) {
        try producer.produce(topic: topic, key: Array(key.utf8), value: value, timestamp: timestamp)
        if topic == Topics.predictions || topic == Topics.actuals { movingRecords += 1 }
    }
}
