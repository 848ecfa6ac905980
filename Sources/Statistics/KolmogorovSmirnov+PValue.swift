extension KolmogorovSmirnov {
    /// How a p-value is computed.
    public enum Method: String, Sendable, CaseIterable {
        /// Exact while neither sample has more than 10 000 values, else asymptotic.
        case automatic
        /// By counting lattice paths: O(n) for equal sizes, O(n · m · D) otherwise (1000 against 10 000: milliseconds).
        ///
        /// Sizes whose product, each divided by their greatest common divisor, reaches 2^31 − 1 are computed
        /// asymptotically.
        case exact
        /// By the one-sample distribution for round(n · m / (n + m)) values: microseconds.
        case asymptotic
    }

    /// A p-value, 0 ... 1, and the method that was used for it: never `automatic`.
    public struct PValue: Sendable, Equatable {
        public let value: Double
        public let method: Method
    }

    /// The largest sample for which `automatic` is exact.
    public static var automaticExactLimit: Int { 10_000 }

    /// The probability that two samples of one continuous distribution differ by at least `statistic`.
    ///
    /// Follows scipy 1.17 `ks_2samp(alternative="two-sided")`, with two deliberate differences. Where rounding lifts
    /// scipy's exact result above 1 it falls back to the asymptotic value; here the result is the exact one, 1. And for
    /// two samples of one value each the asymptotic method has no sample size (round(1/2) = 0), for which scipy
    /// answers NaN; here the result is 1, which is the exact p-value of that case.
    ///
    /// - Parameters:
    ///   - statistic: D of the two samples, 0 ... 1.
    ///   - n: number of values in one sample, at least 1.
    ///   - m: number of values in the other, at least 1.
    public static func pValue(statistic: Double, _ n: Int, _ m: Int, method: Method = .automatic) -> PValue {
        precondition(n >= 1 && m >= 1, "KolmogorovSmirnov: a p-value needs at least one value in each sample")
        precondition(statistic >= 0 && statistic <= 1 + 1e-9, "KolmogorovSmirnov: \(statistic) is outside 0 ... 1")
        let divisor = greatestCommonDivisor(n, m)
        let isExact =
            switch method {
            case .automatic: max(n, m) <= automaticExactLimit
            case .exact: Double(n / divisor) * Double(m / divisor) < 2_147_483_647
            case .asymptotic: false
            }
        if isExact {
            let steps = Int((statistic * Double(n / divisor * m)).rounded(.toNearestOrEven))
            return PValue(value: exact(steps: steps, n, m, divisor: divisor), method: .exact)
        }
        let size = (Double(n) * (Double(m) / (Double(n) + Double(m)))).rounded(.toNearestOrEven)
        let value = size == 0 ? 1 : KolmogorovDistribution.survival(statistic, sampleSize: Int(size))
        return PValue(value: min(max(value, 0), 1), method: .asymptotic)
    }

    /// The exact probability of D ≥ `steps` / lcm(n, m).
    static func exact(steps: Int, _ n: Int, _ m: Int, divisor: Int) -> Double {
        guard steps > 0 else { return 1 }
        let value =
            n == m
            ? equalSizes(count: n, distance: steps)
            : outsideProbability(longer: max(n, m), shorter: min(n, m), divisor: divisor, distance: steps)
        return min(max(value, 0), 1)
    }

    /// P(D ≥ h/n) for two samples of n values: 2 · Σ (−1)^(k+1) binom(2n, n − k·h) / binom(2n, n), k = 1, 2, …
    ///
    /// Gnedenko and Korolyuk (1951); Hodges (1958), equation 2.3. The alternating sum cancels, so it is factored by
    /// Horner's rule into 2 · A₁ (1 − A₂ (1 − A₃ (…))), where Aₖ is the quotient of adjacent binomials, a product of
    /// h factors.
    private static func equalSizes(count n: Int, distance h: Int) -> Double {
        var nested = 0.0
        var k = n / h - 1
        while k >= 0 {
            var quotient = 1.0
            for j in 0..<h {
                quotient = Double(n - k * h - j) * quotient / Double(n + k * h + j + 1)
            }
            nested = quotient * (1 - nested)
            k -= 1
        }
        return 2 * nested
    }

    /// The share of the lattice paths from (0, 0) to (longer, shorter) that touch or leave the band of the statistic.
    ///
    /// The pooled order of two samples is such a path, all equally likely under the hypothesis; D ≥ d means that it
    /// reaches a point with |i / longer − j / shorter| ≥ d (Hodges 1958). Let A(i, j) be that share for the paths that
    /// end in (i, j): 1 outside the band, and inside it, by where the last step came from,
    /// `A(i, j) = (i · A(i − 1, j) + j · A(i, j − 1)) / (i + j)`.
    /// All terms are positive: small p-values keep their relative accuracy, and nothing overflows.
    private static func outsideProbability(longer: Int, shorter: Int, divisor: Int, distance h: Int) -> Double {
        let longerSteps = longer / divisor
        let shorterSteps = shorter / divisor
        // Whatever is not in the band of its column is 1; the band only moves upward.
        var column = [Double](repeating: 1, count: shorter + 1)
        var previousFirst = 0
        for i in 0...longer {
            let ahead = i * shorterSteps
            // Inside: −h < ahead − j · longerSteps < h.
            let first = ahead < h ? 0 : (ahead - h) / longerSteps + 1
            let last = min((ahead + h - 1) / longerSteps, shorter)
            guard first <= last else { return 1 }
            column.withUnsafeMutableBufferPointer { column in
                for j in previousFirst..<first { column[j] = 1 }
                var below = 1.0
                var start = first
                if i == 0 {
                    // Paths straight up from the origin cannot have left the band below `last`.
                    for j in first...last { column[j] = 0 }
                    return
                }
                if start == 0 {
                    below = column[0]
                    start = 1
                }
                let fromLeft = Double(i)
                var total = Double(i + start)
                var fromBelow = Double(start)
                for j in start..<(last + 1) {
                    let inverse = 1 / total
                    below = column[j] * (fromLeft * inverse) + below * (fromBelow * inverse)
                    column[j] = below
                    total += 1
                    fromBelow += 1
                }
            }
            previousFirst = first
        }
        return column[shorter]
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}
