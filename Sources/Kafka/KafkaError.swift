internal import CLibrdkafka

/// What went wrong in a Kafka call, where, and what may be done about it.
///
/// The flags come from librdkafka where it classifies the error itself (transactions), and from the code otherwise.
/// Decide by ``recovery``; show ``description`` to a person.
public struct KafkaError: Error, Hashable, Sendable {
    /// Which error it is. Open: brokers may answer with codes that are newer than this library.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The number of the Kafka protocol (0 and above) or of librdkafka itself (negative).
        public let rawValue: Int32

        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }
    }

    /// What the caller of the failed function should do.
    public enum Recovery: Hashable, Sendable {
        /// The same call again, with the same arguments.
        case retry
        /// `abortTransaction`, then the same work in a new transaction.
        case abortTransaction
        /// The outcome is unknown or the client is of no more use: destroy it, start anew and restore.
        ///
        /// Also the answer to errors without any flag, because nothing is known about the state that they leave.
        case recreateClient
    }

    /// Which error it is.
    public var code: Code
    /// librdkafka's own words, often with the broker's name or the reason.
    public var message: String
    /// The same call with the same arguments may succeed later.
    public var isRetriable: Bool
    /// The client cannot be used any more, only be closed.
    public var isFatal: Bool
    /// The transaction must be aborted by ``Producer/abortTransaction(timeoutMilliseconds:)``.
    public var requiresAbort: Bool
    /// What was being done, as a verb phrase ("commit offsets").
    public var operation: String
    /// The topic concerned, if one is.
    public var topic: String?
    /// The partition concerned, if one is.
    public var partition: Int32?

    /// What the caller of the failed function should do: fatal before abort, abort before retry.
    public var recovery: Recovery {
        if isFatal { return .recreateClient }
        if requiresAbort { return .abortTransaction }
        return isRetriable ? .retry : .recreateClient
    }

    /// An error with flags that follow from its code, where they are not given.
    public init(
        code: Code, message: String? = nil, operation: String, topic: String? = nil, partition: Int32? = nil,
        isRetriable: Bool? = nil, isFatal: Bool? = nil, requiresAbort: Bool = false
    ) {
        self.code = code
        self.message = message ?? String(cString: rd_kafka_err2str(code.native))
        self.operation = operation
        self.topic = topic
        self.partition = partition
        self.isRetriable = isRetriable ?? Self.transientCodes.contains(code)
        self.isFatal = isFatal ?? Self.fatalCodes.contains(code)
        self.requiresAbort = requiresAbort
    }
}

extension KafkaError: CustomStringConvertible {
    /// What failed, where, why, and what to do, in one line.
    public var description: String {
        var text = "Kafka: cannot \(operation)"
        if let topic {
            text += " (topic \(topic)"
            if let partition { text += ", partition \(partition)" }
            text += ")"
        }
        text += ": \(message) [\(code.name)]"
        if let advice { text += "; \(advice)" }
        return text
    }

    /// What a person can do about it; nil where the message says all there is to say.
    private var advice: String? {
        switch code {
        case .allBrokersDown, .transport, .resolve:
            return "check bootstrap.servers, the network and whether the brokers run; the client keeps trying"
        case .authentication, .saslAuthenticationFailed, .ssl:
            return "check the credentials and the security.* and sasl.* settings"
        case .topicAuthorizationFailed, .groupAuthorizationFailed, .clusterAuthorizationFailed,
            .transactionalIDAuthorizationFailed:
            return "grant the access (ACL) that is missing"
        case .unknownTopicOrPartition, .unknownTopic, .unknownPartition:
            return "create the topic, or correct its name in the configuration"
        case .autoOffsetReset, .offsetOutOfRange:
            return "the offset asked for is not in the log (any more): assign explicit offsets"
        case .fencedInstanceID:
            return "another consumer uses the same group.instance.id: give every worker its own"
        case .fenced, .producerFenced, .invalidProducerEpoch:
            return "another producer uses the same transactional.id: give every worker its own"
        case .maxPollExceeded:
            return "the consuming thread did not poll for max.poll.interval.ms: process less between polls"
        case .messageTooLarge:
            return "raise max.message.bytes of the topic and message.max.bytes of the client, or send less"
        case .queueFull:
            return "the brokers take records slower than they are produced"
        default:
            return isFatal ? "close this client and start a new one" : nil
        }
    }
}
