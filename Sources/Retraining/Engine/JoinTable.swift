import CPrefetch

/// The halves of one model's join: predictions and actuals that wait for each other.
///
/// A cell stands for one (entity, `at`). It holds at most one row of actuals and a list of prediction rows, one row for
/// each (version, issue time, shadow). A row has one value a metric, NaN where nothing has come. Cells leave by the hour
/// of their `at`; lateness is decided by time and never by whether a cell is still there.
final class JoinTable {
    struct Key: Equatable {
        var entity: Int32
        var at: Milliseconds

        @inline(__always)
        var hash: UInt32 {
            UInt32(truncatingIfNeeded: mixed(UInt64(bitPattern: at), UInt64(truncatingIfNeeded: entity) &+ 0x9E37_79B9))
        }
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

    /// A place of the hash table; -1 stands for no cell. With the hash beside it a search reads the cells that it finds,
    /// and not those that it passes: each of them would be a line of memory.
    private struct Slot {
        var hash: UInt32 = 0
        var cell: Int32 = -1
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
    private var slots = [Slot](repeating: Slot(), count: 16)
    private var freeCells: [Int32] = []
    private var freeRow: Int32 = -1
    private var liveCells = 0
    /// Rows in use: the retained halves.
    private(set) var liveRows = 0
    /// Cells by the hour of their `at`, in no order.
    private var hours: [(hour: Int64, cells: [Int32])] = []
    /// Where in `hours` the last one went.
    private var lastHour = 0

    init(stride: Int) { self.stride = max(1, stride) }

    /// Makes room for more metrics a row.
    func widen(to wider: Int) {
        guard wider > stride else { return }
        var widened = [Double](repeating: .nan, count: rows.count * wider)
        for row in rows.indices {
            for slot in 0..<stride { widened[row * wider + slot] = values[row * stride + slot] }
        }
        values = widened
        stride = wider
    }

    func find(_ key: Key) -> Int32? {
        slots.withUnsafeBufferPointer { slots in
            cells.withUnsafeBufferPointer { cells in
                let hash = key.hash
                let mask = slots.count - 1
                var place = Int(hash) & mask
                while slots[place].cell >= 0 {
                    if slots[place].hash == hash, cells[Int(slots[place].cell)].key == key { return slots[place].cell }
                    place = (place + 1) & mask
                }
                return nil
            }
        }
    }

    // A look-up waits for three lines of memory, one behind the other, and tables are larger than caches. Whoever knows
    // what will be looked up asks for them ahead: the slot first, the cell when the slot is there, then the cell's row.

    @inline(__always)
    func prefetchSlot(_ key: Key) {
        slots.withUnsafeBufferPointer { prefetch($0.baseAddress! + (Int(key.hash) & ($0.count - 1))) }
    }

    @inline(__always)
    func prefetchCell(_ key: Key) {
        guard let cell = likelyCell(key) else { return }
        cells.withUnsafeBufferPointer { prefetch($0.baseAddress! + cell) }
    }

    @inline(__always)
    func prefetchRow(_ key: Key) {
        guard let cell = likelyCell(key) else { return }
        let row = Int(cells[cell].firstPrediction)
        guard row >= 0 else { return }
        rows.withUnsafeBufferPointer { prefetch($0.baseAddress! + row) }
        values.withUnsafeBufferPointer { prefetch($0.baseAddress! + row * stride) }
    }

    /// The cell in the place where the key belongs, or in the one behind.
    @inline(__always)
    private func likelyCell(_ key: Key) -> Int? {
        slots.withUnsafeBufferPointer { slots in
            let hash = key.hash
            let mask = slots.count - 1
            let first = slots[Int(hash) & mask]
            if first.hash == hash, first.cell >= 0 { return Int(first.cell) }
            let second = slots[(Int(hash) + 1) & mask]
            return second.hash == hash && second.cell >= 0 ? Int(second.cell) : nil
        }
    }

    func cell(_ key: Key) -> Int32 {
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
        note(cell, hour: key.at.flooredDivision(by: .hour))
        return cell
    }

