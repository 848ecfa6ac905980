/// Appends numbers and texts in a compact binary form: LEB128 for counts, zigzag for signed numbers.
package struct BinaryWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func byte(_ value: UInt8) { bytes.append(value) }

    package mutating func count(_ value: Int) { unsigned(UInt64(value)) }

    package mutating func unsigned(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func signed(_ value: Int64) { unsigned(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    package mutating func optional(_ value: Int64?) {
        byte(value == nil ? 0 : 1)
        if let value { signed(value) }
    }

    package mutating func text(_ value: String) {
        count(value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }

    package mutating func list<Element>(_ elements: [Element], _ body: (inout BinaryWriter, Element) -> Void) {
        count(elements.count)
        for element in elements { body(&self, element) }
    }
}

/// Reads what a ``BinaryWriter`` wrote. Never reads beyond the end, and never believes a count that cannot be.
package struct BinaryReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    package var remaining: Int { bytes.endIndex - position }

    package mutating func byte() throws(StateFault) -> UInt8 {
        guard position < bytes.endIndex else { throw .damaged("ends early") }
        defer { position += 1 }
        return bytes[position]
    }

    package mutating func unsigned() throws(StateFault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            guard shift < 63 || byte <= 1 else { throw .damaged("a number is too long") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    package mutating func signed() throws(StateFault) -> Int64 {
        let value = try unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// A count of things that take a byte each at least.
    package mutating func count() throws(StateFault) -> Int {
        let value = try unsigned()
        guard value <= UInt64(remaining) else { throw .damaged("a count is larger than what follows") }
        return Int(value)
    }

    package mutating func optional() throws(StateFault) -> Int64? { try byte() == 0 ? nil : try signed() }

    package mutating func text() throws(StateFault) -> String {
        let count = try count()
        defer { position += count }
        return String(decoding: bytes[position..<position + count], as: UTF8.self)
    }

    package mutating func partition() throws(StateFault) -> Int32 {
        guard let value = Int32(exactly: try signed()) else { throw .damaged("a partition number is out of range") }
        return value
    }

    package mutating func list<Element>(
        _ body: (inout BinaryReader) throws(StateFault) -> Element
    ) throws(StateFault) -> [Element] {
        let count = try count()
        var elements: [Element] = []
        elements.reserveCapacity(min(count, 4096))
        for _ in 0..<count { elements.append(try body(&self)) }
        return elements
    }
}

/// Why a record of the state topic cannot be used.
package enum StateFault: Error, Equatable, CustomStringConvertible {
    case damaged(String)
    case laterVersion(UInt8)
    case foreign(String)

    package var description: String {
        switch self {
        case .damaged(let what): "the record is damaged: it \(what)"
        case .laterVersion(let version):
            "the record was written in format \(version), by a later version of driftgate: run that version or a later one"
        case .foreign(let who): "the record belongs to \(who)"
        }
    }
}
