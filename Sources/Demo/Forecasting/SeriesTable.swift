import Retraining

/// Samples of many series on one regular grid of time; a missing sample is NaN.
struct SeriesTable: Sendable {
    let start: Milliseconds
    let step: Milliseconds
    let seriesCount: Int
    /// Tick-major.
    private(set) var values: [Double]

    init(start: Milliseconds, step: Milliseconds, seriesCount: Int, values: [Double]) {
        precondition(values.count % seriesCount == 0, "a table holds whole rows")
        self.start = start
        self.step = step
        self.seriesCount = seriesCount
        self.values = values
    }

    /// An empty table for [from, to), to be filled.
    init(from: Milliseconds, to: Milliseconds, step: Milliseconds, seriesCount: Int) {
        let ticks = max(0, Int((to - from + step - 1) / step))
        self.init(
            start: from, step: step, seriesCount: seriesCount,
            values: Array(repeating: .nan, count: ticks * seriesCount))
    }

    var ticks: Int { values.count / seriesCount }
    var end: Milliseconds { start + Int64(ticks) * step }

    func time(ofTick tick: Int) -> Milliseconds { start + Int64(tick) * step }

    subscript(tick: Int, series: Int) -> Double { values[tick * seriesCount + series] }

    /// Puts a sample where it belongs on the grid. Samples outside the table are left out.
    mutating func set(_ value: Double, at time: Milliseconds, series: Int) {
        guard time >= start, time < end, series >= 0, series < seriesCount else { return }
        values[Int((time - start) / step) * seriesCount + series] = value
    }

    /// Adds the row that follows the last one.
    mutating func append(_ row: [Double]) {
        precondition(row.count == seriesCount, "a row holds one value a series")
        values += row
    }

    func row(_ tick: Int) -> ArraySlice<Double> { values[(tick * seriesCount)..<((tick + 1) * seriesCount)] }
}
