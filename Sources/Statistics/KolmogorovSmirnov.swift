import Glibc

/// The two-sample Kolmogorov–Smirnov test, two-sided, with the semantics of scipy's `ks_2samp`.
///
/// The statistic D is the greatest distance between the two empirical distribution functions, 0 ... 1:
/// `D = sup over x of |F_a(x) − F_b(x)|`. Ties, within a sample and between the two, are treated exactly.
///
/// ```swift
/// let d = KolmogorovSmirnov.statistic([1, 1, 2], [1, 2, 2, 3])             // 0.41666…
/// let p = KolmogorovSmirnov.pValue(statistic: d, 3, 4)                     // 0.8857…, exact
/// ```
public enum KolmogorovSmirnov {
    /// The statistic of two samples, each sorted in ascending order. O(n + m), no allocation.
    ///
    /// The differences are compared as integers, |i · m − j · n|, so that the only rounding is that of one division.
    ///
    /// - Returns: D in 0 ... 1; 0 if either sample is empty, since then nothing is known.
    /// - Precondition: both are sorted and without NaN (checked in debug builds).
    public static func statistic(sorted a: [Double], sorted b: [Double]) -> Double {
        assert(isSorted(a) && isSorted(b), "KolmogorovSmirnov: both samples must be sorted and without NaN")
        guard !a.isEmpty && !b.isEmpty else { return 0 }
        let n = a.count
        let m = b.count
        var i = 0
        var j = 0
        var greatest = 0
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                while i < n && j < m {
                    let value = min(a[i], b[j])
                    while i < n && a[i] == value { i += 1 }
                    while j < m && b[j] == value { j += 1 }
                    greatest = max(greatest, abs(i * m - j * n))
                }
            }
        }
        // Once a sample is used up the difference only shrinks: the other function climbs to 1 as well.
        return Double(greatest) / (Double(n) * Double(m))
    }

    /// The statistic of two samples in any order, both without NaN. O(n log n + m log m).
    public static func statistic(_ a: [Double], _ b: [Double]) -> Double {
        statistic(sorted: a.sorted(), sorted: b.sorted())
    }

    /// The statistic to be expected from two independent samples of one continuous distribution.
    ///
    /// It is not 0: two samples of 1000 differ by 0.039 on average. The mean of Kolmogorov's limit distribution,
    /// sqrt(π/2) · ln 2 = 0.8687 (Marsaglia, Tsang and Wang 2003), times sqrt(1/n + 1/m), at most 1. Samples whose
    /// values depend on one another, as those of a time series do, differ by more.
    public static func expectedStatistic(_ n: Int, _ m: Int) -> Double {
        guard n > 0 && m > 0 else { return 0 }
        return min(1, (Double.pi / 2).squareRoot() * log(2.0) * (1 / Double(n) + 1 / Double(m)).squareRoot())
    }

    private static func isSorted(_ values: [Double]) -> Bool {
        guard let first = values.first, !first.isNaN else { return values.isEmpty }
        return zip(values, values.dropFirst()).allSatisfy { $0 <= $1 }
    }
}
