/// Reads what `StateWriter` wrote. Whatever the bytes are, it never reads beyond them, and no count that it hands out
/// exceeds what the bytes that are left could hold: hostile bytes end in an error, not in a trap or in memory.
struct StateReader {
    let unit: String
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position = 0
    /// The version of the format that the unit is written in.
    private(set) var format: UInt8 = 0

    /// Times and counts beyond this are no times and no counts; sums and differences of a few never overflow.
    private static let largest: Int64 = 1 << 53

    init(unit: String, _ bytes: UnsafeBufferPointer<UInt8>) {
        self.unit = unit
        self.bytes = bytes
    }

    var remaining: Int { bytes.count - position }

    func failure(_ problem: String) -> StateError { StateError(unit: unit, position: position, problem: problem) }

    func finish() throws(StateError) {
        guard remaining == 0 else { throw failure("\(remaining) bytes are left over") }
    }

    /// The first byte of every unit.
    mutating func readFormat() throws(StateError) -> UInt8 {
        format = try byte()
        return format
    }

    mutating func byte() throws(StateError) -> UInt8 {
        guard position < bytes.count else { throw failure("it ends too early") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func bool() throws(StateError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw failure("neither true nor false")
        }
    }

    mutating func varint() throws(StateError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            guard shift < 63 || next <= 1 else { throw failure("a number has more than 64 bits") }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 {
                guard next != 0 || shift == 0 else { throw failure("a number is longer than it need be") }
                return value
            }
            shift += 7
        }
    }

    /// A count of things of which each takes some bytes of what follows.
    mutating func count(ofAtLeast bytesEach: Int = 1) throws(StateError) -> Int {
        let value = try varint()
        guard value <= UInt64(remaining / max(1, bytesEach)) else { throw failure("more is announced than follows") }
        return Int(value)
    }

    /// A number that is no size of what follows.
    mutating func integer() throws(StateError) -> Int {
        let value = try varint()
        guard value <= UInt64(Self.largest) else { throw failure("\(value) is too large") }
        return Int(value)
    }

    mutating func index(below limit: Int) throws(StateError) -> Int {
        let value = try varint()
        guard value < UInt64(max(0, limit)) else { throw failure("index \(value) of \(limit)") }
        return Int(value)
    }

    mutating func signed() throws(StateError) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func time() throws(StateError) -> Milliseconds { try checked(try signed()) }

    /// A time, or an hour, or an offset, that is one; `.min` stands for none.
    func checked(_ time: Milliseconds) throws(StateError) -> Milliseconds {
        guard time == .min || (-Self.largest...Self.largest).contains(time) else {
            throw failure("\(time) is no time")
        }
        return time
    }

    mutating func word() throws(StateError) -> UInt64 {
        guard remaining >= 8 else { throw failure("it ends too early") }
        defer { position += 8 }
        return UInt64(
            littleEndian: UnsafeRawPointer(bytes.baseAddress! + position).loadUnaligned(as: UInt64.self))
    }

    mutating func double() throws(StateError) -> Double { Double(bitPattern: try word()) }

    mutating func text(_ count: Int) throws(StateError) -> UnsafeBufferPointer<UInt8> {
        guard count >= 0, count <= remaining else { throw failure("it ends too early") }
        defer { position += count }
        return UnsafeBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// Bytes of a name, valid as long as those of the unit.
    mutating func borrowedText() throws(StateError) -> UnsafeBufferPointer<UInt8> { try text(try count()) }

    mutating func text() throws(StateError) -> String {
        guard let text = String(validating: try borrowedText(), as: UTF8.self) else {
            throw failure("a text is not UTF-8")
        }
        return text
    }

    mutating func name<Value: RawRepresentable<String>>(_ type: Value.Type) throws(StateError) -> Value {
        let text = try text()
        guard let value = Value(rawValue: text) else { throw failure("'\(text)' is no \(type)") }
        return value
    }

    mutating func optional<Value>(
        _ read: (inout StateReader) throws(StateError) -> Value
    ) throws(StateError) -> Value? {
        try bool() ? try read(&self) : nil
    }

    mutating func optionalTime() throws(StateError) -> Milliseconds? { try bool() ? try time() : nil }
    mutating func optionalDouble() throws(StateError) -> Double? { try bool() ? try double() : nil }
    mutating func optionalText() throws(StateError) -> String? { try bool() ? try text() : nil }

    /// Takes `count` flags; `flag` is called with the positions of those that are set.
    mutating func bits(count: Int, _ flag: (Int) -> Void) throws(StateError) {
        let taken = try text((count + 7) / 8)
        for (index, byte) in taken.enumerated() where byte != 0 {
            for bit in 0..<8 where byte & (1 << UInt8(bit)) != 0 {
                guard index * 8 + bit < count else { throw failure("a flag is set beyond the last") }
                flag(index * 8 + bit)
            }
        }
    }
}
