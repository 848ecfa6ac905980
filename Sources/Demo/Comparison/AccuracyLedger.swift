import Retraining

/// Joins forecasts with what then happened, and keeps the mean relative error of every moment.
struct AccuracyLedger: Sendable {
    private var open: [Milliseconds: [Double]] = [:]
    private var errors: [Milliseconds: Double] = [:]

    /// Notes what the serving version forecast for `time`, series by series.
    mutating func predicted(_ values: [Double], for time: Milliseconds) {
        open[time] = values
    }

    /// Notes what happened at `time`.
    mutating func observed(_ values: ArraySlice<Double>, at time: Milliseconds) {
        guard let predicted = open.removeValue(forKey: time) else { return }
        var sum = 0.0
        var count = 0
        for (predicted, actual) in zip(predicted, values) where actual > 0 {
            sum += abs(predicted - actual) / actual
            count += 1
        }
        if count > 0 { errors[time] = sum / Double(count) }
    }

    /// Mean of |predicted − actual| / actual over [from, to); nil where nothing was scored.
    func meanError(from: Milliseconds, to: Milliseconds) -> Double? {
        let within = errors.filter { $0.key >= from && $0.key < to }.sorted { $0.key < $1.key }
        return within.isEmpty ? nil : within.reduce(0) { $0 + $1.value } / Double(within.count)
    }

    func accuracy(from: Milliseconds, to: Milliseconds) -> Double? {
        meanError(from: from, to: to).map { max(0, 1 - $0) }
    }
}
