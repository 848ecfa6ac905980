import CSimdjson
import Retraining

/// Single fields: their types, their bounds, and what is said where they do not hold.
extension RecordDecoder {
    /// Bytes of a free text that are kept.
    private static let textBytes = 2000

    /// A name of a model, version, entity, pool or metric; absent where the record has none, or null.
    func name(_ role: RecordRole, _ index: Int) throws(Rejection) -> BorrowedText {
        let field = record.pointee.fields[index]
        switch field.kind {
        case CSIMDJSON_ABSENT, CSIMDJSON_NULL: return .absent
        case CSIMDJSON_TEXT: break
        default: throw wrongType(role, index, "a text in quotes")
        }
        guard field.text_count > 0 else {
            throw Rejection(
                .emptyName, field: label(role, index),
                detail: "\(label(role, index)) is empty. Name something, or leave the field out where it is optional.")
        }
        guard field.text_count <= limits.nameBytes else {
            throw Rejection(
                .nameTooLong, field: label(role, index),
                detail: "\(label(role, index)) has \(field.text_count) bytes; at most \(limits.nameBytes) are taken.")
        }
        guard !field.has_control else {
            throw Rejection(
                .controlCharacter, field: label(role, index),
                detail: "\(label(role, index)) holds a control character. Names are for people: take it out.")
        }
        return BorrowedText(base: field.text, count: field.text_count)
    }

    func requiredName(_ role: RecordRole, _ index: Int) throws(Rejection) -> BorrowedText {
        let name = try name(role, index)
        guard !name.isAbsent else { throw missing(role, index) }
        return name
    }

    func optionalName(_ role: RecordRole, _ index: Int) throws(Rejection) -> String? {
        let name = try name(role, index)
        return name.isAbsent ? nil : name.string
    }

    /// A free text; what is beyond 2000 bytes is cut. An empty one counts as none.
    func text(_ role: RecordRole, _ index: Int) throws(Rejection) -> String? {
        let field = record.pointee.fields[index]
        switch field.kind {
        case CSIMDJSON_ABSENT, CSIMDJSON_NULL: return nil
        case CSIMDJSON_TEXT: break
        default: throw wrongType(role, index, "a text in quotes")
        }
        guard field.text_count > 0 else { return nil }
        return Self.prefix(UnsafeBufferPointer(start: field.text, count: field.text_count))
    }

    static func prefix(_ text: UnsafeBufferPointer<UInt8>) -> String {
        var end = min(text.count, textBytes)
        while end > 0, end < text.count, text[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: text[..<end], as: UTF8.self)
    }

    func number(_ role: RecordRole, _ index: Int) throws(Rejection) -> Double? {
        let field = record.pointee.fields[index]
        switch field.kind {
        case CSIMDJSON_INTEGER, CSIMDJSON_NUMBER: return field.number
        case CSIMDJSON_ABSENT, CSIMDJSON_NULL: return nil
        default: throw wrongType(role, index, "a number, without quotes")
        }
    }

    /// Meters that sample overshoot a little: up to 105 counts as 100.
    func percent(_ role: RecordRole, _ index: Int) throws(Rejection) -> Double? {
        guard let value = try number(role, index) else { return nil }
        guard (0...105).contains(value) else {
            throw outOfRange(
                role, index, value, "a percentage of the whole machine, 0 to 100; divide by the number of cores")
        }
        return min(value, 100)
    }

    func nonNegative(_ role: RecordRole, _ index: Int) throws(Rejection) -> Double? {
        guard let value = try number(role, index) else { return nil }
        guard value >= 0 else { throw outOfRange(role, index, value, "a rate, 0 or above") }
        return value
    }

    func boolean(_ role: RecordRole, _ index: Int) throws(Rejection) -> Bool? {
        let field = record.pointee.fields[index]
        switch field.kind {
        case CSIMDJSON_BOOLEAN: return field.boolean
        case CSIMDJSON_ABSENT, CSIMDJSON_NULL: return nil
        default: throw wrongType(role, index, "true or false, without quotes")
        }
    }

    // MARK: - Times

    func time(_ role: RecordRole, _ index: Int) throws(Rejection) -> Milliseconds? {
        let field = record.pointee.fields[index]
        switch field.kind {
        case CSIMDJSON_ABSENT, CSIMDJSON_NULL: return nil
        case CSIMDJSON_INTEGER: return try inRange(role, index, field.integer)
        case CSIMDJSON_NUMBER:
            guard let whole = Int64(exactly: field.number) else {
                throw invalidTime(role, index, "has a fraction or is out of all range")
            }
            return try inRange(role, index, whole)
        case CSIMDJSON_TEXT:
            guard let time = Timestamp.parse(UnsafeBufferPointer(start: field.text, count: field.text_count)) else {
                let text = String(
                    decoding: UnsafeBufferPointer(start: field.text, count: field.text_count), as: UTF8.self)
                throw invalidTime(role, index, "is \(JSONFault.quoted(text))")
            }
            return try inRange(role, index, time)
        default: throw wrongType(role, index, "integer milliseconds since 1970, or an RFC 3339 text")
        }
    }

    func requiredTime(_ role: RecordRole, _ index: Int) throws(Rejection) -> Milliseconds {
        guard let time = try time(role, index) else { throw missing(role, index) }
        return time
    }

    /// The record's own time, else the CloudEvent's, else `.unknownTime`.
    func optionalTime(_ role: RecordRole, _ index: Int) throws(Rejection) -> Milliseconds {
        if let time = try time(role, index) { return time }
        return try eventTimeInRange()
    }

    func timeOrEventTime(_ role: RecordRole, _ index: Int) throws(Rejection) -> Milliseconds {
        let time = try optionalTime(role, index)
        guard time != .unknownTime else { throw missing(role, index) }
        return time
    }

    /// The CloudEvent's time, where it has to stand in for the record's own.
    func eventTimeInRange() throws(Rejection) -> Milliseconds {
        guard eventTime == .unknownTime || limits.times.contains(eventTime) else {
            throw Rejection(
                .timeOutOfRange, field: "time",
                detail:
                    "The CloudEvent's time, \(Timestamp.text(eventTime) ?? String(eventTime)), lies outside of what is "
                    + "taken for a time of today. Set the clock of its producer.")
        }
        return eventTime
    }

    private func inRange(_ role: RecordRole, _ index: Int, _ time: Milliseconds) throws(Rejection) -> Milliseconds {
        guard limits.times.contains(time) else {
            let range = limits.times
            let hint =
                if range.contains(time.multipliedReportingOverflow(by: 1000).partialValue) {
                    "it looks like seconds: multiply by 1000"
                } else if range.contains(time / 1000) {
                    "it looks like microseconds: divide by 1000"
                } else if range.contains(time / 1_000_000) {
                    "it looks like nanoseconds: divide by 1000000"
                } else {
                    "send milliseconds since 1970-01-01 UTC"
                }
            let from = Timestamp.text(range.lowerBound) ?? String(range.lowerBound)
            let to = Timestamp.text(range.upperBound) ?? String(range.upperBound)
            throw Rejection(
                .timeOutOfRange, field: label(role, index),
                detail: "\(label(role, index)) is \(time), outside \(from) to \(to); \(hint).")
        }
        return time
    }

    private func invalidTime(_ role: RecordRole, _ index: Int, _ what: String) -> Rejection {
        Rejection(
            .invalidTime, field: label(role, index),
            detail:
                "\(label(role, index)) \(what). Send integer milliseconds since 1970 without quotes, or RFC 3339 with an "
                + "offset, such as \"2024-10-17T16:00:00Z\".")
    }
}
