package import Retraining

/// Where a task stands after a checkpoint: one record, written in every transaction.
///
/// A restore believes nothing in the state topic but what this record names, and refuses to run where its offsets are
/// not those that the group committed.
package struct PositionRecord: Equatable {
    package struct Input: Equatable {
        package var topic: String
        package var partition: Int32
        /// `InputRole`.
        package var role: Int
        /// The next record to be read: everything before it has been collected, or refused and its refusal published.
        package var next: Int64
        /// The first record to be read again after a restore: the snapshot's cut, or where the first start began.
        package var replayFrom: Int64

        package init(topic: String, partition: Int32, role: Int, next: Int64, replayFrom: Int64) {
            self.topic = topic
            self.partition = partition
            self.role = role
            self.next = next
            self.replayFrom = replayFrom
        }
    }

    /// Of the snapshot that a restore begins with.
    package struct Snapshot: Equatable {
        /// Which of the two sets of keys holds it.
        package var slot: SnapshotSlot
        package var boundary: Milliseconds
        package var chunks: Int
        /// Sum of the chunks' checksums, modulo 2³².
        package var sum: UInt32

        package init(slot: SnapshotSlot, boundary: Milliseconds, chunks: Int, sum: UInt32) {
            self.slot = slot
            self.boundary = boundary
            self.chunks = chunks
            self.sum = sum
        }
    }

    /// Numbered from 1; only grows.
    package var checkpoint: UInt64
    /// Transactional id of the worker that wrote it.
    package var owner: String
    /// Whose state this is: another installation may have been pointed at the same topic.
    package var group: String
    package var applicationID: String
    package var lastBoundary: Milliseconds?
    /// Evaluations since the snapshot, each with a cut record.
    package var cuts: Int
    package var inputs: [Input]
    package var snapshot: Snapshot?
    /// Since the last evaluation.
    package var skipped: [CutRecord.Skipped]
    /// When the alert that nothing comes in was last raised; wall clock.
    package var stallAlert: Milliseconds?

    package init(
        checkpoint: UInt64, owner: String, group: String, applicationID: String, lastBoundary: Milliseconds?, cuts: Int,
        inputs: [Input], snapshot: Snapshot?, skipped: [CutRecord.Skipped], stallAlert: Milliseconds?,
        keyPartitions: Int? = nil
    ) {
        self.checkpoint = checkpoint
        self.owner = owner
        self.group = group
        self.applicationID = applicationID
        self.lastBoundary = lastBoundary
        self.cuts = cuts
        self.inputs = inputs
        self.snapshot = snapshot
        self.skipped = skipped
        self.stallAlert = stallAlert
        self.keyPartitions = keyPartitions
    }

    /// With `scale: partitioned`: how many partitions predictions had, which decides where a model belongs.
    package var keyPartitions: Int?

    /// What is stored beside every committed offset.
    package var token: CheckpointToken {
        CheckpointToken(checkpoint: checkpoint, owner: owner, keyPartitions: keyPartitions)
    }

    package func sealed() -> [UInt8] {
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
    package init(_ payload: ArraySlice<UInt8>) throws(StateFault) {
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
package enum SnapshotSlot: UInt8 {
    case a = 0
    case b = 1

    package var other: SnapshotSlot { self == .a ? .b : .a }
}
