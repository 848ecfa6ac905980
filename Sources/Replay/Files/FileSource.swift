package import Contracts
package import Retraining

/// Files of history; each is a lane, and its lines are its offsets.
///
/// Files of one role whose names follow one another, such as a file a day, are lanes of their own: each is read when its
/// time has come, so it does not matter which day was asked for first.
package final class FileSource: HistorySource {
    package let lanes: [LaneDescription]
    package private(set) var findings = SourceFindings()
    private var readers: [any LaneReader]
    private let range: ReplayRange
    private var laneTimes: [Milliseconds]
    private var backwards: [Int]
    private var reported: [Int64]
    private var isOver: [Bool]
    /// A record that did not fit into the batch before.
    private let files: [HistoryFile]

    /// - Parameter topics: the name of the topic that each role's files stand for.
    package init(
        _ files: [HistoryFile], topic: (InputRole) -> String, fields: FieldMap, limits: DecoderLimits,
        range: ReplayRange
    ) throws {
        guard files.contains(where: { $0.role.advancesStreamTime }) else {
            throw ReplayError("without a file of predictions or actuals there is nothing to replay")
        }
        self.files = files
        self.range = range
        var partitions: [InputRole: Int32] = [:]
        lanes = files.map { file in
            let partition = partitions[file.role, default: 0]
            partitions[file.role] = partition + 1
            return LaneDescription(
                topic: topic(file.role), partition: partition, role: file.role, name: file.path)
        }
        readers = try files.map { file in
            switch file.layout {
            case .jsonLines: try JSONLinesReader(file, fields: fields, limits: limits)
            case .commaSeparated: try CommaSeparatedReader(file, limits: limits)
            }
        }
        laneTimes = files.map { _ in .min }
        backwards = files.map { _ in 0 }
        reported = files.map { _ in 0 }
        isOver = files.map { _ in false }
    }

    package var size: Int64? { readers.reduce(0) { $0 + $1.size } }

    package func close() {
        for reader in readers { reader.close() }
        for (file, count) in zip(files, backwards) where count > 0 {
            findings.warnings.append(
                "\(file.path): \(count) records lie more than a day before one that stands above them; they count as "
                    + "late. Sort the file by time")
        }
    }

    package func next(lane: Int) throws -> HistoryBatch? {
        guard !isOver[lane] else { return nil }
        let reader = readers[lane]
        var batch = HistoryBatch(lane: lane)
        reading: while batch.entries.count < HistoryBatch.capacity {
            guard let (record, offset) = try reader.next() else {
                isOver[lane] = true
                break
            }
            let time = Self.time(of: record)
            if time != .unknownTime {
                if time + .day < laneTimes[lane] { backwards[lane] += 1 }
                laneTimes[lane] = max(laneTimes[lane], time)
            }
            findings.records += 1
            if let to = range.to, laneTimes[lane] >= to {
                findings.records -= 1
                findings.leaveOut(at: laneTimes[lane])
                isOver[lane] = true
                break
            }
            if let from = range.from, laneTimes[lane] < from {
                findings.records -= 1
                findings.leaveOut(at: laneTimes[lane])
                continue
            }
            if case .rejected(let rejection) = record {
                findings.refuse(rejection, at: "\(files[lane].path), line \(offset + 1)")
            }
            if !batch.append(record, offset: offset, timestamp: time) {
                let size = HistoryBatch.size(of: record)
                if batch.isEmpty {
                    batch = HistoryBatch(lane: lane, text: size.text, values: size.values)
                } else {
                    reader.putBack()
                    findings.records -= 1
                    break reading
                }
                _ = batch.append(record, offset: offset, timestamp: time)
            }
        }
        let position = reader.position
        batch.sourceBytes = position - reported[lane]
        reported[lane] = position
        return batch.isEmpty && isOver[lane] ? nil : batch
    }

    /// What stands for a record's Kafka timestamp: when it was said, else what it is about.
    private static func time(of record: DecodedRecord) -> Milliseconds {
        switch record {
        case .prediction(let record): record.issuedAt == .unknownTime ? record.at : record.issuedAt
        case .actual(let record): record.at
        case .load(let record): record.at
        case .trainingStatus(let record): record.at
        case .command(let record): record.at
        case .rejected: .unknownTime
        }
    }
}

/// Decoded records of one file, one after the other.
protocol LaneReader: AnyObject {
    var size: Int64 { get }
    var position: Int64 { get }
    /// The next record and how many lines stand above it; nil at the end. Valid until the next call.
    func next() throws -> (record: DecodedRecord, offset: Int64)?
    /// Hands the last record out once more.
    func putBack()
    func close()
}

/// A file of one JSON object a line, in the format of the topics.
final class JSONLinesReader: LaneReader {
    private let lines: LineReader
    private let decoder: RecordDecoder
    private let role: RecordRole
    private var last: (record: DecodedRecord, offset: Int64)?
    private var isPutBack = false

    init(_ file: HistoryFile, fields: FieldMap, limits: DecoderLimits) throws {
        lines = LineReader(try CompressedFile(path: file.path), longest: max(limits.recordBytes, 4096))
        // A decoder a file: a record that did not fit stays valid while other files are read.
        decoder = RecordDecoder(fields: fields, limits: limits)
        role = RecordRole(file.role)
    }

    var size: Int64 { lines.file.size }
    var position: Int64 { lines.position }
    func close() { lines.file.close() }
    func putBack() { isPutBack = true }

    func next() throws -> (record: DecodedRecord, offset: Int64)? {
        if isPutBack {
            isPutBack = false
            return last
        }
        while let line = try lines.next() {
            if line.isEmpty { continue }
            last = (decoder.decode(role, value: line), lines.count - 1)
            return last
        }
        last = nil
        return nil
    }
}

extension RecordRole {
    package init(_ role: InputRole) {
        switch role {
        case .predictions: self = .prediction
        case .actuals: self = .actual
        case .load: self = .load
        case .trainingStatus: self = .trainingStatus
        case .commands: self = .command
        }
    }
}
