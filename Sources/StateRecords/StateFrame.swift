import CZlib

/// What stands around every record of the state topic: magic, format version, kind and a checksum.
///
/// Layout: `DGST`, version (1 byte), kind (1 byte), CRC-32 of version, kind and payload (4 bytes, little endian),
/// payload. Every later version of driftgate reads every earlier format.
package enum StateFrame {
    package enum Kind: UInt8 { case position = 1, cut = 2, chunk = 3, configuration = 4 }

    package static let version: UInt8 = 1
    package static let headerBytes = 10
    private static let magic: [UInt8] = [0x44, 0x47, 0x53, 0x54]

    package static func seal(_ kind: Kind, _ payload: some Collection<UInt8>) -> [UInt8] {
        var record = magic
        record.reserveCapacity(headerBytes + payload.count)
        record += [version, kind.rawValue, 0, 0, 0, 0]
        record += payload
        let sum = checksum(record)
        for index in 0..<4 { record[6 + index] = UInt8(truncatingIfNeeded: sum >> (8 * UInt32(index))) }
        return record
    }

    package static func open(_ record: ArraySlice<UInt8>) throws(StateFault) -> (kind: Kind, payload: ArraySlice<UInt8>)
    {
        guard record.count >= headerBytes, record.prefix(4).elementsEqual(magic) else {
            throw .foreign("something else than driftgate: it does not begin with DGST")
        }
        let start = record.startIndex
        guard record[start + 4] <= version else { throw .laterVersion(record[start + 4]) }
        guard checksum(of: record) == checksum(record) else { throw .damaged("does not match its checksum") }
        guard let kind = Kind(rawValue: record[start + 5]) else { throw .damaged("is of no known kind") }
        return (kind, record[(start + headerBytes)...])
    }

    /// The checksum that stands in a sealed record.
    package static func checksum(of record: ArraySlice<UInt8>) -> UInt32 {
        var sum: UInt32 = 0
        for index in 0..<4 { sum |= UInt32(record[record.startIndex + 6 + index]) << (8 * UInt32(index)) }
        return sum
    }

    private static func checksum(_ record: some Collection<UInt8>) -> UInt32 {
        func sum(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
            let head = crc32(0, bytes.baseAddress! + 4, 2)
            return UInt32(
                truncatingIfNeeded: crc32(head, bytes.baseAddress! + headerBytes, uInt(bytes.count - headerBytes)))
        }
        return record.withContiguousStorageIfAvailable(sum) ?? Array(record).withUnsafeBufferPointer(sum)
    }
}
