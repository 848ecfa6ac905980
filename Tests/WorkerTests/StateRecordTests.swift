import Retraining
import StateRecords
import Testing

@testable import Worker

/// The records of the state topic: read back as written, and refused in words where they are anything else.
struct StateRecordTests {
    private let cut = CutRecord(
        boundary: 1_729_180_800_000, wallClock: 1_729_180_801_234, streamTime: nil,
        lanes: [
            .init(topic: "predictions", partition: 3, nextOffset: 4711),
            .init(topic: "actuals", partition: 0, nextOffset: 0),
        ],
        skipped: [.init(topic: "actuals", partition: 0, ranges: [2..<3, 10..<4000])],
        requests: [.init(model: "möd|el", reason: "drift_quiet", requestID: "rt-abc")])

    private let position = PositionRecord(
        checkpoint: 9, owner: "driftgate-a", group: "driftgate", applicationID: "app", lastBoundary: 1_729_180_800_000,
        cuts: 3,
        inputs: [.init(topic: "actuals", partition: 1, role: 1, next: 12, replayFrom: 7)],
        snapshot: .init(slot: .b, boundary: 1_729_179_000_000, chunks: 5, sum: 0xDEAD_BEEF), skipped: [],
        stallAlert: 5)

    private func payload(_ record: [UInt8], _ kind: StateFrame.Kind) throws -> ArraySlice<UInt8> {
        let frame = try StateFrame.open(record[...])
        #expect(frame.kind == kind)
        return frame.payload
    }

    @Test("a cut, a position and a chunk read back as they were written")
    func roundTrips() throws {
        #expect(try CutRecord(try payload(cut.sealed(), .cut)) == cut)
        #expect(try PositionRecord(try payload(position.sealed(), .position)) == position)
        var bare = position
        bare.snapshot = nil
        bare.lastBoundary = nil
        bare.stallAlert = nil
        #expect(try PositionRecord(try payload(bare.sealed(), .position)) == bare)
        let unit = (0..<1_200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let chunks = SnapshotChunk.split(unit, unit: "model/a", boundary: 77)
        #expect(chunks.count == 3)
        let back = try chunks.map { try SnapshotChunk(try payload($0.sealed(), .chunk)) }
        #expect(back.flatMap(\.bytes) == unit)
        #expect(back.map(\.index) == [0, 1, 2])
        #expect(back.allSatisfy { $0.count == 3 && $0.unit == "model/a" && $0.boundary == 77 })
        #expect(chunks.allSatisfy { $0.sealed().count <= 512 * 1024 })
        #expect(SnapshotChunk.split([], unit: "empty", boundary: 1).count == 1)
    }

    @Test("keys name what they are of, whatever a unit is called")
    func keys() {
        for key: StateKey in [
            .position, .cut(-5), .cut(1_729_180_800_000), .chunk(.a, unit: "model/a|b|c", index: 12),
            .chunk(.b, unit: "", index: 0),
        ] {
            #expect(StateKey(key.bytes) == key)
        }
        for foreign in ["", "cut", "cut|x", "snapshot|c|0|u", "snapshot|a|x|u", "position|", "other"] {
            #expect(StateKey(Array(foreign.utf8)) == nil)
        }
    }

    @Test("every flipped bit and every shortened record is noticed")
    func damage() {
        for record in [cut.sealed(), position.sealed()] {
            for index in record.indices {
                for bit in 0..<8 {
                    var broken = record
                    broken[index] ^= 1 << UInt8(bit)
                    #expect(throws: StateFault.self) { _ = try StateFrame.open(broken[...]) }
                }
                #expect(throws: StateFault.self) { _ = try StateFrame.open(record[..<index]) }
            }
        }
    }

    @Test("payloads that pass the checksum and are nonsense all the same throw, and never trap")
    func nonsense() {
        var random = SystemRandomNumberGenerator()
        for round in 0..<4000 {
            var bytes = round % 2 == 0 ? Array(cut.sealed().dropFirst(10)) : Array(position.sealed().dropFirst(10))
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if round % 5 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            _ = try? CutRecord(bytes[...])
            _ = try? PositionRecord(bytes[...])
            _ = try? SnapshotChunk(bytes[...])
        }
    }

    @Test("a record of a later format says so")
    func laterFormat() {
        var record = cut.sealed()
        record[4] = StateFrame.version + 1
        #expect(throws: StateFault.laterVersion(StateFrame.version + 1)) { _ = try StateFrame.open(record[...]) }
    }

    /// The first format, byte for byte: every later version must go on reading it.
    @Test("the first format reads as ever")
    func golden() throws {
        let written = cut.sealed().map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        #expect(written == Self.cutOfFormat1)
    }

    private static let cutOfFormat1 = """
        444753540102fe5d45c480d0a8b3d364a4e3a8b3d36400020b70726564696374696f6e7306ce490761637475616c7300000107616374\
        75616c73000204020eac3e01076dc3b6647c656c0b64726966745f71756965740672742d616263
        """
}

/// What was refused is remembered as ranges.
struct OffsetRangesTests {
    @Test("single offsets grow together, and are found again")
    func grow() {
        var ranges = OffsetRanges()
        for offset in [3, 4, 5, 9, 9, 10, 20] as [Int64] { ranges.add(offset) }
        #expect(ranges.ranges == [3..<6, 9..<11, 20..<21])
        for offset: Int64 in 0..<30 {
            #expect(ranges.contains(offset) == [3, 4, 5, 9, 10, 20].contains(offset))
        }
    }

    @Test("a producer that is wrong in every other record does not grow it without bound")
    func bounded() {
        var ranges = OffsetRanges()
        for offset: Int64 in 0..<50_000 where offset % 2 == 0 { ranges.add(offset) }
        #expect(ranges.ranges.count == OffsetRanges.countMax)
    }
}

/// Rejects are judged by the recent past, not by all time.
struct RejectShareTests {
    @Test("nothing is said of less than a block, and old records fade")
    func recent() {
        var share = RejectShare()
        for _ in 0..<999 { share.note(isRejected: true) }
        #expect(share.share == nil)
        share.note(isRejected: true)
        #expect(share.share == 1)
        for _ in 0..<2000 { share.note(isRejected: false) }
        #expect(share.share == 0)
    }
}
