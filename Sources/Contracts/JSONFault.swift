/// Finds out what is wrong with a payload that simdjson refused, in words that help its sender.
///
/// simdjson says little about what it refuses. This scanner runs over refused payloads only, and takes its time.
struct JSONFault {
    private let bytes: UnsafeRawBufferPointer
    private let depthLimit: Int
    private var position = 0
    private var path: [String] = []
    private var depth = 0

    private init(_ bytes: UnsafeRawBufferPointer, depthLimit: Int) {
        self.bytes = bytes
        self.depthLimit = depthLimit
    }

    /// - Parameter fallback: simdjson's own words, for what this scanner does not see.
    static func find(in bytes: UnsafeRawBufferPointer, depthLimit: Int, fallback: String) -> Rejection {
        if let rejection = notJSON(bytes) { return rejection }
        if let offset = firstInvalidUTF8(bytes) {
            return Rejection(
                .invalidUTF8,
                detail: "Byte \(offset) is no UTF-8. Encode the record as UTF-8, the only encoding that JSON allows.")
        }
        var scanner = JSONFault(bytes, depthLimit: depthLimit)
        do throws(Rejection) {
            try scanner.value()
            scanner.skipSpace()
            if let next = scanner.peek {
                throw Rejection(
                    .trailingBytes,
                    detail: "After the record, at byte \(scanner.position), there is more: \(describe(next)). "
                        + "Send one JSON object a message.")
            }
        } catch { return error }
        return Rejection(.malformedJSON, detail: "The record is no valid JSON: \(fallback)")
    }

