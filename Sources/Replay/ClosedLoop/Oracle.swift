package import Retraining

/// The best that a given number of trainings could have done: chosen afterwards, with all forecasts of all candidate
/// models known.
///
/// Trainings of the oracle are asked for at midnight (UTC), when a new candidate comes up, and serve from an hour later,
/// by the rules that everybody else is held to. The choice is exact: WAPE is a sum over hours once its denominators are
/// known, so dynamic programming over (day, trainings so far) finds the least.
package struct Oracle {
    /// By number of trainings: the WAPE, and when they are asked for.
    package struct Choice: Sendable, Equatable {
        package var wape: Double
        package var trainings: [Milliseconds]
    }

    private let entity: RecordedEntity
    /// Midnights at which a training may be asked for.
    private let midnights: [Milliseconds]
    /// By model, then hour: what serving it up to that hour would have cost.
    private let costs: [[Double]]
    private let hours: Int

    package init(_ entity: RecordedEntity) {
        self.entity = entity
        let last = entity.end - 24 * .hour
        hours = max(0, Int((last - entity.servedFrom) / .hour) + 1)
        midnights = entity.models.filter { $0 > entity.servedFrom && $0 <= last }
        let weights = Self.weights(entity, last)
        costs = entity.models.indices.map { column in
            var sums = [0.0]
            for hour in stride(from: entity.servedFrom, through: last, by: Int(RecordedEntity.step)) {
                var cost = 0.0
                for stored in entity.forecasts[hour] ?? [] {
                    guard let predicted = entity.served(stored, column: column),
                        let actual = entity.actuals(at: hour + Int64(stored.horizonHours) * .hour)?[stored.metric],
                        actual.isFinite
                    else { continue }
                    cost += abs(predicted - actual) * (weights[Self.key(stored)] ?? 0)
                }
                sums.append(sums.last! + cost)
            }
            return sums
        }
    }

    private static func key(_ stored: RecordedEntity.StoredForecast) -> Int { stored.metric * 64 + stored.horizonHours }

    /// What an error of 1 costs, by metric and horizon: one over the sum of actuals, over the number of pairs.
    private static func weights(_ entity: RecordedEntity, _ last: Milliseconds) -> [Int: Double] {
        var sums: [Int: Double] = [:]
        for hour in stride(from: entity.servedFrom, through: last, by: Int(RecordedEntity.step)) {
            for stored in entity.forecasts[hour] ?? [] {
                guard let actual = entity.actuals(at: hour + Int64(stored.horizonHours) * .hour)?[stored.metric],
                    actual.isFinite
                else { continue }
                sums[key(stored), default: 0] += abs(actual)
            }
        }
        let count = Double(max(1, sums.count))
        return sums.mapValues { 1 / max($0, 1e-12) / count }
    }

    /// The best choices of 0, 1, … `most` trainings.
    package func choices(upTo most: Int) -> [Choice] {
        guard hours > 0 else { return [] }
        // Candidate 0 is the first model, from the first hour; the others serve from an hour after their midnight.
        let starts = [0] + midnights.map { min(hours, Int(($0 - entity.servedFrom) / .hour) + 1) }
        let columns = [0] + midnights.map { entity.newestModel(at: $0) }
        func cost(_ candidate: Int, until end: Int) -> Double {
            costs[columns[candidate]][end] - costs[columns[candidate]][starts[candidate]]
        }
        let most = min(most, midnights.count)
        // best[k][c]: least cost of everything before c begins to serve, with c as the k-th training.
        var best = [[Double]](repeating: [Double](repeating: .infinity, count: starts.count), count: most + 1)
        var before = [[Int]](repeating: [Int](repeating: -1, count: starts.count), count: most + 1)
        best[0][0] = 0
        for count in stride(from: 1, through: most, by: 1) {
            for candidate in 1..<starts.count {
                for earlier in 0..<candidate where best[count - 1][earlier].isFinite {
                    let total = best[count - 1][earlier] + cost(earlier, until: starts[candidate])
                    if total < best[count][candidate] {
                        best[count][candidate] = total
                        before[count][candidate] = earlier
                    }
                }
            }
        }
        return (0...most).map { count in
            let totals = starts.indices.map { best[count][$0] + cost($0, until: hours) }
            var candidate = totals.indices.min { (totals[$0], $0) < (totals[$1], $1) }!
            let wape = totals[candidate]
            var times: [Milliseconds] = []
            for step in stride(from: count, to: 0, by: -1) {
                times.append(midnights[candidate - 1])
                candidate = before[step][candidate]
            }
            return Choice(wape: wape, trainings: times.reversed())
        }
    }
}
