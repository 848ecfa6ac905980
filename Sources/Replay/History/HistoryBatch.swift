package import Contracts
package import Retraining

/// Decoded records of one lane on their way from the reading thread to the engines.
///
/// A batch is filled by one thread, then only read, by as many as like. Names and values lie in memory of its own, so
/// that a record costs no allocation; equal names that follow one another are kept once.
package final class HistoryBatch: @unchecked Sendable {
    package enum Kind: UInt8 { case prediction, actual, load, status, command, refused }

    /// One record. Texts and values point into the batch.
    package struct Entry {
        package var kind: Kind
        package var isShadow = false
        /// Of a load record; nil leaves the last word unchanged.
        package var incident: Bool?
        /// In its partition; of a file the number of lines before it.
        package var offset: Int64
        /// The record's own time; `.unknownTime` where there is none.
        package var timestamp: Milliseconds
        package var at: Milliseconds = 0
        package var issuedAt: Milliseconds = .unknownTime
        package var model = BorrowedText.absent
        package var version = BorrowedText.absent
        package var entity = BorrowedText.absent
        package var pool = BorrowedText.absent
        /// Of a load record: CPU and rate, NaN where it is silent. Of a status or a command: its place in the list.
        package var first = 0
        package var count = 0
        package var cpuPercent = Double.nan
        package var predictionsPerSecond = Double.nan

        /// When it was said, else what it is about; `.unknownTime` of what nobody could read.
        package var ownTime: Milliseconds {
            switch kind {
            case .prediction: issuedAt == .unknownTime ? at : issuedAt
            case .actual, .load: at
            case .status, .command, .refused: .unknownTime
            }
        }
    }

    package enum Control: Sendable {
        case status(TrainingStatusRecord)
        case command(CommandRecord)
    }

    package static let capacity = 2048
    private static let textBytes = 256 << 10
    private static let valueCount = 48 << 10

    package let lane: Int
    package private(set) var entries: [Entry] = []
    package private(set) var controls: [Control] = []
    /// Bytes of the source behind this batch, as it lies there: for the progress bar.
    package var sourceBytes: Int64 = 0
    private let text: UnsafeMutablePointer<UInt8>
    private let textCapacity: Int
    private var textUsed = 0
    private let values: UnsafeMutablePointer<MetricValue>
    private let valueCapacity: Int
    private var valuesUsed = 0
    /// The values of the record before: their names are most often the same again.
    private var lastValues: Range<Int> = 0..<0

    /// - Parameters:
    ///   - text: bytes of names in the first record, where it is a large one.
    ///   - values: values in it.
    package init(lane: Int, text: Int = 0, values: Int = 0) {
        self.lane = lane
        textCapacity = max(Self.textBytes, text)
        valueCapacity = max(Self.valueCount, values)
        self.text = .allocate(capacity: textCapacity)
        self.values = .allocate(capacity: valueCapacity)
        entries.reserveCapacity(Self.capacity)
    }

    deinit {
        text.deallocate()
        values.deallocate()
    }

    package var isEmpty: Bool { entries.isEmpty }

    package func values(of entry: Entry) -> UnsafeBufferPointer<MetricValue> {
        UnsafeBufferPointer(start: values + entry.first, count: entry.count)
    }

    // MARK: Filling

    /// Whether a record of this size still fits.
    private func hasRoom(text bytes: Int, values count: Int) -> Bool {
        entries.count < Self.capacity && textUsed + bytes <= textCapacity && valuesUsed + count <= valueCapacity
    }

    /// Takes a decoded record; false where it does not fit any more, and belongs into the next batch.
    package func append(_ record: DecodedRecord, offset: Int64, timestamp: Milliseconds) -> Bool {
        switch record {
        case .prediction(let record):
            guard hasRoom(text: Self.textBytes(record), values: record.values.count) else { return false }
            var entry = Entry(kind: .prediction, offset: offset, timestamp: timestamp)
            entry.isShadow = record.isShadow
            entry.at = record.at
            entry.issuedAt = record.issuedAt
            entry.model = keep(record.model, entries.last?.model)
            entry.version = keep(record.version, entries.last?.version)
            entry.entity = keep(record.entity, entries.last?.entity)
            (entry.first, entry.count) = keep(record.values)
            entries.append(entry)
        case .actual(let record):
            guard hasRoom(text: Self.textBytes(record), values: record.values.count) else { return false }
            var entry = Entry(kind: .actual, offset: offset, timestamp: timestamp)
            entry.at = record.at
            entry.model = keep(record.model, entries.last?.model)
            entry.entity = keep(record.entity, entries.last?.entity)
            (entry.first, entry.count) = keep(record.values)
            entries.append(entry)
        case .load(let record):
            guard hasRoom(text: record.entity.count + record.pool.count, values: 0) else { return false }
            var entry = Entry(kind: .load, offset: offset, timestamp: timestamp)
            entry.incident = record.incident
            entry.at = record.at
            entry.entity = keep(record.entity, entries.last?.entity)
            entry.pool = keep(record.pool, entries.last?.pool)
            entry.cpuPercent = record.cpuPercent ?? .nan
            entry.predictionsPerSecond = record.predictionsPerSecond ?? .nan
            entries.append(entry)
        case .trainingStatus(let record): return append(.status(record), .status, offset, timestamp)
        case .command(let record): return append(.command(record), .command, offset, timestamp)
        case .rejected:
            guard hasRoom(text: 0, values: 0) else { return false }
            entries.append(Entry(kind: .refused, offset: offset, timestamp: timestamp))
        }
        return true
    }

    /// What a batch must at least hold for a record, where it is the first one.
    package static func size(of record: DecodedRecord) -> (text: Int, values: Int) {
        switch record {
        case .prediction(let record): (textBytes(record), record.values.count)
        case .actual(let record): (textBytes(record), record.values.count)
        case .load(let record): (record.entity.count + record.pool.count, 0)
        default: (0, 0)
        }
    }

    private func append(_ control: Control, _ kind: Kind, _ offset: Int64, _ timestamp: Milliseconds) -> Bool {
        guard hasRoom(text: 0, values: 0) else { return false }
        var entry = Entry(kind: kind, offset: offset, timestamp: timestamp)
        entry.first = controls.count
        controls.append(control)
        entries.append(entry)
        return true
    }

    private static func textBytes(_ record: PredictionRecord) -> Int {
        record.values.reduce(record.model.count + record.version.count + record.entity.count) { $0 + $1.name.count }
    }

    private static func textBytes(_ record: ActualRecord) -> Int {
        record.values.reduce(record.model.count + record.entity.count) { $0 + $1.name.count }
    }

    /// Keeps a text, or finds it in the record before.
    private func keep(_ new: BorrowedText, _ known: BorrowedText?) -> BorrowedText {
        if let known, Self.isSame(known, new) { return known }
        return copy(new)
    }

    private func keep(_ record: UnsafeBufferPointer<MetricValue>) -> (Int, Int) {
        let first = valuesUsed
        let known = lastValues.count == record.count ? lastValues.lowerBound : nil
        for index in 0..<record.count {
            var name = record[index].name
            if let known, Self.isSame(values[known + index].name, name) {
                name = values[known + index].name
            } else {
                name = copy(name)
            }
            (values + first + index).initialize(to: MetricValue(name: name, value: record[index].value))
        }
        valuesUsed += record.count
        lastValues = first..<valuesUsed
        return (first, record.count)
    }

    private func copy(_ new: BorrowedText) -> BorrowedText {
        guard let base = new.base else { return .absent }
        let place = text + textUsed
        place.update(from: base, count: new.count)
        textUsed += new.count
        return BorrowedText(base: place, count: new.count)
    }

    @inline(__always)
    private static func isSame(_ left: BorrowedText, _ right: BorrowedText) -> Bool {
        guard left.count == right.count else { return false }
        guard let a = left.base, let b = right.base else { return true }
        for index in 0..<left.count where a[index] != b[index] { return false }
        return true
    }
}
