import Glibc
package import Retraining

/// Rows of a comma-separated file without quotes, as the recorded sets have them.
package struct CommaSeparated {
    package let header: [String]
    private let bytes: [UInt8]
    private let path: String
    private let bodyStart: Int

    package init(path: String, bytes: [UInt8]) throws {
        self.path = path
        // A terminating zero, so that the number scanner cannot run over the end.
        self.bytes = bytes + [0]
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            throw ReplayError("\(path) has no header line")
        }
        header = String(decoding: bytes[..<end], as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.filter { $0 != "\r" } }
        bodyStart = end + 1
    }

    /// Hands over the cells of each row as ranges of bytes; trailing empty cells may be missing.
    package func forEachRow(_ body: (Row) throws -> Void) throws {
        try bytes.withUnsafeBufferPointer { all in
            var position = bodyStart
            var cells: [Range<Int>] = []
            var line = 1
            while position < all.count - 1 {
                cells.removeAll(keepingCapacity: true)
                line += 1
                var start = position
                var end = position
                while all[end] != UInt8(ascii: "\n"), all[end] != 0 {
                    if all[end] == UInt8(ascii: ",") {
                        cells.append(start..<end)
                        start = end + 1
                    }
                    end += 1
                }
                let last = end > start && all[end - 1] == UInt8(ascii: "\r") ? end - 1 : end
                cells.append(start..<last)
                position = end + 1
                if cells.count > 1 { try body(Row(bytes: all, cells: cells, path: path, line: line)) }
            }
        }
    }

    package struct Row {
        fileprivate let bytes: UnsafeBufferPointer<UInt8>
        fileprivate let cells: [Range<Int>]
        fileprivate let path: String
        fileprivate let line: Int

        package var count: Int { cells.count }

        package func text(_ column: Int) -> String {
            column < cells.count ? String(decoding: bytes[cells[column]], as: UTF8.self) : ""
        }

        /// NaN for an empty or missing cell.
        package func number(_ column: Int) -> Double {
            guard column < cells.count, !cells[column].isEmpty else { return .nan }
            return UnsafeRawPointer(bytes.baseAddress! + cells[column].lowerBound)
                .withMemoryRebound(to: CChar.self, capacity: cells[column].count) { strtod($0, nil) }
        }

        /// A cell such as `2013-07-01T00:00:00Z`.
        package func time(_ column: Int) throws -> Milliseconds {
            guard let time = RecordedTime.parse(text(column)) else {
                throw ReplayError("\(path), line \(line): \(text(column)) is not a time such as 2013-07-01T00:00:00Z")
            }
            return time
        }
    }
}
