/// Errors of a new version and of the one that it replaced, on the same forecasts, by the hour.
struct VersionComparison: Equatable {
    /// Hours over which a comparison fades: what a version does now counts more than its first hours.
    private static let memory = 24.0

    var cells: [(hour: Int64, new: Double, old: Double)] = []
    var pairs = 0

    mutating func add(hour: Int64, new: Double, old: Double) {
        pairs += 1
        var position = cells.count
        while position > 0, cells[position - 1].hour > hour { position -= 1 }
        if position > 0, cells[position - 1].hour == hour {
            cells[position - 1].new += new
            cells[position - 1].old += old
        } else {
            cells.insert((hour, new, old), at: position)
        }
    }

    mutating func forget(through hour: Int64) { cells.removeAll { $0.hour <= hour } }

    /// Error of the new version over that of the old one; below 1 is better. Nil without common forecasts.
    func ratio(now hour: Int64) -> Double? {
        var new = 0.0
        var old = 0.0
        for cell in cells {
            let weight = Portable.exp(Double(cell.hour - hour) / Self.memory)
            new += weight * cell.new
            old += weight * cell.old
        }
        return old > 0 ? new / old : nil
    }

    static func == (left: VersionComparison, right: VersionComparison) -> Bool {
        left.pairs == right.pairs && left.cells.elementsEqual(right.cells) { $0 == $1 }
    }
}
