package import Retraining

/// A piece of one unit of a snapshot, small enough for one record.
package struct SnapshotChunk: Equatable {
    /// Bytes of a unit in one record; with the frame around it a record stays below 512 KiB.
    package static let bytesMax = 500_000

    /// The snapshot that it belongs to.
    package var boundary: Milliseconds
    package var unit: String
    package var index: Int
    package var count: Int
    package var bytes: ArraySlice<UInt8>

    package init(boundary: Milliseconds, unit: String, index: Int, count: Int, bytes: ArraySlice<UInt8>) {
        self.boundary = boundary
        self.unit = unit
        self.index = index
        self.count = count
        self.bytes = bytes
    }

    /// Splits a unit; at least one chunk.
    package static func split(_ bytes: [UInt8], unit: String, boundary: Milliseconds) -> [SnapshotChunk] {
        let count = max(1, (bytes.count + bytesMax - 1) / bytesMax)
        return (0..<count).map { index in
            SnapshotChunk(
                boundary: boundary, unit: unit, index: index, count: count,
                bytes: bytes[index * bytesMax..<min(bytes.count, (index + 1) * bytesMax)])
        }
    }

    package func sealed() -> [UInt8] {
        var writer = BinaryWriter()
        writer.signed(boundary)
        writer.text(unit)
        writer.count(index)
        writer.count(count)
        return StateFrame.seal(.chunk, writer.bytes + bytes)
    }

    package func key(_ slot: SnapshotSlot) -> StateKey { .chunk(slot, unit: unit, index: index) }
}

extension SnapshotChunk {
    package init(_ payload: ArraySlice<UInt8>) throws(StateFault) {
        var reader = BinaryReader(payload)
        boundary = try reader.signed()
        unit = try reader.text()
        index = Int(truncatingIfNeeded: try reader.unsigned())
        count = Int(truncatingIfNeeded: try reader.unsigned())
        guard index >= 0, count > index else { throw .damaged("is a chunk beyond its unit") }
        bytes = payload.suffix(reader.remaining)
    }
}

/// Keys of the state topic.
package enum StateKey: Hashable {
    case position
    /// What the evaluations since the snapshot were made by.
    case configuration
    case cut(Milliseconds)
    case chunk(SnapshotSlot, unit: String, index: Int)

    package var bytes: [UInt8] {
        switch self {
        case .position: Array("position".utf8)
        case .configuration: Array("configuration".utf8)
        case .cut(let boundary): Array("cut|\(boundary)".utf8)
        case .chunk(let slot, let unit, let index): Array("snapshot|\(slot == .a ? "a" : "b")|\(index)|\(unit)".utf8)
        }
    }

    package init?(_ bytes: some Collection<UInt8>) {
        let parts = bytes.split(separator: UInt8(ascii: "|"), maxSplits: 3, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        switch (parts.first, parts.count) {
        case ("position", 1): self = .position
        case ("configuration", 1): self = .configuration
        case ("cut", 2):
            guard let boundary = Milliseconds(parts[1]) else { return nil }
            self = .cut(boundary)
        case ("snapshot", 4):
            guard let index = Int(parts[2]), ["a", "b"].contains(parts[1]) else { return nil }
            self = .chunk(parts[1] == "a" ? .a : .b, unit: parts[3], index: index)
        default: return nil
        }
    }
}
