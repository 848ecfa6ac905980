/// The recent past of one series (an entity's metric), as far as the shadow forecaster needs it.
struct SeriesHistory {
    /// Hours of hourly means: a week for "same hour last week", a day for the longest usual horizon, and some.
    private static let hourCount = 200
    /// Days of the normaliser: four whole weeks, so that the mix of weekdays is constant.
    private static let dayCount = 28
    /// Values beyond so many times the mean magnitude are no measurement; nothing is learned from them.
    private static let plausible = 100.0
    /// Values that a mean magnitude needs before it can call another one absurd.
    private static let fewestValues = 24.0
    private static let recentCount = 16
    private static let recentStep: Milliseconds = 5 * .minute

    /// A sum over an hour or a day, numbered since 1970.
    struct Cell {
        var key: Int64
        var sum: Double
        var count: Int32
    }

    var hours: [Cell] = []
    var days: [Cell] = []
    /// Sums over all days but the last, which is where values come; of no use once `days` has another number of cells.
    private var before = (days: -1, sum: 0.0, count: 0.0)
    /// The latest values in order of time, oldest first.
    var recent: [(at: Milliseconds, value: Double)] = []
    /// The normaliser when it was first asked for; conditions the least squares, and is then fixed for good.
    var scale: Double?

    mutating func add(_ value: Double, at time: Milliseconds) {
        let value = limit.map { max(-$0, min($0, value)) } ?? value
        Self.accumulate(&hours, time.flooredDivision(by: .hour), value, keeping: Self.hourCount)
        let isOfLastDay = days.last?.key == time.flooredDivision(by: .day)
        Self.accumulate(&days, time.flooredDivision(by: .day), abs(value), keeping: Self.dayCount)
        if !isOfLastDay || before.days != days.count { sumDaysBefore() }
        var position = recent.count
        while position > 0, recent[position - 1].at > time { position -= 1 }
        // The first of five minutes stands for them: so the list reaches back over an hour at any rate, and what it
        // says of a moment was known at that moment.
        let slot = time.flooredDivision(by: Self.recentStep)
        if position > 0, recent[position - 1].at.flooredDivision(by: Self.recentStep) == slot { return }
        if position < recent.count, recent[position].at.flooredDivision(by: Self.recentStep) == slot {
            recent[position] = (time, value)
            return
        }
        recent.insert((time, value), at: position)
        if recent.count > Self.recentCount { recent.removeFirst() }
    }

    private static func accumulate(
        _ cells: inout [Cell], _ key: Int64, _ value: Double, keeping limit: Int
    ) {
        var position = cells.count
        while position > 0, cells[position - 1].key > key { position -= 1 }
        if position > 0, cells[position - 1].key == key {
            cells[position - 1].sum += value
            cells[position - 1].count += 1
            return
        }
        cells.insert(Cell(key: key, sum: value, count: 1), at: position)
        let oldest = cells[cells.count - 1].key - Int64(limit)
        var gone = 0
        while cells[gone].key <= oldest { gone += 1 }
        if gone > 0 { cells.removeFirst(gone) }
    }

    private mutating func sumDaysBefore() {
        before = (days.count, 0, 0)
        for day in days.dropLast() {
            before.sum += day.sum
            before.count += Double(day.count)
        }
    }

    /// Sum and number of the values of all days, added from the first day on.
    private var total: (sum: Double, count: Double) {
        guard let last = days.last else { return (0, 0) }
        var total = (sum: before.sum, count: before.count)
        if before.days != days.count {
            total = (0, 0)
            for day in days.dropLast() {
                total.sum += day.sum
                total.count += Double(day.count)
            }
        }
        return (total.sum + last.sum, total.count + Double(last.count))
    }

    /// Mean magnitude over the last 28 days: errors divided by it can be added over metrics. Nil while all is 0.
    var normaliser: Double? {
        let (sum, count) = total
        return sum > 0 && sum.isFinite ? sum / count : nil
    }

    /// What is larger, forecast or actual, is absurd; nil while too little is known to say so.
    var limit: Double? {
        let (sum, count) = total
        guard count >= Self.fewestValues, sum > 0, sum.isFinite else { return nil }
        return Self.plausible * (sum / count)
    }

    /// A single spike among the first values must not decide it: it is within four times the median hour.
    mutating func fixScale() -> Double? {
        if scale == nil, let normaliser {
            let magnitudes = hours.map { abs($0.sum) / Double($0.count) }.sorted()
            let median = magnitudes[(magnitudes.count - 1) / 2]
            scale = median > 0 ? min(normaliser, 4 * median) : normaliser
        }
        return scale
    }

    /// The value of the greatest time at or before `time`.
    func last(at time: Milliseconds) -> Double? {
        recent.last { $0.at <= time }?.value
    }

    /// Mean of the hour that holds `time`.
    func hour(at time: Milliseconds) -> Double? {
        let hour = time.flooredDivision(by: .hour)
        var low = 0
        var high = hours.count
        while low < high {
            let middle = (low + high) / 2
            if hours[middle].key < hour { low = middle + 1 } else { high = middle }
        }
        guard low < hours.count, hours[low].key == hour else { return nil }
        return hours[low].sum / Double(hours[low].count)
    }

    /// Values in the fullest of the last two hours: how often the series speaks.
    var valuesPerHour: Int32 { hours.suffix(2).map(\.count).max() ?? 0 }
}
