import CSimdjson
import Retraining

/// Reads the records of the input topics: plain JSON, or CloudEvents 1.0 in structured or binary mode.
///
/// One decoder serves one thread. It owns every buffer it needs and grows them with the largest record seen, so that a
/// prediction, an actual or a load record costs no allocation. The borrowed text and values of a decoded record are
/// valid until the next call.
///
/// **CloudEvents.** An object with a text `specversion` is a CloudEvent in structured mode; its `data` (an object) or
/// `data_base64` (JSON in Base64) is the record. A `ce_specversion` header marks binary mode; the payload is the
/// record. The event's `time` stands in for a missing `issued_at` of a prediction, and for a missing `at` of an actual,
/// a load record, a training status or a command. It never stands in for the `at` of a prediction, which is the time
/// predicted for and not the time of saying so.
public final class RecordDecoder {
    let limits: DecoderLimits
    let map: FieldMap
    private let parser: OpaquePointer
    private let plans: [OpaquePointer]
    /// By role: whether records have `metric` and `value` instead of `values`.
    let hasOneValue: [Bool]
    let record: UnsafePointer<csimdjson_record>
    /// The values of the last record.
    private let values: UnsafeMutableBufferPointer<MetricValue>
    /// Decoded `data_base64`; grows by doubling.
    private var decoded = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4096)
    /// Time of the CloudEvent around the record; `.unknownTime` without one.
    var eventTime: Milliseconds = .unknownTime

    public init(fields: FieldMap = FieldMap(), limits: DecoderLimits = DecoderLimits()) {
        precondition(limits.values > 0 && limits.depth > 0 && limits.nameBytes > 0, "limits are at least 1")
        self.limits = limits
        map = fields
        parser = csimdjson_parser_create(
            csimdjson_limits(depth: limits.depth, values: limits.values, name_bytes: limits.nameBytes))
        record = csimdjson_parser_record(parser)
        plans = RecordRole.allCases.map { Self.makePlan($0, fields) }
        hasOneValue = RecordRole.allCases.map { role in
            zip(FieldMap.fields(of: role), fields.segments[role]!).contains { $0 == .value && $1 != nil }
        }
        values = .allocate(capacity: limits.values)
    }

    deinit {
        csimdjson_parser_destroy(parser)
        for plan in plans { csimdjson_plan_destroy(plan) }
        values.deallocate()
        decoded.deallocate()
    }

    /// Reads one record.
    ///
    /// - Parameters:
    ///   - value: the payload; nil for a tombstone. It is copied, and needs no padding.
    ///   - headers: asked for CloudEvents attributes where the record has headers at all.
    /// - Returns: the record, or why it was rejected. Any bytes whatever give one or the other.
    public func decode<Headers: RecordHeaders>(
        _ role: RecordRole, value: UnsafeRawBufferPointer?, headers: Headers
    ) -> DecodedRecord {
        eventTime = .unknownTime
        var isBinaryEvent = false
        do throws(Rejection) {
            if !headers.isEmpty { isBinaryEvent = try readBinaryAttributes(headers) }
            return try read(role, value, mayBeStructured: !isBinaryEvent)
        } catch {
            return .rejected(error)
        }
    }

    /// Reads one record that has no headers.
    public func decode(_ role: RecordRole, value: UnsafeRawBufferPointer?) -> DecodedRecord {
        decode(role, value: value, headers: NoHeaders())
    }

    /// Reads one record that has no headers.
    public func decode(_ role: RecordRole, _ bytes: [UInt8]) -> DecodedRecord {
        bytes.withUnsafeBytes { decode(role, value: $0, headers: NoHeaders()) }
    }

    private func read(
        _ role: RecordRole, _ value: UnsafeRawBufferPointer?, mayBeStructured: Bool
    ) throws(Rejection) -> DecodedRecord {
        guard let value else {
            throw Rejection(
                .tombstone, detail: "The record has no value (a tombstone). Input topics are not compacted.")
        }
        try checkPayload(value)
        try parse(role, value, mayBeStructured: mayBeStructured)
        switch role {
        case .prediction: return .prediction(try prediction())
        case .actual: return .actual(try actual())
        case .load: return .load(try load())
        case .trainingStatus: return .trainingStatus(try trainingStatus())
        case .command: return .command(try command())
        }
    }

    private func checkPayload(_ value: UnsafeRawBufferPointer) throws(Rejection) {
        guard value.count > 0 else {
            throw Rejection(.emptyPayload, detail: "The record is empty. Send a JSON object.")
        }
        guard value.count <= limits.recordBytes else {
            throw Rejection(
                .recordTooLarge,
                detail: "The record has \(value.count) bytes; at most \(limits.recordBytes) are read. "
                    + "Send fewer values in each.")
        }
        if value[0] == 0 {
            throw Rejection(
                .schemaRegistryFraming,
                detail: "The record begins with byte 0x00: it is framed by a schema registry (Avro, Protobuf or JSON "
                    + "Schema). Send plain JSON, for instance with Kafka Connect's JsonConverter and "
                    + "schemas.enable=false.")
        }
        if value[0] == 0xEF, value.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw Rejection(
                .byteOrderMark,
                detail: "The record begins with a byte order mark (EF BB BF). Encode as UTF-8 without one "
                    + "(in Python: \"utf-8\", not \"utf-8-sig\").")
        }
    }

    // MARK: - Parsing

    private func parse(
        _ role: RecordRole, _ value: UnsafeRawBufferPointer, mayBeStructured: Bool
    ) throws(Rejection) {
        let plan = plans[role.index]
        var status = csimdjson_parse(
            parser, plan, value.baseAddress?.assumingMemoryBound(to: UInt8.self), value.count, mayBeStructured)
        var payload = value
        if record.pointee.is_envelope {
            try readStructuredAttributes()
            if status == CSIMDJSON_ENVELOPE_BASE64 {
                payload = try decodeBase64(record.pointee.envelope_base64)
                status = csimdjson_parse(
                    parser, plan, payload.baseAddress?.assumingMemoryBound(to: UInt8.self), payload.count, false)
            }
        }
        guard status == CSIMDJSON_OK else { throw rejection(role, status, payload) }
    }

    private func decodeBase64(_ text: csimdjson_text) throws(Rejection) -> UnsafeRawBufferPointer {
        if decoded.count < text.count {
            decoded.deallocate()
            decoded = .allocate(capacity: text.count.roundedUpToPowerOfTwo)
        }
        guard let count = Base64.decode(UnsafeBufferPointer(start: text.bytes, count: text.count), into: decoded),
            count > 0
        else {
            throw Rejection(
                .cloudEventData, field: "data_base64",
                detail: "\"data_base64\" of the CloudEvent is empty or no Base64. Send \"data\" as a JSON object.")
        }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(decoded)[..<count])
    }

    private static func makePlan(_ role: RecordRole, _ map: FieldMap) -> OpaquePointer {
        let plan = csimdjson_plan_create()!
        for (index, field) in FieldMap.fields(of: role).enumerated() {
            guard let segments = map.segments[role]![index] else { continue }
            add(plan, Int32(index), form(of: field), segments, [])
        }
        return plan
    }

    /// Nests one `withUTF8` for every segment, so that all of them have an address at the call.
    static func add(
        _ plan: OpaquePointer, _ index: Int32, _ form: csimdjson_form, _ segments: [String], _ texts: [csimdjson_text]
    ) {
        guard let next = segments.dropFirst(texts.count).first else {
            csimdjson_plan_add(plan, index, form, texts, texts.count)
            return
        }
        var segment = next
        segment.withUTF8 { bytes in
            add(plan, index, form, segments, texts + [csimdjson_text(bytes: bytes.baseAddress, count: bytes.count)])
        }
    }

    private static func form(of field: FieldMap.Field) -> csimdjson_form {
        switch field {
        case .values: CSIMDJSON_VALUES
        case .value: CSIMDJSON_VALUE
        case .metrics: CSIMDJSON_FIGURES
        case .errors: CSIMDJSON_TEXT_LIST
        case .baseline: CSIMDJSON_SUMMARIES
        default: CSIMDJSON_SCALAR
        }
    }

    /// The entries of `values`, in this decoder's own memory.
    func collectValues() -> UnsafeBufferPointer<MetricValue> {
        let count = record.pointee.value_count
        guard let parsed = record.pointee.values else { return UnsafeBufferPointer(rebasing: values[..<0]) }
        for index in 0..<count {
            let value = parsed[index]
            values[index] = MetricValue(
                name: BorrowedText(base: value.name, count: value.name_count), value: value.value)
        }
        return UnsafeBufferPointer(rebasing: values[..<count])
    }

    /// One value under one name, for records with `metric` and `value`.
    func oneValue(_ name: BorrowedText, _ value: Double) -> UnsafeBufferPointer<MetricValue> {
        values[0] = MetricValue(name: name, value: value)
        return UnsafeBufferPointer(rebasing: values[..<1])
    }
}

extension RecordRole {
    /// Position in `allCases`.
    var index: Int {
        switch self {
        case .prediction: 0
        case .actual: 1
        case .load: 2
        case .trainingStatus: 3
        case .command: 4
        }
    }
}

extension Int {
    fileprivate var roundedUpToPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
