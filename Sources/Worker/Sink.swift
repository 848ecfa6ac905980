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
        // A dead letter is as large as the record that it keeps; what no broker takes by default is shortened.
        let room = String(Self.deadLetterBytes + (1 << 20))
        configuration.additional["message.max.bytes"] = configuration.additional["message.max.bytes"] ?? room
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

    /// A broker takes a little more than 1 MB by default.
    private static let deadLetterBytes = 900_000
    private static let shortenedBytes = 65_536

    /// The original bytes, key and headers, and behind them the reason. What would be larger than brokers take by
    /// default is shortened, and a header says by how much: a record must not stop the worker by its size.
    func deadLetter(_ message: MessageView, headers reasons: [EventHeader]) {
        var headers = message.headers
        var value = message.value
        let size = headers.reduce(message.key.count) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
        if size + value.count > Self.deadLetterBytes {
            headers = size > Self.shortenedBytes ? [] : headers
            headers.append(Header("driftgate.original.bytes", String(value.count)))
            value = UnsafeRawBufferPointer(rebasing: value.prefix(Self.shortenedBytes))
        }
        let key =
            message.key.count > Self.shortenedBytes ? UnsafeRawBufferPointer(rebasing: message.key[..<0]) : message.key
        attempt {
            try producer.produce(
                topic: topics.deadLetters, key: key, value: value,
                headers: headers + reasons.map { Header($0.name, $0.value) },
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

    /// Waits until everything has arrived; false where it has not within the time. That alone is no failure: a broker
    /// may be away for a while, and what cannot be delivered at all is reported by `serve`.
    func flush(timeoutMilliseconds: Int) -> Bool {
        let arrived = (try? producer.flush(timeoutMilliseconds: timeoutMilliseconds)) != nil
        serve()
        return arrived && failure == nil
    }

    func close() throws { try producer.close(flushTimeoutMilliseconds: 10_000) }

    private func attempt(_ body: () throws -> Void) {
        do { try body() } catch { failure = failure ?? "\(error)" }
    }
}
