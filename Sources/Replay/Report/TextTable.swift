/// Columns of text for a terminal: the first to the left, the others to the right unless told otherwise.
package struct TextTable {
    private var rows: [[String]] = []
    private let leftAligned: Set<Int>

    package init(_ header: [String], leftAligned: Set<Int> = [0]) {
        rows = [header]
        self.leftAligned = leftAligned
    }

    package mutating func add(_ cells: [String]) { rows.append(cells) }

    package var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                let isLast = column == row.count - 1
                if leftAligned.contains(column) {
                    line += isLast ? cell : cell + padding
                } else {
                    line += padding + cell
                }
                if !isLast { line += "  " }
            }
            return line
        }
    }
}
