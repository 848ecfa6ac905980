/// Errors of one version by the hour of what was forecast, beside those that the shadow forecaster made on the same.
struct SkillCells: Equatable {
    struct Cell: Equatable {
        var hour: Int64
        var model = 0.0
        var regression = 0.0
        var expert = 0.0
        var count = 0
    }

    /// Oldest first.
    var cells: [Cell] = []

    mutating func add(hour: Int64, model: Double, regression: Double, expert: Double) {
        var position = cells.count
        while position > 0, cells[position - 1].hour > hour { position -= 1 }
        if position == 0 || cells[position - 1].hour != hour {
            cells.insert(Cell(hour: hour), at: position)
            position += 1
        }
        cells[position - 1].model += model
        cells[position - 1].regression += regression
        cells[position - 1].expert += expert
        cells[position - 1].count += 1
    }

    /// Sums over the hours (now − span, now], and how many of them are filled.
    func sums(now: Int64, span: Int64) -> (model: Double, regression: Double, expert: Double, filled: Int) {
        var sums = (model: 0.0, regression: 0.0, expert: 0.0, filled: 0)
        for cell in cells where cell.hour > now - span && cell.hour <= now {
            sums.model += cell.model
            sums.regression += cell.regression
            sums.expert += cell.expert
            sums.filled += 1
        }
        return sums
    }

    mutating func forget(through hour: Int64) {
        var gone = 0
        while gone < cells.count, cells[gone].hour <= hour { gone += 1 }
        if gone > 0 { cells.removeFirst(gone) }
    }
}
