/// Writes values of a state unit, one behind the other: integers as LEB128, doubles as 8 bytes, little end first.
struct StateWriter {
    private(set) var bytes: [UInt8] = []

    init(format: UInt8) { bytes.append(format) }

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func bool(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// A number of things, never negative.
    mutating func count(_ value: Int) { varint(UInt64(value)) }

    /// Small numbers of either sign are short (zigzag).
    mutating func signed(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    mutating func time(_ value: Milliseconds) { signed(value) }

    mutating func double(_ value: Double) {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func word(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { text($0) }
    }

    mutating func text(_ value: UnsafeBufferPointer<UInt8>) {
        count(value.count)
        bytes.append(contentsOf: value)
    }

    /// A case of an enumeration, by its name.
    mutating func name(_ value: some RawRepresentable<String>) { text(value.rawValue) }

    mutating func optional<Value>(_ value: Value?, _ write: (inout StateWriter, Value) -> Void) {
        bool(value != nil)
        if let value { write(&self, value) }
    }

    mutating func optionalTime(_ value: Milliseconds?) { optional(value) { $0.time($1) } }
    mutating func optionalDouble(_ value: Double?) { optional(value) { $0.double($1) } }
    mutating func optionalText(_ value: String?) { optional(value) { $0.text($1) } }

    /// Flags, eight a byte, the first lowest.
    mutating func bits(count: Int, _ flag: (Int) -> Bool) {
        var index = 0
        while index < count {
            var byte: UInt8 = 0
            for bit in 0..<min(8, count - index) where flag(index + bit) { byte |= 1 << UInt8(bit) }
            bytes.append(byte)
            index += 8
        }
    }
}
