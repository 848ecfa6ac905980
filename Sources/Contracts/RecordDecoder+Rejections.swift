import CSimdjson
import Retraining

/// The words of rejections.
extension RecordDecoder {
    /// A field as its sender knows it: the name, and the pointer where that is another.
    func label(_ role: RecordRole, _ index: Int) -> String {
        let field = FieldMap.fields(of: role)[index].rawValue
        guard let segments = map.segments[role]![index], segments != [field] else { return field }
        return "\(field) (\(JSONFault.shorten(JSONPointer.text(segments))))"
    }

    func missing(_ role: RecordRole, _ index: Int) -> Rejection {
        Rejection(
            .missingField, field: label(role, index),
            detail:
                "\(label(role, index)) is missing or null, and a \(Self.title(role)) needs it. Add it, or configure where "
                + "it is found.")
    }

    func wrongType(_ role: RecordRole, _ index: Int, _ wanted: String) -> Rejection {
        Rejection(
            .wrongType, field: label(role, index),
            detail: "\(label(role, index)) is \(Self.title(record.pointee.fields[index].kind)); it has to be \(wanted)."
        )
    }

    func outOfRange(_ role: RecordRole, _ index: Int, _ value: Double, _ wanted: String) -> Rejection {
        Rejection(
            .valueOutOfRange, field: label(role, index),
            detail: "\(label(role, index)) is \(value); it has to be \(wanted).")
    }

    /// What the parser refused.
    func rejection(_ role: RecordRole, _ status: csimdjson_status, _ payload: UnsafeRawBufferPointer) -> Rejection {
        switch status {
        case CSIMDJSON_TOO_DEEP:
            return Rejection(
                .nestedTooDeep,
                detail: "Objects and arrays stand more than \(limits.depth) deep inside each other. Flatten the record."
            )
        case CSIMDJSON_NOT_AN_OBJECT:
            return Rejection(
                .notAnObject,
                detail: "The record is JSON, but no object. Send one object a message; a batch in an array is not read."
            )
        case CSIMDJSON_ENVELOPE_DATA, CSIMDJSON_ENVELOPE_BASE64:
            return Rejection(
                .cloudEventData, field: "data",
                detail: "The CloudEvent has no \"data\" that is a JSON object. Put the record there, not in a text.")
        case CSIMDJSON_OK, CSIMDJSON_INVALID:
            let words = String(cString: csimdjson_error_message(record.pointee.error_code))
            return JSONFault.find(in: payload, depthLimit: limits.depth, fallback: words)
        default:
            return valueRejection(role, status)
        }
    }

    private func valueRejection(_ role: RecordRole, _ status: csimdjson_status) -> Rejection {
        let fault = record.pointee.error_name
        let index = FieldMap.fields(of: role).firstIndex { $0 == .values || $0 == .metrics }
        let isOneValue = hasOneValue[role.index]
        let place = index.map { label(role, isOneValue ? $0 + 2 : $0) } ?? ""
        let name = JSONFault.shorten(
            String(decoding: UnsafeBufferPointer(start: fault.bytes, count: min(fault.count, 256)), as: UTF8.self))
        let entry = isOneValue ? place : "\(place).\(name)"
        let (reason, words): (RejectReason, String) =
            switch status {
            case CSIMDJSON_VALUE_NAME_EMPTY: (.emptyName, "has an empty metric name. Name the metric.")
            case CSIMDJSON_VALUE_NAME_LONG:
                (.nameTooLong, "has a metric name of \(fault.count) bytes; at most \(limits.nameBytes) are taken.")
            case CSIMDJSON_VALUE_NAME_CONTROL:
                (.controlCharacter, "has a control character in the metric name. Take it out.")
            case CSIMDJSON_TOO_MANY_VALUES:
                (.tooManyValues, "is one value too many: at most \(limits.values) are taken in a record. Split it.")
            case CSIMDJSON_MEDIAN_MISSING:
                (.missingMedian, "has quantiles, but no number as \"p50\". Add the median.")
            case CSIMDJSON_QUANTILE_TYPE:
                (.invalidQuantile, "has a quantile that is no number. Every quantile has to be one.")
            default:
                (.wrongType, "has to be a number without quotes, an object of quantiles with \"p50\", or null.")
            }
        return Rejection(reason, field: entry, detail: "\(entry) \(words)")
    }

    private static func title(_ role: RecordRole) -> String {
        switch role {
        case .prediction: "prediction"
        case .actual: "actual"
        case .load: "load record"
        case .trainingStatus: "training status"
        case .command: "command"
        }
    }

    private static func title(_ kind: csimdjson_kind) -> String {
        switch kind {
        case CSIMDJSON_ABSENT: "absent"
        case CSIMDJSON_NULL: "null"
        case CSIMDJSON_BOOLEAN: "true or false"
        case CSIMDJSON_INTEGER, CSIMDJSON_NUMBER: "a number"
        case CSIMDJSON_TEXT: "a text"
        case CSIMDJSON_OBJECT: "an object"
        default: "an array"
        }
    }
}
