internal import CLibrdkafka

/// What consumers, producers and admin clients have in common.
enum ClientHandle {
    /// The error that made the client unusable; nil while it is usable.
    static func fatalError(of client: OpaquePointer) -> KafkaError? {
        var reason = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(client, &reason, reason.count)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        let text = String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return KafkaError(code: .init(code), message: text, operation: "go on with this client", isFatal: true)
    }

    /// The error for a call on a client that was closed.
    static func closed(_ operation: String) -> KafkaError {
        KafkaError(code: .invalidState, message: "the client is closed", operation: operation)
    }

    /// The error of a failed call; the cause where librdkafka says only that the client has failed before.
    static func error(
        _ code: rd_kafka_resp_err_t, client: OpaquePointer, operation: String, topic: String? = nil,
        partition: Int32? = nil
    ) -> KafkaError {
        if code == RD_KAFKA_RESP_ERR__FATAL, var cause = fatalError(of: client) {
            cause.operation = operation
            cause.topic = topic
            cause.partition = partition
            return cause
        }
        return KafkaError(code: .init(code), operation: operation, topic: topic, partition: partition)
    }
}

extension Int32 {
    /// Milliseconds as librdkafka takes them. Negative waits without end.
    init(milliseconds: Int) {
        self = milliseconds < 0 ? -1 : Int32(clamping: milliseconds)
    }
}
