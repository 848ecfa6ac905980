/// Control of the false discovery rate over many tests.
///
/// Benjamini and Hochberg (1995), "Controlling the False Discovery Rate", Journal of the Royal Statistical Society B
/// 57: of the tests reported as significant, at most the given share is false on average. Same results as scipy's
/// `false_discovery_control(method="bh")`.
public enum BenjaminiHochberg {
    /// The adjusted p-values, in the order given: the smallest rate at which each test would be rejected.
    ///
    /// `p₍ᵢ₎ · m / i`, made monotone from the largest down, at most 1. A NaN is a test that says nothing: it counts as 1.
    public static func adjusted(_ pValues: [Double]) -> [Double] {
        let values = pValues.map { $0.isNaN ? 1 : min(max($0, 0), 1) }
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var adjusted = [Double](repeating: 1, count: values.count)
        var smallest = 1.0
        for position in order.indices.reversed() {
            smallest = min(smallest, values[order[position]] * Double(values.count) / Double(position + 1))
            adjusted[order[position]] = smallest
        }
        return adjusted
    }

    /// Which tests are rejected, in the order given.
    ///
    /// - Parameter falseDiscoveryRate: the share of false rejections to allow, 0 ... 1.
    public static func rejected(_ pValues: [Double], falseDiscoveryRate: Double) -> [Bool] {
        adjusted(pValues).map { $0 <= falseDiscoveryRate }
    }
}
