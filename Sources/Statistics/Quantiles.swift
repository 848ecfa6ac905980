/// Quantiles by linear interpolation between the order statistics: type 7 of Hyndman and Fan (1996), numpy's default.
public enum Quantiles {
    /// The quantile of sorted values; nil if there are none.
    ///
    /// - Parameters:
    ///   - values: ascending, without NaN.
    ///   - probability: 0 ... 1; 0.5 is the median.
    public static func quantile(sorted values: [Double], _ probability: Double) -> Double? {
        interpolated(count: values.count, probability) { values[$0] }
    }

    /// The quantile of values in any order; NaN is left out; nil if nothing remains.
    public static func quantile(_ values: [Double], _ probability: Double) -> Double? {
        quantile(sorted: values.filter { !$0.isNaN }.sorted(), probability)
    }

    /// The middle value, or the mean of the two middle ones; NaN is left out; nil if nothing remains.
    public static func median(_ values: [Double]) -> Double? {
        quantile(values, 0.5)
    }

    static func interpolated(count: Int, _ probability: Double, value: (Int) -> Double) -> Double? {
        precondition(probability >= 0 && probability <= 1, "Quantiles: probability \(probability) is outside 0 ... 1")
        guard count > 0 else { return nil }
        let position = probability * Double(count - 1)
        let index = Int(position)
        let lower = value(index)
        let fraction = position - Double(index)
        guard fraction > 0 else { return lower }
        let upper = value(index + 1)
        // Equal neighbours stay exact, and infinite ones do not become NaN.
        return lower == upper ? lower : lower + (upper - lower) * fraction
    }
}
