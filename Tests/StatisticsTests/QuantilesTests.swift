import Statistics
import Testing

/// Protects quantiles of type 7 by hand values, as numpy gives them.
struct QuantilesTests {
    @Test func handValues() {
        #expect(Quantiles.quantile([3, 1, 2, 4], 0.25) == 1.75)
        #expect(Quantiles.quantile([3, 1, 2, 4], 0) == 1)
        #expect(Quantiles.quantile([3, 1, 2, 4], 1) == 4)
        #expect(Quantiles.quantile([7], 0.3) == 7)
        #expect(Quantiles.median([5, 1, 3]) == 3)
        #expect(Quantiles.median([4, 1, 3, 2]) == 2.5)
        #expect(abs(Quantiles.quantile((1...10).map(Double.init), 0.95)! - 9.55) < 1e-14)
    }

    @Test func whatIsNoNumberIsLeftOut() {
        #expect(Quantiles.median([.nan, 1, .nan, 3]) == 2)
        #expect(Quantiles.median([.nan]) == nil)
        #expect(Quantiles.quantile([], 0.5) == nil)
        #expect(Quantiles.quantile([.infinity, .infinity, 1], 0.75) == .infinity)
    }
}
