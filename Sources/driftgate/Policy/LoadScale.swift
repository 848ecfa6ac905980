import Retraining

/// Holds a load that is no percentage against its own 95th percentile of 30 days.
struct LoadScale {
    private var samples: [(at: Milliseconds, value: Double)] = []
    private var percentile: Double?
    private var percentileDay: Int64 = .min

    mutating func percent(of value: Double, at time: Milliseconds) -> Double {
        samples.append((time, value))
        let day = time / .day
        if day != percentileDay || samples.count < 48 {
            percentileDay = day
            samples.removeAll { $0.at < time - 30 * .day }
            let sorted = samples.map(\.value).sorted()
            percentile = sorted[(sorted.count - 1) * 95 / 100]
        }
        guard let percentile, percentile > 0 else { return 0 }
        return min(100, 100 * value / percentile)
    }
}
