import Glibc

/// Functions of the C library that decisions rest on, in one place.
///
/// They are within one unit in the last place and the same on every machine with the same library; a replay elsewhere
/// may differ in the last digit of a weight.
enum Portable {
    static func exp(_ value: Double) -> Double { Glibc.exp(value) }

    /// By repeated multiplication: the same everywhere.
    static func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<max(0, exponent) { result *= base }
        return result
    }
}
