import Statistics
import Testing

/// Protects the multiple-testing correction, which decides which metrics are called drifted.
struct BenjaminiHochbergTests {
    /// The worked example of Benjamini and Hochberg (1995), section 4.1: at 0.05 four of fifteen are rejected.
    @Test func publishedExample() {
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0000,
        ]
        #expect(BenjaminiHochberg.rejected(p, falseDiscoveryRate: 0.05).count { $0 } == 4)
        let adjusted = BenjaminiHochberg.adjusted(p)
        #expect(abs(adjusted[0] - 0.0015) < 1e-15)
        #expect(abs(adjusted[3] - 0.0095 * 15 / 4) < 1e-15)
        // Made monotone: 0.0278 · 15/6 and 0.0298 · 15/7 are lifted no higher than the one after.
        #expect(abs(adjusted[5] - 0.0298 * 15 / 7) < 1e-15)
        #expect(adjusted[14] == 1)
    }

    @Test func orderOfTheTestsDoesNotMatter() {
        #expect(BenjaminiHochberg.rejected([0.9, 0.001, 0.03], falseDiscoveryRate: 0.05) == [false, true, true])
        #expect(BenjaminiHochberg.adjusted([0.04, 0.04]) == [0.04, 0.04])
        #expect(BenjaminiHochberg.adjusted([]).isEmpty)
    }

    @Test func aTestThatSaysNothingIsNotRejected() {
        #expect(BenjaminiHochberg.adjusted([.nan, 0.01]) == [1, 0.02])
        #expect(BenjaminiHochberg.rejected([.nan], falseDiscoveryRate: 0.05) == [false])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func adjustedValuesKeepTheOrderAndNeverFall(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let p = (0..<30).map { _ in (random.uniform() * 20).rounded() / 20 }
        let adjusted = BenjaminiHochberg.adjusted(p)
        for i in p.indices {
            #expect(adjusted[i] >= p[i] && adjusted[i] <= 1)
            for j in p.indices where p[i] <= p[j] { #expect(adjusted[i] <= adjusted[j]) }
        }
    }
}
