internal import CLibrdkafka

extension KafkaError {
    /// Takes over (and destroys) an error object of librdkafka, with the flags that it carries.
    ///
    /// A fenced producer is fatal whatever the flags say: librdkafka asks for an abort, which brokers refuse too.
    init(consuming native: OpaquePointer, operation: String, topic: String? = nil) {
        defer { rd_kafka_error_destroy(native) }
        let code = Code(rd_kafka_error_code(native))
        let isFenced = code == .fenced || code == .producerFenced || code == .invalidProducerEpoch
        self.init(
            code: code,
            message: String(cString: rd_kafka_error_string(native)),
            operation: operation,
            topic: topic,
            isRetriable: rd_kafka_error_is_retriable(native) != 0,
            isFatal: rd_kafka_error_is_fatal(native) != 0 || code == .fatal || isFenced,
            requiresAbort: rd_kafka_error_txn_requires_abort(native) != 0)
    }

    /// Throws unless `result` is nil; takes `result` over.
    static func check(
        _ result: OpaquePointer?, _ operation: @autoclosure () -> String, topic: String? = nil
    ) throws(KafkaError) {
        guard let result else { return }
        throw KafkaError(consuming: result, operation: operation(), topic: topic)
    }

    /// Throws unless `result` is `NO_ERROR`.
    static func check(
        _ result: rd_kafka_resp_err_t, _ operation: @autoclosure () -> String, topic: String? = nil,
        partition: Int32? = nil
    ) throws(KafkaError) {
        guard result != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        throw KafkaError(code: Code(result), operation: operation(), topic: topic, partition: partition)
    }
}
