internal import CLibrdkafka

/// What librdkafka calls back into. A pointer to it is the client's opaque, so it must outlive the client.
///
/// All callbacks are served inside calls on the producer's own thread.
final class ProducerCallbacks {
    let inbox = EventInbox()
    var counts = DeliveryCounts()
    var onDelivery: ((_ token: UInt, _ offset: Int64, _ failure: KafkaError?) -> Void)?

    func install(in configuration: NativeConfiguration) {
        let native = configuration.pointer
        rd_kafka_conf_set_opaque(native, Unmanaged.passUnretained(self).toOpaque())
        rd_kafka_conf_set_dr_msg_cb(native) { _, message, opaque in
            guard let message else { return }
            ProducerCallbacks.of(opaque)?.delivered(message)
        }
        rd_kafka_conf_set_error_cb(native) { client, code, reason, opaque in
            guard let client, let callbacks = ProducerCallbacks.of(opaque) else { return }
            callbacks.inbox.addError(
                client: client, code: rd_kafka_resp_err_t(rawValue: code), reason: reason,
                operation: "run the producer")
        }
        rd_kafka_conf_set_stats_cb(native) { _, json, length, opaque in
            guard let json else { return 0 }
            ProducerCallbacks.of(opaque)?.inbox.addStatistics(json, length: length)
            return 0
        }
        rd_kafka_conf_set_log_cb(native) { client, level, facility, message in
            guard let client else { return }
            ProducerCallbacks.of(rd_kafka_opaque(client))?
                .inbox.addLog(level: level, facility: facility, message: message)
        }
    }

    private static func of(_ opaque: UnsafeMutableRawPointer?) -> ProducerCallbacks? {
        opaque.map { Unmanaged<ProducerCallbacks>.fromOpaque($0).takeUnretainedValue() }
    }

    private func delivered(_ message: UnsafePointer<rd_kafka_message_t>) {
        let code = message.pointee.err
        var failure: KafkaError?
        if code == RD_KAFKA_RESP_ERR_NO_ERROR {
            counts.delivered += 1
        } else {
            // rd_kafka_message_errstr is for consumed messages: here it would take the record's value for the text.
            let error = KafkaError(
                code: .init(code), operation: "deliver a record",
                topic: message.pointee.rkt.map { String(cString: rd_kafka_topic_name($0)) },
                partition: message.pointee.partition < 0 ? nil : message.pointee.partition)
            failure = error
            if error.code == .purgedFromQueue || error.code == .purgedInFlight {
                counts.purged += 1
            } else {
                counts.failed += 1
                if counts.firstFailure == nil { counts.firstFailure = error }
            }
        }
        guard let onDelivery, let token = message.pointee._private.map({ UInt(bitPattern: $0) }) else { return }
        onDelivery(token, failure == nil ? message.pointee.offset : -1, failure)
    }
}
