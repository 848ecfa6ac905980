import CSimdjson
import Retraining

/// CloudEvents 1.0: the core specification, its JSON format, and its Kafka protocol binding (`ce_` headers).
extension RecordDecoder {
    /// Checks the attributes in the headers of a record in binary mode.
    ///
    /// - Returns: whether it is one: a `ce_specversion` header, and no content type of structured mode.
    func readBinaryAttributes<Headers: RecordHeaders>(_ headers: Headers) throws(Rejection) -> Bool {
        guard let version = headers.value(of: "ce_specversion") else { return false }
        let contentType = headers.value(of: "content-type")
        if let contentType, Self.starts(contentType, with: "application/cloudevents+") { return false }
        try checkVersion(version, field: "ce_specversion")
        if let contentType { try checkContentType(contentType, field: "content-type") }
        if let time = headers.value(of: "ce_time") { try readTime(time, field: "ce_time") }
        return true
    }

    /// Checks the attributes of the envelope that the parser found.
    func readStructuredAttributes() throws(Rejection) {
        let event = record.pointee
        try checkVersion(Self.bytes(event.specversion), field: "specversion")
        if event.datacontenttype.kind == CSIMDJSON_TEXT {
            try checkContentType(Self.bytes(event.datacontenttype), field: "datacontenttype")
        }
        switch event.time.kind {
        case CSIMDJSON_ABSENT, CSIMDJSON_NULL: break
        case CSIMDJSON_TEXT: try readTime(Self.bytes(event.time), field: "time")
        default:
            throw Rejection(
                .cloudEventTime, field: "time",
                detail: "\"time\" of the CloudEvent must be an RFC 3339 text, such as \"2024-10-17T16:00:00Z\".")
        }
    }

    private func checkVersion(_ version: UnsafeRawBufferPointer, field: String) throws(Rejection) {
        var isVersion1 = version.count >= 3 && Self.starts(version, with: "1.")
        for index in 2..<max(version.count, 2) {
            isVersion1 = isVersion1 && version[index] >= UInt8(ascii: "0") && version[index] <= UInt8(ascii: "9")
        }
        guard isVersion1 else {
            throw Rejection(
                .cloudEventVersion, field: field,
                detail: "\"\(field)\" is \(JSONFault.quoted(Self.text(version))); only CloudEvents 1.x are read. "
                    + "Send \"1.0\".")
        }
    }

    /// JSON by its media type: `application/json`, `text/json` or anything that ends in `+json`, parameters aside.
    private func checkContentType(_ type: UnsafeRawBufferPointer, field: String) throws(Rejection) {
        var end = 0
        while end < type.count, type[end] != UInt8(ascii: ";"), type[end] != UInt8(ascii: " ") { end += 1 }
        let essence = UnsafeRawBufferPointer(rebasing: type[..<end])
        let isJSON =
            essence.count == 16 && Self.starts(essence, with: "application/json")
            || essence.count == 9 && Self.starts(essence, with: "text/json")
            || essence.count > 5
                && Self.starts(UnsafeRawBufferPointer(rebasing: essence[(essence.count - 5)...]), with: "+json")
        guard isJSON else {
            throw Rejection(
                .cloudEventContentType, field: field,
                detail: "\"\(field)\" is \(JSONFault.quoted(Self.text(type))); only JSON is read. "
                    + "Send \"application/json\".")
        }
    }

    private func readTime(_ text: UnsafeRawBufferPointer, field: String) throws(Rejection) {
        guard let time = Timestamp.parse(text.assumingMemoryBound(to: UInt8.self)) else {
            throw Rejection(
                .cloudEventTime, field: field,
                detail: "\"\(field)\" of the CloudEvent is \(JSONFault.quoted(Self.text(text))), which is no RFC 3339 "
                    + "time, such as \"2024-10-17T16:00:00Z\".")
        }
        eventTime = time
    }

    private static func bytes(_ field: csimdjson_field) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: field.text, count: field.text_count)
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix(256), as: UTF8.self)
    }

    /// ASCII letters of `bytes` may be upper case.
    private static func starts(_ bytes: UnsafeRawBufferPointer, with prefix: StaticString) -> Bool {
        guard bytes.count >= prefix.utf8CodeUnitCount else { return false }
        for index in 0..<prefix.utf8CodeUnitCount {
            let byte = bytes[index]
            let lower = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
            guard lower == prefix.utf8Start[index] else { return false }
        }
        return true
    }
}
