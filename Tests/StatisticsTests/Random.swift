/// SplitMix64 (Steele, Lea and Flood 2014): the generator of the reference vectors' recipes, and of the tests' seeds.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Uniform in [0, 1), a multiple of 2^−53.
    mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Nearly normal with mean 0 and variance 1: twelve uniform numbers, summed from left to right, less 6.
    mutating func normal() -> Double {
        var sum = 0.0
        for _ in 0..<12 { sum += uniform() }
        return sum - 6
    }

    /// Uniform in 0 ..< bound, for tests that need no perfect evenness.
    mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }
}
