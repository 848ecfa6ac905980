import Contracts
import Glibc
import Retraining

/// A file of comma-separated records (RFC 4180, without line breaks inside cells), with a header line.
///
/// Columns bear the names of the JSON fields: `model`, `model_version`, `entity`, `at`, `issued_at`, `shadow`, `pool`,
/// `cpu_pct`, `predictions_per_s`, `incident`. Predictions and actuals either have a column a metric, under its name, or
/// the two columns `metric` and `value`. An empty cell is a field that is not there.
final class CommaSeparatedReader: LaneReader {
    private enum Column: Equatable {
        case model, version, entity, at, issuedAt, shadow, pool, cpuPercent, rate, incident, metricName, value
        /// A metric under its own name; the place of the name.
        case metric(Int)
        case ignored
    }

    private static let shared: [String: Column] = [
        "entity": .entity, "at": .at, "ts": .at, "time": .at, "timestamp": .at,
    ]
    private static let ofPredictionsAndActuals: [String: Column] = [
        "model": .model, "model_version": .version, "version": .version, "issued_at": .issuedAt, "shadow": .shadow,
        "metric": .metricName, "value": .value,
    ]
    private static let ofLoad: [String: Column] = [
        "pool": .pool, "cpu_pct": .cpuPercent, "predictions_per_s": .rate, "incident": .incident,
    ]

    private let path: String
    private let role: InputRole
    private let limits: DecoderLimits
    private let lines: LineReader
    private var columns: [Column] = []
    private var names: [UnsafeMutableBufferPointer<UInt8>] = []
    private let values: UnsafeMutableBufferPointer<MetricValue>
    private var cells: [UnsafeRawBufferPointer] = []
    /// Cells whose doubled quotes were taken out.
    private var unquoted: UnsafeMutableRawBufferPointer
    private var last: (record: DecodedRecord, offset: Int64)?
    private var isPutBack = false

    init(_ file: HistoryFile, limits: DecoderLimits) throws {
        path = file.path
        role = file.role
        self.limits = limits
        lines = LineReader(try CompressedFile(path: file.path), longest: max(limits.recordBytes, 4096))
        values = .allocate(capacity: max(1, limits.values))
        unquoted = .allocate(byteCount: max(limits.recordBytes, 4096) + 16, alignment: 1)
        try readHeader()
    }

    deinit {
        values.deallocate()
        unquoted.deallocate()
        for name in names { name.deallocate() }
    }

    var size: Int64 { lines.file.size }
    var position: Int64 { lines.position }
    func close() { lines.file.close() }
    func putBack() { isPutBack = true }

