/// What one input partition brings.
public enum InputRole: Int, Sendable, CaseIterable {
    case predictions, actuals, load, trainingStatus, commands

    /// Predictions and actuals move stream time; the others wait for it.
    public var advancesStreamTime: Bool { self == .predictions || self == .actuals }
}

/// A row of a lane: one prediction, actual or load record between two evaluations. Names are numbers by now.
struct IntakeRow {
    /// Merge time of the record.
    var mergeTime: Milliseconds
    var at: Milliseconds
    var issuedAt: Milliseconds
    /// -1 where the record names none.
    var model: Int32
    var entity: Int32
    /// Version, -1 where the record names none; the pool of a load row.
    var version: Int32
    var isShadow: Bool
    var firstValue: Int32
    var valueCount: Int32
}

struct IntakeValue {
    var metric: Int32
    /// The metric's slot in the row's model; -1 where the row names no model.
    var slot: Int32 = -1
    var value: Double
}

/// What an owned, rare record asks.
enum ControlRecord {
    case status(TrainingStatusRecord)
    case command(CommandRecord)
}

/// One input partition as the engine sees it: its position, its merge time, and the rows since the last evaluation.
final class Lane {
    let topic: String
    let partition: Int32
    let role: InputRole
    var nextOffset: Int64 = 0
    /// Where the last evaluation cut the partition; nil before the first one that knew it.
    var cut: (nextOffset: Int64, mergeTime: Milliseconds)?
    /// Highest record timestamp so far: a record never counts as older than one before it.
    var mergeTime: Milliseconds = .min
    var rows: [IntakeRow] = []
    var values: [IntakeValue] = []
    var controls: [(mergeTime: Milliseconds, record: ControlRecord)] = []
    var offsets = OffsetIndex()

    init(topic: String, partition: Int32, role: InputRole) {
        self.topic = topic
        self.partition = partition
        self.role = role
    }

    /// A control record counts as much as it may hold in texts.
    var collectedBytes: Int {
        rows.count * MemoryLayout<IntakeRow>.stride + values.count * MemoryLayout<IntakeValue>.stride
            + controls.count * 512
    }

    /// Ends an interval: what was collected has been taken.
    func close(keeping span: Milliseconds) {
        cut = (nextOffset, mergeTime)
        offsets.trim(keeping: span)
        rows.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        controls.removeAll(keepingCapacity: true)
    }
}

/// The first offset of every hour of merge time in one partition, so that a stretch of time can be named in offsets.
struct OffsetIndex: Sendable, Equatable {
    var hours: [(hour: Int64, offset: Int64)] = []

    mutating func note(offset: Int64, mergeTime: Milliseconds) {
        let hour = mergeTime.flooredDivision(by: .hour)
        guard hours.last.map({ $0.hour < hour }) ?? true else { return }
        hours.append((hour, offset))
    }

    /// Lets go of what lies longer before the last hour than `span`; an entry at or before it stays, to bound it.
    mutating func trim(keeping span: Milliseconds) {
        guard let last = hours.last else { return }
        let oldest = last.hour - span / .hour - 1
        var drop = 0
        while drop + 1 < hours.count, hours[drop + 1].hour <= oldest { drop += 1 }
        if drop > 0 { hours.removeFirst(drop) }
    }

    /// The first offset at or after the hour of `time`, where `end` is the next offset of the partition; and whether
    /// the log still holds all of it: the index reaches back that far, or to the very first record of the partition.
    /// Nil while the partition is empty.
    func offset(from time: Milliseconds, end: Int64) -> (offset: Int64, isComplete: Bool)? {
        guard let first = hours.first else { return nil }
        let hour = time.flooredDivision(by: .hour)
        // Retention ends in the middle of an hour: of the first hour that was read, a part may be gone.
        if first.hour >= hour { return (first.offset, first.offset == 0) }
        var low = 0
        var high = hours.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if hours[middle].hour <= hour { low = middle } else { high = middle }
        }
        if hours[low].hour == hour { return (hours[low].offset, true) }
        return (low + 1 < hours.count ? hours[low + 1].offset : end, true)
    }

    static func == (left: OffsetIndex, right: OffsetIndex) -> Bool {
        left.hours.elementsEqual(right.hours) { $0 == $1 }
    }
}

extension Int64 {
    /// Division that rounds towards minus infinity.
    @inlinable
    func flooredDivision(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }

    /// The largest multiple of `step` at or before this.
    @inlinable
    public func floored(to step: Int64) -> Int64 { flooredDivision(by: step) * step }
}
