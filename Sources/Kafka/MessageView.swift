internal import CLibrdkafka

/// Tells topics apart without comparing names: equal for records of the same topic from the same consumer.
public struct TopicHandle: Hashable, Sendable {
    let address: UInt
}

/// A record in a ``MessageBatch``: pointers into it, copied nowhere.
///
/// Valid until the batch is cleared, filled again or deallocated, or its consumer is closed. An entry of a batch can
/// also be the end of a partition or an error instead of a record: look at ``isRecord`` first.
public struct MessageView {
    /// The topic; compare it with another view's, or ask for ``topicName``. Nil for errors that concern no topic.
    public let topic: TopicHandle?
    public let partition: Int32
    /// The record's offset; at the end of a partition that of the next record to come.
    public let offset: Int64
    /// Milliseconds since 1970, given by the producer or the broker; -1 when there is none.
    public let timestamp: Int64
    /// The key; without base address where the record has none.
    public let key: UnsafeRawBufferPointer
    /// The value; without base address where the record is a tombstone.
    public let value: UnsafeRawBufferPointer
    /// 0 for a record.
    let errorCode: Int32
    let message: UnsafeMutableRawPointer
    /// Whether `message` is a ``ForeignRecord``.
    let isForeign: Bool

    init(_ foreign: ForeignRecord) {
        message = Unmanaged.passUnretained(foreign).toOpaque()
        isForeign = true
        topic = nil
        partition = foreign.partition.partition
        offset = foreign.offset
        switch foreign.kind {
        case .record: errorCode = 0
        case .endOfPartition: errorCode = RD_KAFKA_RESP_ERR__PARTITION_EOF.rawValue
        case .error(let error): errorCode = error.code.rawValue
        }
        timestamp = foreign.timestamp
        key = foreign.key
        value = foreign.value
    }

    init(_ native: UnsafeMutablePointer<rd_kafka_message_t>) {
        let code = native.pointee.err.rawValue
        errorCode = Int32(code)
        message = UnsafeMutableRawPointer(native)
        isForeign = false
        topic = native.pointee.rkt.map { TopicHandle(address: UInt(bitPattern: $0)) }
        partition = native.pointee.partition
        offset = native.pointee.offset
        if code == 0 {
            var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
            timestamp = rd_kafka_message_timestamp(native, &type)
            key = UnsafeRawBufferPointer(start: native.pointee.key, count: native.pointee.key_len)
            value = UnsafeRawBufferPointer(start: native.pointee.payload, count: native.pointee.len)
        } else {
            // The payload of an error is its text.
            timestamp = -1
            key = UnsafeRawBufferPointer(start: nil, count: 0)
            value = UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    private var foreign: ForeignRecord {
        Unmanaged<ForeignRecord>.fromOpaque(message).takeUnretainedValue()
    }

    private var native: UnsafeMutablePointer<rd_kafka_message_t> {
        message.assumingMemoryBound(to: rd_kafka_message_t.self)
    }

    /// Whether this is a record, and neither an error nor the end of a partition.
    public var isRecord: Bool { errorCode == 0 }

    /// Whether everything up to ``offset`` (exclusive) has been delivered, and no more was there.
    public var isEndOfPartition: Bool { errorCode == RD_KAFKA_RESP_ERR__PARTITION_EOF.rawValue }

    /// Whether the record deletes its key.
    public var isTombstone: Bool { isRecord && value.baseAddress == nil }

    /// Why this partition cannot be read; nil for a record and for the end of the partition.
    public var error: KafkaError? {
        guard !isRecord, !isEndOfPartition else { return nil }
        if isForeign, case .error(let error) = foreign.kind { return error }
        return KafkaError(
            code: .init(rawValue: errorCode), message: rd_kafka_message_errstr(native).map { String(cString: $0) },
            operation: "consume", topic: topic == nil ? nil : topicName, partition: partition < 0 ? nil : partition)
    }

    /// The topic's name; a new string each time. Empty for errors that concern no topic.
    public var topicName: String {
        if isForeign { return foreign.partition.topic }
        guard let topic = native.pointee.rkt else { return "" }
        return String(cString: rd_kafka_topic_name(topic))
    }
}

extension MessageView {
    /// Whether there is any header; cheap where there is none.
    public var hasHeaders: Bool { isForeign ? !foreign.headers.isEmpty : nativeHeaders != nil }

    /// The last header of this name; nil when there is none, without base address when its value is null.
    public func header(named name: String) -> UnsafeRawBufferPointer? {
        if isForeign {
            return foreign.headers.lastIndex { $0.name == name }.map { foreign.headerValues[$0] }
        }
        guard let headers = nativeHeaders else { return nil }
        var value: UnsafeRawPointer?
        var length = 0
        guard rd_kafka_header_get_last(headers, name, &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR else {
            return nil
        }
        return UnsafeRawBufferPointer(start: value, count: length)
    }

    /// Calls `body` with each header in order; a null value has no base address.
    public func forEachHeader(_ body: (_ name: String, _ value: UnsafeRawBufferPointer) -> Void) {
        if isForeign {
            for (header, value) in zip(foreign.headers, foreign.headerValues) { body(header.name, value) }
            return
        }
        guard let headers = nativeHeaders else { return }
        for index in 0..<rd_kafka_header_cnt(headers) {
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var length = 0
            let result = rd_kafka_header_get_all(headers, index, &name, &value, &length)
            guard result == RD_KAFKA_RESP_ERR_NO_ERROR, let name else { return }
            body(String(cString: name), UnsafeRawBufferPointer(start: value, count: length))
        }
    }

    /// A copy of all headers, in order.
    public var headers: [Header] {
        var headers: [Header] = []
        forEachHeader { name, value in
            headers.append(Header(name, value.baseAddress == nil ? nil : [UInt8](value)))
        }
        return headers
    }

    /// The record's headers; librdkafka parses them at the first call.
    private var nativeHeaders: OpaquePointer? {
        guard isRecord, !isForeign else { return nil }
        var headers: OpaquePointer?
        return rd_kafka_message_headers(native, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR ? headers : nil
    }
}
