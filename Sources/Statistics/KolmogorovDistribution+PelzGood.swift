import Glibc

extension KolmogorovDistribution {
    /// P(D < x), asymptotic with three correction terms: K₀(z) + K₁(z)/√n + K₂(z)/n + K₃(z)/n^(3/2), z = x √n.
    ///
    /// Pelz and Good (1976), "Approximating the Lower Tail-areas of the Kolmogorov-Smirnov One-sample Statistic",
    /// Journal of the Royal Statistical Society B 38, equations 6 to 10, in the form of Simard and L'Ecuyer (2011),
    /// section 2.5. Each K is a theta series in exp(−π²/(8 z²)) over odd numbers, K₂ and K₃ have a second one in
    /// exp(−π²/(2 z²)) over whole numbers. They converge fast, since here z is small.
    static func pelzGood(_ x: Double, sampleSize: Int) -> Double {
        let n = Double(sampleSize)
        let z = x * n.squareRoot()
        let z2 = z * z
        let (z4, z6, z8) = (z2 * z2, z2 * z2 * z2, z2 * z2 * z2 * z2)
        let pi2 = Double.pi * Double.pi
        let (pi4, pi6) = (pi2 * pi2, pi2 * pi2 * pi2)
        guard -pi2 / 8 / z2 > -708 else { return 0 }

        var k0 = 0.0
        var k1 = 0.0
        var k2 = 0.0
        var k3 = 0.0
        var k2Extra = 0.0
        var k3Extra = 0.0
        let terms = Int((16 * z / Double.pi).rounded(.up))
        // Smallest terms first.
        for k in stride(from: terms, through: 1, by: -1) {
            let m = Double(2 * k - 1)
            let (m2, m4, m6) = (m * m, m * m * m * m, m * m * m * m * m * m)
            let weight = exp(-pi2 * m2 / (8 * z2))
            k0 += weight
            k1 += weight * (-z2 + pi2 / 4 * m2)
            k2 += weight * (6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * pi2 / 4 * m2 + pi4 * (1 - 2 * z2) / 16 * m4)
            k3 +=
                weight
                * (-30 * z6 - 90 * z8 + pi2 * (135 * z4 - 96 * z6) / 4 * m2
                    + pi4 * (-60 * z2 + 212 * z4) / 16 * m4 + pi6 * (5 - 30 * z2) / 64 * m6)
            let j2 = Double(k) * Double(k)
            let evenWeight = exp(-pi2 * j2 / (2 * z2))
            k2Extra += evenWeight * j2
            k3Extra += evenWeight * j2 * (3 * z2 - pi2 * j2)
        }
        let root = (2 * Double.pi).squareRoot()
        k0 *= root / z
        k1 *= root / (6 * z4)
        k2 = k2 * root / (72 * z6 * z) - k2Extra * pi2 * root / (36 * z2 * z)
        k3 = k3 * root / (6480 * z8 * z2) + k3Extra * pi2 * root / (216 * z6)
        return min(max(k0 + (k1 + (k2 + k3 / n.squareRoot()) / n.squareRoot()) / n.squareRoot(), 0), 1)
    }
}
