package import Retraining

/// Holds a load that is no percentage against its own 95th percentile of 30 days, the first ones.
///
/// The scale then stays: what the load is ranked against are its own past values, which a new scale would leave behind.
package struct LoadScale {
    private static let span: Milliseconds = 30 * .day

    private var samples: [Double] = []
    private var first: Milliseconds?
    private var percentile = 0.0
    private var percentileDay: Int64 = .min

    package init() {}

    package mutating func percent(of value: Double, at time: Milliseconds) -> Double {
        let begin = first ?? time
        first = begin
        if time - begin <= Self.span {
            samples.append(value)
            let day = time / .day
            if day != percentileDay || samples.count < 48 {
                percentileDay = day
                percentile = samples.sorted()[(samples.count - 1) * 95 / 100]
            }
        }
        return percentile > 0 ? 100 * value / percentile : 0
    }
}
