internal import CLibrdkafka

/// What librdkafka calls back into. A pointer to it is the client's opaque, so it must outlive the client.
///
/// All callbacks are served inside calls on the consumer's own thread.
final class ConsumerCallbacks {
    let inbox = EventInbox()
    /// Nil while the client is destroyed without a close: then no code of the application runs.
    weak var consumer: Consumer?
    var handler = RebalanceHandler()
    /// Whether the callbacks are being served by a poll, which returns early when one had something to tell.
    var isPolling = false
    /// The batch that a call is filling from the common queue at the moment.
    var batchBeingFilled: MessageBatch?
    /// How many entries at the start of ``batchBeingFilled`` are older than a rebalance inside that call.
    private(set) var entriesBeforeRebalance = 0

    func install(in configuration: NativeConfiguration) {
        let native = configuration.pointer
        rd_kafka_conf_set_opaque(native, Unmanaged.passUnretained(self).toOpaque())
        rd_kafka_conf_set_rebalance_cb(native) { client, code, partitions, opaque in
            guard let client, let partitions, let callbacks = ConsumerCallbacks.of(opaque) else { return }
            callbacks.rebalance(client: client, code: code, partitions: partitions)
            callbacks.endPoll(of: client)
        }
        rd_kafka_conf_set_offset_commit_cb(native) { _, code, offsets, opaque in
            ConsumerCallbacks.of(opaque)?.committed(code: code, offsets: offsets)
        }
        rd_kafka_conf_set_error_cb(native) { client, code, reason, opaque in
            guard let client, let callbacks = ConsumerCallbacks.of(opaque) else { return }
            callbacks.inbox.addError(
                client: client, code: rd_kafka_resp_err_t(rawValue: code), reason: reason,
                operation: "run the consumer")
            callbacks.endPoll(of: client)
        }
        rd_kafka_conf_set_stats_cb(native) { client, json, length, opaque in
            guard let client, let json, let callbacks = ConsumerCallbacks.of(opaque) else { return 0 }
            callbacks.inbox.addStatistics(json, length: length)
            callbacks.endPoll(of: client)
            return 0
        }
        rd_kafka_conf_set_log_cb(native) { client, level, facility, message in
            guard let client, let callbacks = ConsumerCallbacks.of(rd_kafka_opaque(client)) else { return }
            callbacks.inbox.addLog(level: level, facility: facility, message: message)
        }
    }

    private static func of(_ opaque: UnsafeMutableRawPointer?) -> ConsumerCallbacks? {
        opaque.map { Unmanaged<ConsumerCallbacks>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Lets a poll return at once instead of at its timeout.
    ///
    /// Never while a batch is filled: librdkafka then throws the next record away (seen with 2.0.2).
    private func endPoll(of client: OpaquePointer) {
        if isPolling { rd_kafka_yield(client) }
    }

    /// Starts to watch for rebalances while `batch` is filled.
    func beginFilling(_ batch: MessageBatch) {
        batchBeingFilled = batch
        entriesBeforeRebalance = 0
    }

    private func rebalance(
        client: OpaquePointer, code: rd_kafka_resp_err_t,
        partitions list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) {
        if let batchBeingFilled { entriesBeforeRebalance = batchBeingFilled.writtenCount }
        let partitions = TopicPartitionList.partitions(list)
        do {
            switch code {
            case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
                try assign(client: client, partitions: partitions, granted: list)
            case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
                if let consumer {
                    let isLost = rd_kafka_assignment_lost(client) != 0
                    (isLost ? handler.lost : handler.revoked)(consumer, partitions)
                }
                try KafkaError.check(rd_kafka_assign(client, nil), "give partitions back")
            default:
                inbox.add(.error(KafkaError(code: .init(code), operation: "join the group")))
                try KafkaError.check(rd_kafka_assign(client, nil), "give partitions back")
            }
        } catch {
            inbox.add(.error(error))
            // Without any assignment the group would wait for this member until its session ends.
            rd_kafka_assign(client, nil)
        }
    }

    private func assign(
        client: OpaquePointer, partitions: [TopicPartition],
        granted: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) throws(KafkaError) {
        guard let consumer else {
            try KafkaError.check(rd_kafka_assign(client, nil), "decline partitions")
            return
        }
        switch handler.assigned(consumer, partitions) {
        case .committed:
            try consumer.separate(partitions)
            try KafkaError.check(rd_kafka_assign(client, granted), "take over partitions")
        case .at(let start):
            try consumer.assign(start)
        case .nothingYet:
            // An empty assignment completes the rebalance, so that the group does not wait for this member.
            try consumer.assign([])
        }
    }

    private func committed(
        code: rd_kafka_resp_err_t, offsets: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    ) {
        guard code != RD_KAFKA_RESP_ERR__NO_OFFSET else { return }
        do {
            try KafkaError.check(code, "commit offsets")
            if let offsets { try TopicPartitionList.checkElements(offsets, "commit offsets") }
        } catch {
            inbox.add(.error(error))
        }
    }
}
