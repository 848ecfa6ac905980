import Contracts
import Foundation
import Kafka
public import Retraining

/// Puts operators' commands onto the commands topic: they survive restarts, and stand in the log for everybody to see.
///
/// ```swift
/// let sender = try CommandSender(configuration)
/// let receipt = try sender.send(CommandRecord(kind: .pause, model: "tft-prod", reason: "sensor swap", by: "ada"))
/// ```
///
/// A command that was delivered is not yet obeyed: the worker takes it at its next evaluation. Threads: one at a time.
public final class CommandSender {
    /// Where a command went.
    public struct Receipt: Sendable, Equatable, CustomStringConvertible {
        public var topic: String
        public var partition: Int32
        public var offset: Int64

        /// As kcat would show it: `driftgate-commands [0] @ 12`.
        public var description: String { "\(topic) [\(partition)] @ \(offset)" }
    }

    private let producer: Producer
    private let topic: String
    private let servers: String
    private let applicationID: String
    private let limits: DecoderLimits
    private let timeout: Int

    /// - Parameter timeoutMilliseconds: how long the brokers may take to answer, each time that they are asked.
    /// - Throws: ``CommandError`` where the settings make no client.
    public init(_ configuration: Configuration, timeoutMilliseconds: Int = 15_000) throws(CommandError) {
        topic = configuration.topics.commands
        servers = configuration.kafka.bootstrapServers.joined(separator: ",")
        applicationID = configuration.engine.applicationID
        limits = DecoderLimits(configuration.engine.limits)
        timeout = timeoutMilliseconds
        do {
            var settings = ProducerConfiguration(bootstrapServers: servers)
            settings.clientID = configuration.kafka.clientID + "-commands"
            settings.compression = .none
            settings.lingerMilliseconds = 0
            settings.additional = try configuration.kafka.connectionProperties()
            settings.additional["message.timeout.ms"] = String(timeoutMilliseconds)
            // Properties of consumers are among them, which a producer would warn about.
            settings.additional["log_level"] = settings.additional["log_level"] ?? "2"
            producer = try Producer(settings)
        } catch {
            throw CommandError(kind: .notConnected, "\(error)")
        }
    }

    /// Sends one command and waits until the brokers have it.
    ///
    /// - Parameter time: the record's time in milliseconds since 1970; nil is now. The worker takes a command once stream
    ///   time has come so far, so a stream that is not live needs its own time here.
    /// - Throws: ``CommandError`` where the worker would refuse the command, the topic is missing, or nothing was
    ///   delivered.
    @discardableResult
    public func send(_ command: CommandRecord, time: Milliseconds? = nil) throws(CommandError) -> Receipt {
        let bytes = RecordEncoder.command(command)
        // What the worker would put to its dead letters is refused here, where somebody reads the reason.
        if case .rejected(let rejection) = RecordDecoder(limits: limits).decode(.command, bytes) {
            throw CommandError(kind: .refused, rejection.detail)
        }
        try findTopic()
        let delivery = Delivery()
        producer.onDelivery = { _, offset, failure in (delivery.offset, delivery.failure) = (offset, failure) }
        defer { producer.onDelivery = nil }
        do {
            try producer.produce(
                topic: topic, partition: 0, key: Array((command.model ?? applicationID).utf8), value: bytes,
                timestamp: time, token: 1, timeoutMilliseconds: timeout)
            try producer.flush(timeoutMilliseconds: timeout + 1000)
        } catch {
            throw CommandError(kind: .notDelivered, "\(error)")
        }
        if let failure = delivery.failure { throw CommandError(kind: .notDelivered, "\(failure)") }
        return Receipt(topic: topic, partition: 0, offset: delivery.offset)
    }

    private final class Delivery {
        var offset: Int64 = -1
        var failure: KafkaError?
    }

    /// Asked of all topics, since asking for one by name makes some brokers create it.
    private func findTopic() throws(CommandError) {
        let metadata: Metadata
        do { metadata = try producer.metadata(topic: nil, timeoutMilliseconds: timeout) } catch {
            throw CommandError(kind: .notConnected, "no answer from \(servers): \(error)")
        }
        guard metadata[topic]?.partitions.isEmpty ?? true else { return }
        throw CommandError(
            kind: .notDelivered,
            "\(servers) has no topic \(topic): is topics.commands right? `driftgate topics create` makes it")
    }
}

/// Why a command did not go out.
public struct CommandError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// The worker would not take it as it is.
        case refused
        /// The brokers do not answer, or the settings make no client.
        case notConnected
        /// The brokers answer, and did not take it.
        case notDelivered
    }

    public var kind: Kind
    public var description: String

    init(kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
