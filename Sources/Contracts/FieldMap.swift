/// Where the fields of each kind of record are found: JSON pointers (RFC 6901), as configured.
///
/// Without configuration every field is found under its own name at the top of the record. In a CloudEvent the
/// pointers start at `data`. A pointer adapts a producer that uses other names:
///
/// ```swift
/// let fields = try FieldMap([
///     .prediction: ["at": "/ts", "entity": "/meta/host", "values": "/output/forecast"],
///     .actual: ["metric": "/metric", "value": "/value"],   // one value a record
/// ])
/// ```
public struct FieldMap: Sendable, Equatable {
    /// A field of a record, by the name that configuration and error texts use.
    enum Field: String, CaseIterable, Sendable {
        case model, modelVersion = "model_version", entity, at, issuedAt = "issued_at", shadow, values, metric, value
        case pool, cpuPercent = "cpu_pct", predictionsPerSecond = "predictions_per_s", incident
        case requestID = "request_id", status, runID = "run_id", url, progress, metrics, errors, baseline
        case command, reason, by
    }

    /// The segments of every field's pointer, in the order of `fields(of:)`; nil for a field that is not looked for.
    private(set) var segments: [RecordRole: [[String]?]] = [:]

    /// Every field under its own name.
    public init() {
        for role in RecordRole.allCases {
            segments[role] = Self.fields(of: role).map { field in
                Self.isOneValue(field) ? nil : [field.rawValue]
            }
        }
    }

    /// Fields under other names, by role and field; those not named stay where they are.
    ///
    /// - Throws: at the first pointer that names an unknown field, is no JSON pointer, or cannot work beside another.
    public init(_ pointers: [RecordRole: [String: String]]) throws(FieldMapError) {
        self.init()
        for role in RecordRole.allCases {
            guard let configured = pointers[role] else { continue }
            try configure(role, configured)
        }
    }

    /// The names of a role's fields, as configuration spells them.
    public static func fieldNames(of role: RecordRole) -> [String] { fields(of: role).map(\.rawValue) }

    static func fields(of role: RecordRole) -> [Field] {
        switch role {
        case .prediction: [.model, .modelVersion, .entity, .at, .issuedAt, .shadow, .values, .metric, .value]
        case .actual: [.model, .entity, .at, .values, .metric, .value]
        case .load: [.pool, .entity, .at, .cpuPercent, .predictionsPerSecond, .incident]
        case .trainingStatus:
            [.requestID, .status, .at, .runID, .url, .modelVersion, .progress, .metrics, .errors, .baseline]
        case .command: [.command, .model, .requestID, .reason, .by, .at]
        }
    }

    private static func isOneValue(_ field: Field) -> Bool { field == .metric || field == .value }

    private mutating func configure(_ role: RecordRole, _ pointers: [String: String]) throws(FieldMapError) {
        let fields = Self.fields(of: role)
        for name in pointers.keys.sorted() {
            guard let index = fields.firstIndex(where: { $0.rawValue == name }) else {
                let known = fields.map(\.rawValue).joined(separator: ", ")
                throw FieldMapError(role, name, "is no field of this record; use one of \(known)")
            }
            do throws(JSONPointer.Fault) {
                segments[role]![index] = try JSONPointer.segments(pointers[name]!)
            } catch {
                throw FieldMapError(role, name, "\"\(pointers[name]!)\" is no JSON pointer: \(error.text)")
            }
        }
        try settleOneValue(role, fields, pointers)
        try refuseOverlap(role, fields)
    }

    /// `metric` and `value` come together and in place of `values`.
    private mutating func settleOneValue(
        _ role: RecordRole, _ fields: [Field], _ pointers: [String: String]
    ) throws(FieldMapError) {
        let one = [Field.metric, .value].filter { pointers[$0.rawValue] != nil }
        guard let first = one.first else { return }
        if one.count == 1 {
            let other = first == .metric ? Field.value : .metric
            throw FieldMapError(
                role, first.rawValue, "needs \"\(other.rawValue)\" beside it; name a pointer for both, or for neither")
        }
        if pointers[Field.values.rawValue] != nil {
            throw FieldMapError(
                role, first.rawValue,
                "cannot stand beside \"values\"; keep either \"values\", or \"metric\" and \"value\"")
        }
        segments[role]![fields.firstIndex(of: .values)!] = nil
    }

    private func refuseOverlap(_ role: RecordRole, _ fields: [Field]) throws(FieldMapError) {
        let located = zip(fields, segments[role]!).compactMap { field, path in path.map { (field, $0) } }
        for (field, path) in located {
            for (other, otherPath) in located where other != field && otherPath.starts(with: path) {
                let pointer = JSONPointer.text(otherPath)
                let relation = path.count == otherPath.count ? "the same place as" : "inside"
                throw FieldMapError(
                    role, other.rawValue,
                    "its pointer \"\(pointer)\" is \(relation) that of \"\(field.rawValue)\"; give each its own place")
            }
        }
    }
}

/// A configured field pointer that cannot work.
public struct FieldMapError: Error, Sendable, Equatable, CustomStringConvertible {
    public var role: RecordRole
    public var field: String
    public var detail: String

    init(_ role: RecordRole, _ field: String, _ detail: String) {
        self.role = role
        self.field = field
        self.detail = detail
    }

    public var description: String { "\(role.rawValue).\(field): \(detail)" }
}

/// JSON pointers. RFC 6901.
enum JSONPointer {
    struct Fault: Error {
        var text: String
    }

    static func segments(_ pointer: String) throws(Fault) -> [String] {
        guard pointer.utf8.first == UInt8(ascii: "/") else {
            throw Fault(
                text: pointer.isEmpty
                    ? "the empty pointer is the whole record; name a place in it, such as \"/values\""
                    : "it must begin with \"/\", as in \"/\(pointer)\"")
        }
        var segments: [String] = []
        for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            segments.append(try unescape(part))
        }
        guard segments.count <= 16 else { throw Fault(text: "it has more than 16 segments") }
        return segments
    }

    static func text(_ segments: [String]) -> String {
        segments.map { segment in
            var text = "/"
            for character in segment.unicodeScalars {
                switch character {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(character)
                }
            }
            return text
        }.joined()
    }

    private static func unescape(_ part: Substring) throws(Fault) -> String {
        var text = ""
        var scalars = part.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "~" else {
                text.unicodeScalars.append(scalar)
                continue
            }
            switch scalars.next() {
            case "0": text += "~"
            case "1": text += "/"
            default: throw Fault(text: "\"~\" must be written \"~0\", and \"/\" inside a name \"~1\"")
            }
        }
        return text
    }
}
