import Contracts
import Foundation
import Retraining

/// What a panel shows, to be had as JSON or as CSV.
struct Table {
    enum Cell {
        case none
        case text(String)
        case number(Double)
        case integer(Int64)
        case flag(Bool)
        /// Milliseconds since 1970. In CSV as RFC 3339.
        case time(Milliseconds)

        static func optional(_ text: String?) -> Cell { text.map(Cell.text) ?? .none }
        static func optional(_ time: Milliseconds?) -> Cell { time.map(Cell.time) ?? .none }
        /// NaN is nothing.
        static func figure(_ number: some BinaryFloatingPoint) -> Cell {
            number.isFinite ? .number(rounded(Double(number))) : .none
        }
        static func figure(_ number: Double?) -> Cell { number.map { figure($0) } ?? .none }

        /// To six digits: what was kept in single precision has no more.
        private static func rounded(_ value: Double) -> Double {
            guard value != 0 else { return 0 }
            let magnitude = pow(10, 5 - floor(log10(abs(value))))
            return magnitude.isFinite ? (value * magnitude).rounded() / magnitude : value
        }
    }

    var name: String
    /// A column of times ends in `_ms`, here and in JSON; in CSV without it.
    var columns: [String]
    var rows: [[Cell]] = []

    /// `{"from_ms":…,"rows":[{…}]}`.
    func json(_ about: (inout JSONWriter) -> Void = { _ in }) -> [UInt8] {
        var writer = JSONWriter(capacity: 128 * rows.count + 256)
        writer.beginObject()
        about(&writer)
        writer.array("rows", rows) { writer, row in
            writer.beginObject()
            for (column, cell) in zip(columns, row) {
                writer.key(column)
                writer.write(cell)
            }
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes
    }

    /// `{"columns":{"at_ms":[…],…}}`: the same, smaller.
    func columnarJSON(_ about: (inout JSONWriter) -> Void = { _ in }) -> [UInt8] {
        var writer = JSONWriter(capacity: 12 * columns.count * rows.count + 256)
        writer.beginObject()
        about(&writer)
        writer.object("columns") { writer in
            for (index, column) in columns.enumerated() {
                writer.array(column, rows) { $0.write($1[index]) }
            }
        }
        writer.endObject()
        return writer.bytes
    }

    /// RFC 4180, with a line of names.
    var csv: [UInt8] {
        var text = columns.map { $0.hasSuffix("_ms") ? String($0.dropLast(3)) : $0 }.joined(separator: ",") + "\r\n"
        for row in rows {
            text += row.map(Self.csv).joined(separator: ",") + "\r\n"
        }
        return Array(text.utf8)
    }

    private static func csv(_ cell: Cell) -> String {
        switch cell {
        case .none: return ""
        case .number(let value): return value.description
        case .integer(let value): return String(value)
        case .flag(let value): return value ? "true" : "false"
        case .time(let time): return Timestamp.text(time) ?? ""
        case .text(let text):
            // Names come from Kafka: a spreadsheet must not take one for a formula.
            let plain = text.first.map { "=+-@\t\r".contains($0) } ?? false ? "'" + text : text
            guard plain.contains(where: { "\",\r\n".contains($0) || $0.isNewline }) else { return plain }
            return "\"" + plain.replacing("\"", with: "\"\"") + "\""
        }
    }

    /// By `format=csv`, or JSON.
    func answer(
        _ query: Query, isColumnar: Bool = false, _ about: (inout JSONWriter) -> Void = { _ in }
    ) throws -> Answer {
        switch query["format"] ?? "json" {
        case "csv":
            var answer = Answer(type: "text/csv; charset=utf-8", body: .bytes(csv))
            answer.fileName = "driftgate-\(name).csv"
            return answer
        case "json":
            var answer = Answer(json: isColumnar ? columnarJSON(about) : json(about))
            if query["download"] != nil { answer.fileName = "driftgate-\(name).json" }
            return answer
        default: throw Problem(400, "format is json or csv")
        }
    }
}

extension JSONWriter {
    mutating func write(_ cell: Table.Cell) {
        switch cell {
        case .none: writeNull()
        case .text(let text): write(text)
        case .number(let number): write(number)
        case .integer(let number): write(number)
        case .time(let time): write(time)
        case .flag(let flag): write(flag)
        }
    }

    mutating func field(_ name: String, figure: Float) {
        key(name)
        write(Table.Cell.figure(figure))
    }
}

extension Answer {
    init(json: [UInt8]) { self.init(type: "application/json", body: .bytes(json)) }

    init(_ body: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.beginObject()
        body(&writer)
        writer.endObject()
        self.init(json: writer.bytes)
    }
}

extension Query {
    func time(_ name: String) throws -> Milliseconds? {
        guard let text = self[name] else { return nil }
        guard let value = Int64(text), (0...4_102_444_800_000).contains(value) else {
            throw Problem(400, "\(name) is milliseconds since 1970")
        }
        return value
    }

    func integer(_ name: String, _ range: ClosedRange<Int>, default value: Int) throws -> Int {
        guard let text = self[name] else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw Problem(400, "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
