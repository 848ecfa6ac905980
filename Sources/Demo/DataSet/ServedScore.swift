import Retraining

/// Scores a choice of training times on a recorded entity, by the forecasts that were stored for it.
///
/// A training asked for at hour t uses data up to the last midnight (UTC) and serves from t + 1 h. WAPE is the sum of
/// |predicted − actual| over the sum of actuals, for each metric and horizon, and the mean of those; forecasts of the
/// last 24 hours are not scored.
struct ServedScore {
    let entity: RecordedEntity

    /// Which stored model serves, by hour from `servedFrom` on.
    typealias Columns = [Int]

    /// Trainings every so many days, beginning one interval after the first model; none where nil.
    func fixed(everyDays days: Int?) -> (columns: Columns, trainings: [Milliseconds]) {
        guard let days else { return columns(trainingsAt: []) }
        let interval = Int64(days) * .day
        return columns(
            trainingsAt: Array(
                stride(from: entity.servedFrom + interval, through: entity.end - 24 * .hour, by: Int(interval))))
    }

    /// Which model serves when, given when trainings are asked for.
    func columns(trainingsAt times: [Milliseconds]) -> (columns: Columns, trainings: [Milliseconds]) {
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

    /// - Returns: nil where nothing could be scored.
    func wape(_ columns: Columns) -> Double? {
        let horizons = 64
        var errors: [Int: (error: Double, actual: Double)] = [:]
        for (index, column) in columns.enumerated() {
            let hour = entity.servedFrom + Int64(index) * RecordedEntity.step
            guard hour <= entity.end - 24 * .hour else { break }
            for forecast in entity.forecasts[hour] ?? [] {
                guard let predicted = entity.served(forecast, column: column),
                    let actual = entity.actuals(at: hour + Int64(forecast.horizonHours) * .hour)?[forecast.metric],
                    actual.isFinite
                else { continue }
                let key = forecast.metric * horizons + forecast.horizonHours
                let sums = errors[key] ?? (0, 0)
                errors[key] = (sums.error + abs(predicted - actual), sums.actual + abs(actual))
            }
        }
        guard !errors.isEmpty else { return nil }
        let single = errors.sorted { $0.key < $1.key }.map { $0.value.error / max($0.value.actual, 1e-12) }
        return single.reduce(0, +) / Double(single.count)
    }

    /// How many of the times lie in an hour whose mean load is above the 75th percentile of the 14 days before.
    func highLoad(_ times: [Milliseconds]) -> Int {
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
