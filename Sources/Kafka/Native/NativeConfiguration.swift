internal import CLibrdkafka

/// Owns a `rd_kafka_conf_t` until a client is made of it.
final class NativeConfiguration {
    private var native: OpaquePointer?

    init() {
        native = rd_kafka_conf_new()
    }

    deinit {
        if let native { rd_kafka_conf_destroy(native) }
    }

    /// The C object, for setting callbacks.
    var pointer: OpaquePointer {
        guard let native else { preconditionFailure("the configuration has become a client") }
        return native
    }

    func set(_ settings: [String: String]) throws(KafkaError) {
        for (key, value) in settings.sorted(by: { $0.key < $1.key }) {
            var reason = [CChar](repeating: 0, count: 512)
            let result = rd_kafka_conf_set(pointer, key, value, &reason, reason.count)
            guard result != RD_KAFKA_CONF_OK else { continue }
            throw KafkaError(
                code: .invalidArgument, message: "setting '\(key)': \(text(reason))",
                operation: "configure the client")
        }
    }

    /// Makes the client; the configuration is used up.
    func makeClient(_ type: rd_kafka_type_t) throws(KafkaError) -> OpaquePointer {
        var reason = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(type, pointer, &reason, reason.count) else {
            throw KafkaError(
                code: KafkaError.Code(rd_kafka_last_error()), message: text(reason), operation: "create the client")
        }
        native = nil
        return client
    }

    private func text(_ reason: [CChar]) -> String {
        String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
