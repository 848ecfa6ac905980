import Glibc

/// The distribution of the one-sample, two-sided Kolmogorov–Smirnov statistic D of n values.
///
/// The choice of method by region follows Simard and L'Ecuyer (2011), "Computing the Two-Sided Kolmogorov–Smirnov
/// Distribution", Journal of Statistical Software 39 (11), as scipy's `kstwo.sf` has it; where that uses Pomeranz's
/// recursion for up to 140 values, Durbin's matrix serves here too.
enum KolmogorovDistribution {
    /// P(D ≥ x) for a sample of `sampleSize` values, at least 1.
    static func survival(_ x: Double, sampleSize: Int) -> Double {
        let n = Double(sampleSize)
        if x >= 1 { return 0 }
        if x <= 0 { return 1 }
        let t = n * x
        if t <= 0.5 { return 1 }
        if t <= 1 { return 1 - lowestCells(t, sampleSize: sampleSize) }
        if t >= n - 1 { return min(1, 2 * pow(1 - x, n)) }
        // From x = 1/2 on, D⁺ and D⁻ cannot both be that large: exactly twice the one-sided probability.
        if x >= 0.5 { return min(1, 2 * oneSided(x, sampleSize: sampleSize)) }
        let scaled = t * x
        if sampleSize <= 140 {
            if scaled <= 4 { return 1 - durbin(x, sampleSize: sampleSize) }
            return min(1, 2 * oneSided(x, sampleSize: sampleSize))
        }
        if scaled >= 370 { return 0 }
        if scaled >= 2.2 { return min(1, 2 * oneSided(x, sampleSize: sampleSize)) }
        if sampleSize <= 100_000 && n * pow(x, 1.5) <= 1.4 { return 1 - durbin(x, sampleSize: sampleSize) }
        return 1 - pelzGood(x, sampleSize: sampleSize)
    }

    /// P(D < t/n) for 1/2 < t ≤ 1: n! · ((2t − 1) / n)^n (Ruben and Gambino 1982).
    private static func lowestCells(_ t: Double, sampleSize: Int) -> Double {
        let n = Double(sampleSize)
        guard sampleSize > 140 else {
            var product = 1.0
            for i in 1...sampleSize { product *= Double(i) / n * (2 * t - 1) }
            return product
        }
        // n!/n^n without the cancellation of ln n! against n ln n.
        let logFactor = log(2 * Double.pi * n) / 2 - n + stirlingError(n)
        return exp(logFactor + n * log(2 * t - 1))
    }
}

// MARK: - One-sided

extension KolmogorovDistribution {
    /// P(D⁺ ≥ x): x · Σ binom(n, j) (x + j/n)^(j−1) (1 − x − j/n)^(n−j), 0 ≤ j ≤ n (1 − x).
    ///
    /// Smirnov (1944), Birnbaum and Tingey (1951). All terms are positive. Each is a binomial probability with mean
    /// n · (x + j/n), written as Loader (2000) does, by Stirling's error, so that no large logarithms cancel.
    ///
    /// For many values the terms are samples of a smooth function of j, which at both ends vanishes together with all
    /// its derivatives (as exp(−n x² / (2 t (1 − t))), t = j/n). For such a function the sum over every s-th term,
    /// times s, equals the sum over all of them but for an error that is exponentially small in n/s (the trapezoidal
    /// rule; Trefethen and Weideman 2014). About 200 terms then give full accuracy, whatever n is. The ends vanish like
    /// exp(−n x (1 − 2x)), which the condition keeps below 10⁻¹² of the whole.
    static func oneSided(_ x: Double, sampleSize: Int) -> Double {
        let isSmooth = sampleSize > 400 && x < 0.25 && Double(sampleSize) * x * (1 - 2 * x) >= 28
        return oneSided(x, sampleSize: sampleSize, step: isSmooth ? sampleSize / 200 : 1)
    }

    static func oneSided(_ x: Double, sampleSize: Int, step: Int) -> Double {
        let n = Double(sampleSize)
        let distance = n * x
        let errorOfN = stirlingError(n)
        var sum = step == 1 ? exp(n * log1p(-x)) : 0
        var j = step
        while j < sampleSize {
            let count = Double(j)
            let rest = n - count
            guard rest > distance else { break }
            let exponent =
                count * log1p(distance / count) + rest * log1p(-distance / rest)
                + (errorOfN - stirlingError(count) - stirlingError(rest))
            sum += exp(exponent) * (n / (2 * Double.pi * count * rest)).squareRoot() * (distance / (distance + count))
            j += step
        }
        return sum * Double(step)
    }

    /// ln n! − (n + 1/2) ln n + n − ln(2π)/2 for a whole number n ≥ 1.
    static func stirlingError(_ n: Double) -> Double {
        if n < 16 { return smallStirlingErrors[Int(n)] }
        let inverse = 1 / n
        let square = inverse * inverse
        // The series 1/(12 n) − 1/(360 n³) + …, whose next term is below 10⁻¹⁶ from n = 16 on.
        return inverse
            * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188)))))
    }

    private static let smallStirlingErrors: [Double] = {
        var errors = [0.0]
        var factorial = 1.0
        for n in 1..<16 {
            let value = Double(n)
            factorial *= value
            errors.append(log(factorial) - (value + 0.5) * log(value) + value - log(2 * Double.pi) / 2)
        }
        return errors
    }()
}