    /// What begins as no JSON value can.
    private static func notJSON(_ bytes: UnsafeRawBufferPointer) -> Rejection? {
        guard let first = bytes.first(where: { !isSpace($0) }) else {
            return Rejection(.emptyPayload, detail: "The record is blank. Send a JSON object.")
        }
        if "{[\"-0123456789tfnNI'".utf8.contains(first) { return nil }
        let guess =
            if bytes.starts(with: [0x1F, 0x8B]) {
                "it looks gzip-compressed; leave compression to the producer's compression.type"
            } else if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
                "it looks like UTF-16; encode it as UTF-8"
            } else if bytes.starts(with: [0x4F, 0x62, 0x6A, 0x01]) {
                "it is an Avro container file; send JSON"
            } else {
                "send JSON; Avro, Protobuf and plain text are not read"
            }
        return Rejection(.notJSON, detail: "The record begins with \(describe(first)), which is no JSON: \(guess).")
    }

    /// Offset of the first byte that does not belong to well-formed UTF-8 (Unicode 15, table 3-7).
    private static func firstInvalidUTF8(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var index = 0
        while index < bytes.count {
            let lead = bytes[index]
            if lead < 0x80 {
                index += 1
                continue
            }
            let (length, second): (Int, ClosedRange<UInt8>) =
                switch lead {
                case 0xC2...0xDF: (2, 0x80...0xBF)
                case 0xE0: (3, 0xA0...0xBF)
                case 0xE1...0xEC, 0xEE...0xEF: (3, 0x80...0xBF)
                case 0xED: (3, 0x80...0x9F)
                case 0xF0: (4, 0x90...0xBF)
                case 0xF1...0xF3: (4, 0x80...0xBF)
                case 0xF4: (4, 0x80...0x8F)
                default: (0, 0...0)
                }
            guard length > 0, index + length <= bytes.count, second.contains(bytes[index + 1]),
                bytes[(index + 2)..<(index + length)].allSatisfy({ 0x80...0xBF ~= $0 })
            else { return index }
            index += length
        }
        return nil
    }

    // MARK: - Scanning, RFC 8259

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private mutating func skipSpace() {
        while let next = peek, Self.isSpace(next) { position += 1 }
    }

    private mutating func value() throws(Rejection) {
        skipSpace()
        guard let first = peek else { throw truncated() }
        switch first {
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try array()
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        default: try literal()
        }
    }

    private mutating func enter() throws(Rejection) {
        position += 1
        depth += 1
        guard depth <= depthLimit else {
            throw Rejection(
                .nestedTooDeep,
                detail: "Objects and arrays stand more than \(depthLimit) deep inside each other. Flatten the record.")
        }
        skipSpace()
    }

    private mutating func object() throws(Rejection) {
        try enter()
        if peek == UInt8(ascii: "}") { return leave() }
        while true {
            skipSpace()
            guard let quote = peek else { throw truncated() }
            guard quote == UInt8(ascii: "\"") else { throw malformed("a name in double quotes is expected here") }
            path.append(try string())
            skipSpace()
            try expect(UInt8(ascii: ":"), "a colon is expected after a name")
            try value()
            path.removeLast()
            if try separator(UInt8(ascii: "}")) { return leave() }
        }
    }

    private mutating func array() throws(Rejection) {
        try enter()
        if peek == UInt8(ascii: "]") { return leave() }
        while true {
            try value()
            if try separator(UInt8(ascii: "]")) { return leave() }
        }
    }

    private mutating func leave() {
        position += 1
        depth -= 1
    }

    /// True at the end of the object or array, false after a comma.
    private mutating func separator(_ end: UInt8) throws(Rejection) -> Bool {
        skipSpace()
        guard let next = peek else { throw truncated() }
        if next == end { return true }
        guard next == UInt8(ascii: ",") else { throw malformed("a comma or the end is expected here") }
        position += 1
        return false
    }

    private mutating func expect(_ byte: UInt8, _ text: String) throws(Rejection) {
        guard let next = peek else { throw truncated() }
        guard next == byte else { throw malformed(text) }
        position += 1
    }

    private mutating func string() throws(Rejection) -> String {
        let start = position + 1
        position += 1
        while let next = peek {
            switch next {
            case UInt8(ascii: "\""):
                defer { position += 1 }
                return String(decoding: bytes[start..<position], as: UTF8.self)
            case UInt8(ascii: "\\"): try escape()
            case 0..<0x20: throw malformed("a control character in a text must be escaped")
            default: position += 1
            }
        }
        throw truncated()
    }

    private mutating func escape() throws(Rejection) {
        position += 1
        guard let kind = peek else { throw truncated() }
        guard kind == UInt8(ascii: "u") else {
            guard "\"\\/bfnrt".utf8.contains(kind) else { throw malformed("this escape does not exist in JSON") }
            position += 1
            return
        }
        let first = try unit()
        guard first & 0xF800 == 0xD800 else { return }
        guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw malformed("half of a surrogate pair stands alone") }
        position += 1
        guard try unit() & 0xFC00 == 0xDC00 else { throw malformed("half of a surrogate pair stands alone") }
    }

    private mutating func unit() throws(Rejection) -> UInt16 {
        position += 1
        guard position + 4 <= bytes.count else { throw truncated() }
        guard let unit = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
            bytes[position] != UInt8(ascii: "+")
        else { throw malformed("\\u needs four hexadecimal digits") }
        position += 4
        return unit
    }

    private mutating func digits() -> Int {
        let start = position
        while let next = peek, next >= UInt8(ascii: "0"), next <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    private mutating func number() throws(Rejection) {
        let start = position
        var isInteger = true
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "I") || peek == UInt8(ascii: "N") { throw notANumber(from: start) }
        let integerStart = position
        guard digits() > 0 else { throw peek == nil ? truncated() : malformed("a digit is expected here") }
        if bytes[integerStart] == UInt8(ascii: "0"), position - integerStart > 1 {
            throw malformed("a number must not begin with 0")
        }
        if peek == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard digits() > 0 else { throw peek == nil ? truncated() : malformed("a digit is expected here") }
        }
        if let exponent = peek, exponent | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if let sign = peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw peek == nil ? truncated() : malformed("a digit is expected here") }
        }
        let token = String(decoding: bytes[start..<position], as: UTF8.self)
        let fits = isInteger ? UInt64(token) != nil || Int64(token) != nil : Double(token)?.isFinite ?? false
        guard fits else {
            throw Rejection(
                .numberOutOfRange, field: field,
                detail: "\(Self.quoted(token))\(place) is a number beyond what 64 bits hold. "
                    + "Send a smaller one, or put it in quotes where it is an identifier.")
        }
    }

    private mutating func literal() throws(Rejection) {
        for word in ["true", "false", "null"] where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return
        }
        for word in ["NaN", "nan", "Infinity", "Inf", "inf"] where bytes[position...].starts(with: word.utf8) {
            throw notANumber(from: position)
        }
        let rest = bytes[position...]
        for word in ["true", "false", "null"] where rest.count < word.utf8.count && word.utf8.starts(with: rest) {
            throw truncated()
        }
        throw malformed("a value is expected here")
    }

    // MARK: - Words

    private var field: String? { path.isEmpty ? nil : Self.shorten(path.joined(separator: ".")) }

    private var place: String { field.map { " in \"\($0)\"" } ?? "" }

    private func truncated() -> Rejection {
        Rejection(
            .truncatedJSON, field: field,
            detail: "The record ends\(place) after \(bytes.count) bytes, before its JSON does. "
                + "Look for a producer that cuts messages, or for a size limit on the way.")
    }

    private func malformed(_ text: String) -> Rejection {
        let found = peek.map { ", but here is \(Self.describe($0))" } ?? ""
        return Rejection(.malformedJSON, field: field, detail: "At byte \(position)\(place) \(text)\(found).")
    }

    private func notANumber(from start: Int) -> Rejection {
        let end = bytes[start...].firstIndex { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "}") } ?? bytes.count
        let token = String(decoding: bytes[start..<min(end, start + 16)], as: UTF8.self)
        return Rejection(
            .notANumber, field: field,
            detail: "\(Self.quoted(token))\(place) is no JSON. Leave the value out or send null "
                + "(in Python: json.dumps(..., allow_nan=False) shows where it comes from).")
    }

    private static func describe(_ byte: UInt8) -> String {
        let hexadecimal = String(byte, radix: 16, uppercase: true)
        let code = "byte 0x" + (hexadecimal.count == 1 ? "0" : "") + hexadecimal
        return byte > 0x20 && byte < 0x7F ? "\"\(Character(Unicode.Scalar(byte)))\" (\(code))" : code
    }

    static func quoted(_ text: String) -> String { "\"\(shorten(text))\"" }

    /// At most about 64 bytes, with what could disturb a terminal or a header replaced.
    static func shorten(_ text: String) -> String {
        var short = ""
        for scalar in text.unicodeScalars {
            guard short.utf8.count < 64 else { return short + "…" }
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            short.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
        }
        return short
    }
}