    private func readHeader() throws {
        guard let header = try lines.next() else { throw ReplayError("\(path) is empty: it has no header line") }
        split(header)
        var seen: Set<String> = []
        for cell in cells {
            let name = String(decoding: cell, as: UTF8.self)
            guard seen.insert(name).inserted else { throw ReplayError("\(path): column \(name) is there twice") }
            // What is a field of load is a metric like any other elsewhere.
            let own = role.advancesStreamTime ? Self.ofPredictionsAndActuals : Self.ofLoad
            if let column = Self.shared[name] ?? own[name] {
                columns.append(column)
            } else if role.advancesStreamTime, !name.isEmpty {
                let place = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: name.utf8.count)
                _ = place.initialize(from: name.utf8)
                columns.append(.metric(names.count))
                names.append(place)
            } else {
                columns.append(.ignored)
            }
        }
        func need(_ column: Column, _ name: String) throws {
            guard columns.contains(column) else {
                throw ReplayError(
                    "\(path): its header names no column \(name): \(String(decoding: header.prefix(120), as: UTF8.self))"
                )
            }
        }
        try need(.entity, "entity")
        try need(.at, "at")
        if role.advancesStreamTime {
            let isLong = columns.contains(.metricName)
            if isLong { try need(.value, "value") }
            guard isLong || !names.isEmpty, names.count <= limits.values else {
                throw ReplayError(
                    names.isEmpty
                        ? "\(path): its header names no metric" : "\(path): more than \(limits.values) metrics")
            }
        }
    }

    func next() throws -> (record: DecodedRecord, offset: Int64)? {
        if isPutBack {
            isPutBack = false
            return last
        }
        while let line = try lines.next() {
            if line.isEmpty { continue }
            last = (decode(line), lines.count - 1)
            return last
        }
        last = nil
        return nil
    }

    // MARK: Cells

    /// Leaves the cells of a line in `cells`.
    private func split(_ line: UnsafeRawBufferPointer) {
        cells.removeAll(keepingCapacity: true)
        var position = 0
        var used = 0
        while position <= line.count {
            if position < line.count, line[position] == UInt8(ascii: "\"") {
                let first = used
                position += 1
                while position < line.count {
                    if line[position] == UInt8(ascii: "\"") {
                        guard position + 1 < line.count, line[position + 1] == UInt8(ascii: "\"") else { break }
                        position += 1
                    }
                    unquoted[used] = line[position]
                    used += 1
                    position += 1
                }
                cells.append(UnsafeRawBufferPointer(rebasing: unquoted[first..<used]))
                while position < line.count, line[position] != UInt8(ascii: ",") { position += 1 }
                position += 1
                continue
            }
            var end = position
            while end < line.count, line[end] != UInt8(ascii: ",") { end += 1 }
            cells.append(UnsafeRawBufferPointer(rebasing: line[position..<end]))
            position = end + 1
        }
    }

    private func text(_ cell: UnsafeRawBufferPointer) -> BorrowedText {
        BorrowedText(base: cell.baseAddress?.assumingMemoryBound(to: UInt8.self), count: cell.count)
    }

    /// Nil for what is no number; NaN does not come out.
    private func number(_ cell: UnsafeRawBufferPointer) -> Double? {
        guard cell.count < 64 else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65) { buffer in
            for index in 0..<cell.count { buffer[index] = CChar(bitPattern: cell[index]) }
            buffer[cell.count] = 0
            var end: UnsafeMutablePointer<CChar>?
            let value = strtod(buffer.baseAddress!, &end)
            return end == buffer.baseAddress! + cell.count && value.isFinite ? value : nil
        }
    }

    private func time(_ cell: UnsafeRawBufferPointer, _ field: String) throws(Rejection) -> Milliseconds {
        let bytes = UnsafeBufferPointer(
            start: cell.baseAddress?.assumingMemoryBound(to: UInt8.self), count: cell.count)
        let time = Timestamp.parse(bytes) ?? Milliseconds(String(decoding: cell, as: UTF8.self))
        guard let time else {
            throw Rejection(
                .invalidTime, field: field, detail: "Neither integer milliseconds nor an RFC 3339 time with its offset."
            )
        }
        guard limits.times.contains(time) else {
            throw Rejection(
                .timeOutOfRange, field: field, detail: "\(time) ms lies outside 2000 to 2100: is the unit milliseconds?"
            )
        }
        return time
    }

    private func flag(_ cell: UnsafeRawBufferPointer, _ field: String) throws(Rejection) -> Bool {
        switch String(decoding: cell, as: UTF8.self).lowercased() {
        case "true", "1": return true
        case "false", "0": return false
        default: throw Rejection(.wrongType, field: field, detail: "Neither true nor false.")
        }
    }

    // MARK: Records

    private struct Fields {
        var model = BorrowedText.absent
        var version = BorrowedText.absent
        var entity = BorrowedText.absent
        var pool = BorrowedText.absent
        var at = Milliseconds.unknownTime
        var issuedAt = Milliseconds.unknownTime
        var isShadow = false
        var incident: Bool?
        var cpuPercent: Double?
        var rate: Double?
        var metric = BorrowedText.absent
        var count = 0
    }

    private func decode(_ line: UnsafeRawBufferPointer) -> DecodedRecord {
        guard line.count <= limits.recordBytes else {
            return .rejected(Rejection(.recordTooLarge, detail: "The line has more than \(limits.recordBytes) bytes."))
        }
        split(line)
        do throws(Rejection) {
            let fields = try fields()
            let taken = UnsafeBufferPointer(rebasing: values[..<fields.count])
            switch role {
            case .predictions:
                return .prediction(
                    PredictionRecord(
                        model: fields.model, version: fields.version, entity: fields.entity, at: fields.at,
                        issuedAt: fields.issuedAt, isShadow: fields.isShadow, values: taken))
            case .actuals:
                return .actual(
                    ActualRecord(model: fields.model, entity: fields.entity, at: fields.at, values: taken))
            default:
                return .load(
                    LoadRecord(
                        pool: fields.pool, entity: fields.entity, at: fields.at, cpuPercent: fields.cpuPercent,
                        predictionsPerSecond: fields.rate, incident: fields.incident))
            }
        } catch {
            return .rejected(error)
        }
    }

    private func fields() throws(Rejection) -> Fields {
        guard cells.count <= columns.count else {
            throw Rejection(
                .malformedJSON, detail: "The line has \(cells.count) cells, its header \(columns.count).")
        }
        var fields = Fields()
        for (column, cell) in zip(columns, cells) where !cell.isEmpty {
            switch column {
            case .model: fields.model = try name(cell, "model")
            case .version: fields.version = try name(cell, "model_version")
            case .entity: fields.entity = try name(cell, "entity")
            case .pool: fields.pool = try name(cell, "pool")
            case .metricName: fields.metric = try name(cell, "metric")
            case .at: fields.at = try time(cell, "at")
            case .issuedAt: fields.issuedAt = try time(cell, "issued_at")
            case .shadow: fields.isShadow = try flag(cell, "shadow")
            case .incident: fields.incident = try flag(cell, "incident")
            case .cpuPercent: fields.cpuPercent = try figure(cell, "cpu_pct", within: 0...100)
            case .rate: fields.rate = try figure(cell, "predictions_per_s", within: 0...Double.greatestFiniteMagnitude)
            case .value:
                values[fields.count] = MetricValue(name: .absent, value: try figure(cell, "value"))
                fields.count += 1
            case .metric(let place):
                let name = BorrowedText(base: UnsafePointer(names[place].baseAddress), count: names[place].count)
                values[fields.count] = MetricValue(name: name, value: try figure(cell, name.string))
                fields.count += 1
            case .ignored: break
            }
        }
        for (isMissing, field) in [(fields.entity.isAbsent, "entity"), (fields.at == .unknownTime, "at")]
        where isMissing {
            throw Rejection(.missingField, field: field, detail: "The cell is empty or not there.")
        }
        if role.advancesStreamTime {
            if columns.contains(.metricName), fields.count == 1 {
                guard !fields.metric.isAbsent else {
                    throw Rejection(.missingField, field: "metric", detail: "The cell is empty or not there.")
                }
                values[0] = MetricValue(name: fields.metric, value: values[0].value)
            }
            guard fields.count > 0 else {
                throw Rejection(.noUsableValue, detail: "The line holds no value of any metric.")
            }
        } else if fields.cpuPercent == nil, fields.rate == nil, fields.incident == nil {
            throw Rejection(
                .noUsableValue, detail: "The line holds neither cpu_pct nor predictions_per_s nor incident.")
        }
        return fields
    }

    private func name(_ cell: UnsafeRawBufferPointer, _ field: String) throws(Rejection) -> BorrowedText {
        guard cell.count <= limits.nameBytes else {
            throw Rejection(.nameTooLong, field: field, detail: "A name has at most \(limits.nameBytes) bytes.")
        }
        return text(cell)
    }

    private func figure(
        _ cell: UnsafeRawBufferPointer, _ field: String, within range: ClosedRange<Double>? = nil
    ) throws(Rejection) -> Double {
        guard let value = number(cell) else {
            throw Rejection(
                .notANumber, field: field,
                detail: "\(String(decoding: cell.prefix(32), as: UTF8.self)) is no finite number.")
        }
        if let range, !range.contains(value) {
            throw Rejection(
                .valueOutOfRange, field: field,
                detail: "\(value) lies outside \(range.lowerBound) to \(range.upperBound).")
        }
        return value
    }
}
