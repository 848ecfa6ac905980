import Retraining

/// Where a task stands after a checkpoint: one record, written in every transaction.
///
/// A restore believes nothing in the state topic but what this record names, and refuses to run where its offsets are
/// not those that the group committed.
struct PositionRecord: Equatable {
    struct Input: Equatable {
        var topic: String
        var partition: Int32
        /// `InputRole`.
        var role: Int
        /// The next record to be read: everything before it has been collected, or refused and its refusal published.
        var next: Int64
        /// The first record to be read again after a restore: the snapshot's cut, or where the first start began.
        var replayFrom: Int64
    }

    /// Of the snapshot that a restore begins with.
    struct Snapshot: Equatable {
        /// Which of the two sets of keys holds it.
        var slot: SnapshotSlot
        var boundary: Milliseconds
        var chunks: Int
        /// Sum of the chunks' checksums, modulo 2³².
        var sum: UInt32
    }

    /// Numbered from 1; only grows.
    var checkpoint: UInt64
    /// Transactional id of the worker that wrote it.
    var owner: String
    /// Whose state this is: another installation may have been pointed at the same topic.
    var group: String
    var applicationID: String
    var lastBoundary: Milliseconds?
    /// Evaluations since the snapshot, each with a cut record.
    var cuts: Int
    var inputs: [Input]
    var snapshot: Snapshot?
    /// Since the last evaluation.
    var skipped: [CutRecord.Skipped]
    /// When the alert that nothing comes in was last raised; wall clock.
    var stallAlert: Milliseconds?

    /// With `scale: partitioned`: how many partitions predictions had, which decides where a model belongs.
    var keyPartitions: Int?

    /// What is stored beside every committed offset.
    var token: CheckpointToken {
        CheckpointToken(checkpoint: checkpoint, owner: owner, keyPartitions: keyPartitions)
    }

    func sealed() -> [UInt8] {
        var writer = BinaryWriter()
        writer.unsigned(checkpoint)
        writer.text(owner)
        writer.text(group)
        writer.text(applicationID)
        writer.optional(lastBoundary)
        writer.count(cuts)
        writer.list(inputs) { writer, input in
            writer.text(input.topic)
            writer.signed(Int64(input.partition))
            writer.byte(UInt8(input.role))
            writer.signed(input.next)
            writer.signed(input.replayFrom)
        }
        writer.byte(snapshot == nil ? 0 : 1)
        if let snapshot {
            writer.byte(snapshot.slot.rawValue)
            writer.signed(snapshot.boundary)
            writer.count(snapshot.chunks)
            writer.unsigned(UInt64(snapshot.sum))
        }
        writer.skipped(skipped)
        writer.optional(stallAlert)
        writer.optional(keyPartitions.map(Int64.init))
        return StateFrame.seal(.position, writer.bytes)
    }
}

extension PositionRecord {
    init(_ payload: ArraySlice<UInt8>) throws(StateFault) {
        var reader = BinaryReader(payload)
        checkpoint = try reader.unsigned()
        owner = try reader.text()
        group = try reader.text()
        applicationID = try reader.text()
        lastBoundary = try reader.optional()
        cuts = Int(truncatingIfNeeded: try reader.unsigned())
        inputs = try reader.list { (reader) throws(StateFault) in
            Input(
                topic: try reader.text(), partition: try reader.partition(), role: Int(try reader.byte()),
                next: try reader.signed(), replayFrom: try reader.signed())
        }
        if try reader.byte() == 0 {
            snapshot = nil
        } else {
            guard let slot = SnapshotSlot(rawValue: try reader.byte()) else { throw .damaged("names no snapshot slot") }
            snapshot = Snapshot(
                slot: slot, boundary: try reader.signed(), chunks: Int(truncatingIfNeeded: try reader.unsigned()),
                sum: UInt32(truncatingIfNeeded: try reader.unsigned()))
        }
        skipped = try reader.skipped()
        stallAlert = try reader.optional()
        // Records of before this was written down end here.
        keyPartitions = reader.remaining == 0 ? nil : try reader.optional().map { Int(truncatingIfNeeded: $0) }
    }
}

/// Snapshots alternate between two sets of keys, so that the last complete one is never overwritten.
enum SnapshotSlot: UInt8 {
    case a = 0
    case b = 1

    var other: SnapshotSlot { self == .a ? .b : .a }
}
