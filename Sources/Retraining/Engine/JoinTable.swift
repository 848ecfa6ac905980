/// The halves of one model's join: predictions and actuals that wait for each other.
///
/// A cell stands for one (entity, `at`). It holds at most one row of actuals and a list of prediction rows, one row for
/// each (version, issue time, shadow). A row has one value a metric, NaN where nothing has come. Cells leave by the hour
/// of their `at`; lateness is decided by time and never by whether a cell is still there.
struct JoinTable {
    struct Key: Equatable {
        var entity: Int32
        var at: Milliseconds

        var hash: UInt64 { mixed(UInt64(bitPattern: at), UInt64(truncatingIfNeeded: entity) &+ 0x9E37_79B9) }
    }

    struct Cell {
        var key: Key
        /// Row of the actuals, or -1.
        var actual: Int32 = -1
        /// First row of the predictions, or -1.
        var firstPrediction: Int32 = -1
        var predictions: Int32 = 0
        var isLive = true
    }

    struct Row {
        var issuedAt: Milliseconds
        var version: Int32
        var isShadow: Bool
        /// Whether any value met its other half.
        var isMatched: Bool
        var next: Int32
    }

    /// Values a row.
    private(set) var stride: Int
    private(set) var cells: [Cell] = []
    private(set) var rows: [Row] = []
    private(set) var values: [Double] = []
    private var slots: [Int32] = Array(repeating: -1, count: 16)
    private var freeCells: [Int32] = []
    private var freeRow: Int32 = -1
    private var liveCells = 0
    /// Rows in use: the retained halves.
    private(set) var liveRows = 0
    private var byHour: [Int64: [Int32]] = [:]

    init(stride: Int) { self.stride = max(1, stride) }

    /// Makes room for more metrics a row.
    mutating func widen(to wider: Int) {
        guard wider > stride else { return }
        var widened = [Double](repeating: .nan, count: rows.count * wider)
        for row in rows.indices {
            for slot in 0..<stride { widened[row * wider + slot] = values[row * stride + slot] }
        }
        values = widened
        stride = wider
    }

    func find(_ key: Key) -> Int32? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: key.hash) & mask
        while slots[slot] >= 0 {
            if cells[Int(slots[slot])].key == key { return slots[slot] }
            slot = (slot + 1) & mask
        }
        return nil
    }

    mutating func cell(_ key: Key) -> Int32 {
        if let known = find(key) { return known }
        if (liveCells + 1) * 2 > slots.count { rehash(count: slots.count * 2) }
        let cell: Int32
        if let reused = freeCells.popLast() {
            cell = reused
            cells[Int(cell)] = Cell(key: key)
        } else {
            cell = Int32(cells.count)
            cells.append(Cell(key: key))
        }
        place(cell)
        liveCells += 1
        byHour[key.at.flooredDivision(by: .hour), default: []].append(cell)
        return cell
    }

    /// Forecasts of one (entity, `at`) at most: they are looked through one by one.
    static let predictionsPerCell: Int32 = 1024

    /// The row of this identity in the cell, made where there is none; nil where the cell is full.
    mutating func predictionRow(cell: Int32, version: Int32, issuedAt: Milliseconds, isShadow: Bool) -> Int32? {
        var row = cells[Int(cell)].firstPrediction
        while row >= 0 {
            let known = rows[Int(row)]
            if known.version == version && known.issuedAt == issuedAt && known.isShadow == isShadow { return row }
            row = known.next
        }
        guard cells[Int(cell)].predictions < Self.predictionsPerCell else { return nil }
        cells[Int(cell)].predictions += 1
        let made = newRow(
            Row(
                issuedAt: issuedAt, version: version, isShadow: isShadow, isMatched: false,
                next: cells[Int(cell)].firstPrediction))
        cells[Int(cell)].firstPrediction = made
        return made
    }

    mutating func actualRow(cell: Int32) -> Int32 {
        let known = cells[Int(cell)].actual
        if known >= 0 { return known }
        let made = newRow(Row(issuedAt: 0, version: -1, isShadow: false, isMatched: false, next: -1))
        cells[Int(cell)].actual = made
        return made
    }

    func value(_ row: Int32, _ slot: Int) -> Double { values[Int(row) * stride + slot] }

    mutating func setValue(_ row: Int32, _ slot: Int, _ value: Double) { values[Int(row) * stride + slot] = value }

    mutating func markMatched(_ row: Int32) { rows[Int(row)].isMatched = true }

    /// Lets go of every cell whose whole hour lies before `time`; reports how many halves never met another.
    mutating func expire(before time: Milliseconds, unmatched: inout (predictions: Int, actuals: Int)) {
        let hour = time.flooredDivision(by: .hour)
        for past in byHour.keys.filter({ $0 < hour }).sorted() {
            for cell in byHour.removeValue(forKey: past) ?? [] { remove(cell, unmatched: &unmatched) }
        }
    }

    /// Lets go of the latest hour; what the bound on retained halves asks for. The halves that lie furthest ahead have
    /// the longest to wait, and nobody has to wait for those that are about to meet. False where nothing is held.
    mutating func evictLatestHour(unmatched: inout (predictions: Int, actuals: Int)) -> Bool {
        guard let latest = byHour.keys.max() else { return false }
        for cell in byHour.removeValue(forKey: latest) ?? [] { remove(cell, unmatched: &unmatched) }
        return true
    }

    private mutating func remove(_ cell: Int32, unmatched: inout (predictions: Int, actuals: Int)) {
        unlink(cell)
        let gone = cells[Int(cell)]
        if gone.actual >= 0 {
            if !rows[Int(gone.actual)].isMatched { unmatched.actuals += 1 }
            release(gone.actual)
        }
        var row = gone.firstPrediction
        while row >= 0 {
            let next = rows[Int(row)].next
            if !rows[Int(row)].isMatched { unmatched.predictions += 1 }
            release(row)
            row = next
        }
        cells[Int(cell)].isLive = false
        freeCells.append(cell)
        liveCells -= 1
    }

    private mutating func newRow(_ row: Row) -> Int32 {
        liveRows += 1
        if freeRow >= 0 {
            let reused = freeRow
            freeRow = rows[Int(reused)].next
            rows[Int(reused)] = row
            for slot in 0..<stride { values[Int(reused) * stride + slot] = .nan }
            return reused
        }
        rows.append(row)
        for _ in 0..<stride { values.append(.nan) }
        return Int32(rows.count - 1)
    }

    private mutating func release(_ row: Int32) {
        liveRows -= 1
        rows[Int(row)].next = freeRow
        freeRow = row
    }

    private mutating func place(_ cell: Int32) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: cells[Int(cell)].key.hash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = cell
    }

    /// Removal by shifting back, so that probing needs no tombstones (Knuth, TAOCP vol. 3, 6.4, algorithm R).
    private mutating func unlink(_ cell: Int32) {
        let mask = slots.count - 1
        var hole = Int(truncatingIfNeeded: cells[Int(cell)].key.hash) & mask
        while slots[hole] != cell { hole = (hole + 1) & mask }
        var probe = hole
        while true {
            probe = (probe + 1) & mask
            let other = slots[probe]
            if other < 0 { break }
            let home = Int(truncatingIfNeeded: cells[Int(other)].key.hash) & mask
            if (probe &- home) & mask >= (probe &- hole) & mask {
                slots[hole] = other
                hole = probe
            }
        }
        slots[hole] = -1
    }

    private mutating func rehash(count: Int) {
        slots = Array(repeating: -1, count: count)
        for cell in cells.indices where cells[cell].isLive { place(Int32(cell)) }
    }
}
