package import Retraining

/// Scores a choice of training times on a recorded entity, by the forecasts that were stored for it.
///
/// A training asked for at hour t uses data up to the last midnight (UTC) and serves from t + 1 h. WAPE is the sum of
/// |predicted − actual| over the sum of actuals, for each metric and horizon, and the mean of those; forecasts of the
/// last 24 hours are not scored.
package struct ServedScore {
    package let entity: RecordedEntity

    package init(entity: RecordedEntity) { self.entity = entity }

    /// Which stored model serves, by hour from `servedFrom` on.
    package typealias Columns = [Int]

    /// Trainings every so many days, beginning one interval after the first model; none where nil.
    ///
    /// - Parameter hour: of the day (UTC) at which they are asked for.
    package func fixed(everyDays days: Int?, hour: Int = 0) -> (columns: Columns, trainings: [Milliseconds]) {
        guard let days else { return columns(trainingsAt: []) }
        let interval = Int64(days) * .day
        return columns(
            trainingsAt: Array(
                stride(
                    from: entity.servedFrom + interval + Int64(hour) * .hour, through: entity.end - 24 * .hour,
                    by: Int(interval))))
    }

    /// Which model serves when, given when trainings are asked for.
    package func columns(trainingsAt times: [Milliseconds]) -> (columns: Columns, trainings: [Milliseconds]) {
        var due = times.sorted()[...]
        var columns: Columns = []
        var serving = 0
        for hour in stride(from: entity.servedFrom, through: entity.end, by: Int(RecordedEntity.step)) {
            while let time = due.first, hour >= time + .hour {
                serving = entity.newestModel(at: time)
                due.removeFirst()
            }
            columns.append(serving)
        }
        return (columns, times)
    }

    /// WAPE of what was served; nil where nothing could be scored.
    package func wape(_ columns: Columns) -> Double? {
        let pairs = pairs(columns)
        guard !pairs.isEmpty else { return nil }
        let single = pairs.map { pairs in
            pairs.reduce(0) { $0 + abs($1.predicted - $1.actual) } / max(pairs.reduce(0) { $0 + abs($1.actual) }, 1e-12)
        }
        return single.reduce(0, +) / Double(single.count)
    }

    /// MAPE of what was served, over the actuals above a twentieth of their mean; nil where nothing could be scored.
    package func mape(_ columns: Columns) -> Double? {
        let pairs = pairs(columns)
        guard !pairs.isEmpty else { return nil }
        let single = pairs.map { pairs in
            let mean = pairs.reduce(0) { $0 + abs($1.actual) } / Double(pairs.count)
            let scored = pairs.filter { abs($0.actual) > 0.05 * mean }
            return scored.reduce(0) { $0 + abs($1.predicted - $1.actual) / abs($1.actual) }
                / Double(max(1, scored.count))
        }
        return single.reduce(0, +) / Double(single.count)
    }

    /// What was served and what came of it, by metric and horizon.
    private func pairs(_ columns: Columns) -> [[(predicted: Double, actual: Double)]] {
        let horizons = 64
        var pairs: [Int: [(predicted: Double, actual: Double)]] = [:]
        for (index, column) in columns.enumerated() {
            let hour = entity.servedFrom + Int64(index) * RecordedEntity.step
            guard hour <= entity.end - 24 * .hour else { break }
            for forecast in entity.forecasts[hour] ?? [] {
                guard let predicted = entity.served(forecast, column: column),
                    let actual = entity.actuals(at: hour + Int64(forecast.horizonHours) * .hour)?[forecast.metric],
                    actual.isFinite
                else { continue }
                pairs[forecast.metric * horizons + forecast.horizonHours, default: []].append((predicted, actual))
            }
        }
        return pairs.sorted { $0.key < $1.key }.map(\.value)
    }

    /// How many of the times lie in an hour whose mean load is above the 75th percentile of the 14 days before.
    package func highLoad(_ times: [Milliseconds]) -> Int {
        var sums: [Milliseconds: (sum: Double, count: Int)] = [:]
        for (time, value) in entity.load {
            let hour = time / .hour * .hour
            let sofar = sums[hour] ?? (0, 0)
            sums[hour] = (sofar.sum + value, sofar.count + 1)
        }
        let means = sums.mapValues { $0.sum / Double($0.count) }
        return times.count { time in
            let hour = time / .hour * .hour
            let before = stride(from: hour - 14 * .day, to: hour, by: Int(Milliseconds.hour)).compactMap { means[$0] }
                .sorted()
            guard !before.isEmpty, let now = means[hour] else { return false }
            return now > before[Int(0.75 * Double(before.count))]
        }
    }
}
