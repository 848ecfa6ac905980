import Contracts
import Kafka
import Logging

/// Where effects and dead letters go: one idempotent producer.
final class Sink {
    private let producer: Producer
    private let topics: TopicNames
    private let logger: Logger
    /// Something could not be delivered: the offsets behind it must not be committed.
    private(set) var failure: String?

    init(_ options: WorkerOptions, logger: Logger) throws {
        var configuration = ProducerConfiguration(bootstrapServers: options.kafka.bootstrapServers)
        configuration.clientID = options.kafka.clientID
        configuration.additional = options.kafka.properties
        producer = try Producer(configuration)
        topics = options.topics
        self.logger = logger
    }

    func publish(_ event: EncodedEvent) {
        let topic =
            switch event.kind {
            case .decision, .verdict: topics.decisions
            case .request: topics.requests
            case .alert: topics.alerts
            }
        attempt {
            try producer.produce(
                topic: topic, key: event.key, value: event.value,
                headers: event.headers.map { Header($0.name, $0.value) })
        }
    }

    /// The original bytes, key and headers, and behind them the reason.
    func deadLetter(_ message: MessageView, headers: [EventHeader]) {
        attempt {
            try producer.produce(
                topic: topics.deadLetters, key: message.key, value: message.value,
                headers: message.headers + headers.map { Header($0.name, $0.value) },
                timestamp: message.timestamp >= 0 ? message.timestamp : nil)
        }
    }

    /// Serves delivery reports.
    func serve() {
        while true {
            switch producer.poll(timeoutMilliseconds: 0) {
            case .none:
                if let first = producer.deliveries.firstFailure, failure == nil { failure = "\(first)" }
                return
            case .statistics: continue
            case .log(let line): logger.log(level: line.level <= 4 ? .warning : .debug, "librdkafka: \(line.message)")
            case .error(let error):
                if error.isFatal { failure = "\(error)" } else { logger.warning("\(error)") }
            }
        }
    }

    /// Waits until everything has arrived.
    func flush() throws {
        attempt { try producer.flush(timeoutMilliseconds: 30_000) }
        serve()
    }

    func close() throws { try producer.close(flushTimeoutMilliseconds: 10_000) }

    private func attempt(_ body: () throws -> Void) {
        do { try body() } catch { failure = failure ?? "\(error)" }
    }
}