    /// Forecasts of one (entity, `at`) at most: they are looked through one by one.
    static let predictionsPerCell: Int32 = 1024

    /// The row of this identity in the cell, made where there is none; nil where the cell is full.
    func predictionRow(cell: Int32, version: Int32, issuedAt: Milliseconds, isShadow: Bool) -> Int32? {
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

    func actualRow(cell: Int32) -> Int32 {
        let known = cells[Int(cell)].actual
        if known >= 0 { return known }
        let made = newRow(Row(issuedAt: 0, version: -1, isShadow: false, isMatched: false, next: -1))
        cells[Int(cell)].actual = made
        return made
    }

    func value(_ row: Int32, _ slot: Int) -> Double { values[Int(row) * stride + slot] }

    func setValue(_ row: Int32, _ slot: Int, _ value: Double) { values[Int(row) * stride + slot] = value }

    func markMatched(_ row: Int32) { rows[Int(row)].isMatched = true }

    private func note(_ cell: Int32, hour: Int64) {
        if lastHour >= hours.count || hours[lastHour].hour != hour {
            lastHour = hours.firstIndex { $0.hour == hour } ?? hours.count
            if lastHour == hours.count { hours.append((hour, [])) }
        }
        hours[lastHour].cells.append(cell)
    }

    /// Lets go of every cell whose whole hour lies before `time`; reports how many halves never met another.
    func expire(before time: Milliseconds, unmatched: inout (predictions: Int, actuals: Int)) {
        let hour = time.flooredDivision(by: .hour)
        while let past = hours.firstIndex(where: { $0.hour < hour }) { removeHour(past, unmatched: &unmatched) }
    }

    /// Lets go of the latest hour; what the bound on retained halves asks for. The halves that lie furthest ahead have
    /// the longest to wait, and nobody has to wait for those that are about to meet. False where nothing is held.
    func evictLatestHour(unmatched: inout (predictions: Int, actuals: Int)) -> Bool {
        guard let latest = hours.indices.max(by: { hours[$0].hour < hours[$1].hour }) else { return false }
        removeHour(latest, unmatched: &unmatched)
        return true
    }

    private func removeHour(_ index: Int, unmatched: inout (predictions: Int, actuals: Int)) {
        hours.swapAt(index, hours.count - 1)
        let (_, gone) = hours.removeLast()
        for cell in gone { remove(cell, unmatched: &unmatched) }
    }

    private func remove(_ cell: Int32, unmatched: inout (predictions: Int, actuals: Int)) {
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

    private func newRow(_ row: Row) -> Int32 {
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

    private func release(_ row: Int32) {
        liveRows -= 1
        rows[Int(row)].next = freeRow
        freeRow = row
    }

    private func place(_ cell: Int32) { place(Slot(hash: cells[Int(cell)].key.hash, cell: cell)) }

    private func place(_ slot: Slot) {
        let mask = slots.count - 1
        var place = Int(slot.hash) & mask
        while slots[place].cell >= 0 { place = (place + 1) & mask }
        slots[place] = slot
    }

    /// Removal by shifting back, so that probing needs no tombstones (Knuth, TAOCP vol. 3, 6.4, algorithm R).
    private func unlink(_ cell: Int32) {
        let mask = slots.count - 1
        var hole = Int(cells[Int(cell)].key.hash) & mask
        while slots[hole].cell != cell { hole = (hole + 1) & mask }
        var probe = hole
        while true {
            probe = (probe + 1) & mask
            let other = slots[probe]
            if other.cell < 0 { break }
            let home = Int(other.hash) & mask
            if (probe &- home) & mask >= (probe &- hole) & mask {
                slots[hole] = other
                hole = probe
            }
        }
        slots[hole] = Slot()
    }

    private func rehash(count: Int) {
        let before = slots
        slots = Array(repeating: Slot(), count: count)
        for slot in before where slot.cell >= 0 { place(slot) }
    }
}
