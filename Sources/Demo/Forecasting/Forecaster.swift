import Foundation
import Retraining

/// A small forecasting model: one ridge regression a series and horizon on season and lag features.
///
/// It knows the season of the data that it was trained on, and follows the last values only in part. That is what
/// makes it good while the world stays as it was, and wrong when the workload changes.
struct Forecaster: Sendable {
    struct Settings: Sendable {
        /// How far ahead it predicts, in ticks.
        var horizonTicks = 2
        /// Older samples weigh less: half as much after each of these.
        var halfLife: Milliseconds = 2 * .day
        var penalty = 1.0
        /// Rows that a series needs before anything is fitted to it.
        var minimumRows = 48
        /// Whether hour and weekday mean anything: not where the data covers minutes.
        var usesSeason = true
    }

    enum TrainingError: Error, Equatable, CustomStringConvertible {
        case tooFewRows(found: Int, needed: Int)

        var description: String {
            switch self {
            case .tooFewRows(let found, let needed):
                "the training window holds \(found) complete rows, and \(needed) are needed: ask for a longer window"
            }
        }
    }

    let version: String
    let settings: Settings
    let step: Milliseconds
    let seriesCount: Int
    /// Rows that the smallest fit rests on.
    let rows: Int
    /// Mean relative error on the last day of the training window.
    let trainingError: Double
    /// Typical size of each series, so that one penalty suits all of them.
    private let scales: [Double]
    private let weights: [Double]

    /// 1, two harmonics of the day, weekend, the first harmonic on weekends, last value, the one before.
    private static let width = 10

    /// Fits a model to all rows of `table` that have no gap.
    static func train(on table: SeriesTable, version: String, settings: Settings = Settings()) throws(TrainingError)
        -> Forecaster
    {
        let ahead = table.step * Int64(settings.horizonTicks)
        let seasons = (0..<table.ticks).map { season(at: table.time(ofTick: $0) + ahead, settings) }
        let ages = (0..<table.ticks).map {
            pow(0.5, Double((table.ticks - $0)) * Double(table.step) / Double(settings.halfLife))
        }
        var scales: [Double] = []
        var weights: [Double] = []
        var fewest = Int.max
        var features = Array(repeating: 0.0, count: width)
        for series in 0..<table.seriesCount {
            let scale = mean(of: series, in: table)
            var regression = RidgeRegression(width: width)
            for tick in 1..<max(1, table.ticks - settings.horizonTicks) {
                let target = table[tick + settings.horizonTicks, series]
                let (last, previous) = (table[tick, series], table[tick - 1, series])
                guard target.isFinite, last.isFinite, previous.isFinite else { continue }
                fill(&features, season: seasons[tick], last: last / scale - 1, previous: previous / scale - 1)
                regression.add(features: features, target: target / scale - 1, weight: ages[tick])
            }
            fewest = min(fewest, regression.rows)
            guard regression.rows >= settings.minimumRows, let fitted = regression.solution(penalty: settings.penalty)
            else { throw .tooFewRows(found: regression.rows, needed: settings.minimumRows) }
            scales.append(scale)
            weights += fitted
        }
        var model = Forecaster(
            version: version, settings: settings, step: table.step, seriesCount: table.seriesCount, rows: fewest,
            trainingError: .nan, scales: scales, weights: weights)
        let lastDay = max(1, table.ticks - settings.horizonTicks - Int(.day / table.step))
        let error = model.meanError(on: table, issuedIn: lastDay..<max(lastDay, table.ticks - settings.horizonTicks))
        model = Forecaster(
            version: version, settings: settings, step: table.step, seriesCount: table.seriesCount, rows: fewest,
            trainingError: error, scales: scales, weights: weights)
        return model
    }

    /// What each series will be `horizonTicks` after `issuedAt`, given its last two values.
    func predict(issuedAt: Milliseconds, last: ArraySlice<Double>, previous: ArraySlice<Double>) -> [Double] {
        let season = Self.season(at: issuedAt + step * Int64(settings.horizonTicks), settings)
        var features = Array(repeating: 0.0, count: Self.width)
        return (0..<seriesCount).map { series in
            let scale = scales[series]
            Self.fill(
                &features, season: season, last: last[last.startIndex + series] / scale - 1,
                previous: previous[previous.startIndex + series] / scale - 1)
            var sum = 0.0
            for index in 0..<Self.width { sum += features[index] * weights[series * Self.width + index] }
            return max(0, (1 + sum) * scale).roundedToFourDigits
        }
    }

    /// Mean of |predicted − actual| / actual over the forecasts issued at the given ticks of a table.
    func meanError(on table: SeriesTable, issuedIn ticks: Range<Int>) -> Double {
        var sum = 0.0
        var count = 0
        for tick in ticks where tick >= 1 {
            let predicted = predict(
                issuedAt: table.time(ofTick: tick), last: table.row(tick), previous: table.row(tick - 1))
            for (predicted, actual) in zip(predicted, table.row(tick + settings.horizonTicks))
            where predicted.isFinite && actual > 0 {
                sum += abs(predicted - actual) / actual
                count += 1
            }
        }
        return count == 0 ? .nan : sum / Double(count)
    }

    private static func mean(of series: Int, in table: SeriesTable) -> Double {
        var sum = 0.0
        var count = 0
        for tick in 0..<table.ticks where table[tick, series].isFinite {
            sum += table[tick, series]
            count += 1
        }
        return count > 0 && sum > 0 ? sum / Double(count) : 1
    }

    /// The calendar's part of the features for a target time.
    private static func season(at time: Milliseconds, _ settings: Settings) -> [Double] {
        guard settings.usesSeason else { return [1, 0, 0, 0, 0, 0, 0, 0] }
        let moment = CalendarTime(time)
        let angle = moment.hour / 24 * 2 * .pi
        let weekend = moment.isWeekend ? 1.0 : 0.0
        return [
            1, cos(angle), sin(angle), cos(2 * angle), sin(2 * angle), weekend, weekend * cos(angle),
            weekend * sin(angle),
        ]
    }

    private static func fill(_ features: inout [Double], season: [Double], last: Double, previous: Double) {
        for index in 0..<season.count { features[index] = season[index] }
        features[season.count] = last
        features[season.count + 1] = previous
    }
}
