import Statistics
import Testing

/// Protects the shadow forecaster's recursion: it learns, it forgets, and nothing an input says makes it lose its mind.
struct RecursiveLeastSquaresTests {
    private typealias Model = RecursiveLeastSquares<5>

    @Test func knownWeightsAreRecovered() {
        var random = SplitMix64(seed: 1)
        var model = Model(weights: [0, 1, 0, 0, 0])
        let truth: InlineArray<5, Double> = [0.3, 0.6, -0.2, 0.4, 0.1]
        for _ in 0..<3000 {
            let inputs = inputs(&random)
            model.update(inputs, target: dot(truth, inputs) + 0.01 * random.normal())
        }
        for index in 0..<5 { #expect(abs(model.weights[index] - truth[index]) < 0.02) }
        #expect(model.updateCount == 3000 && model.rejectedCount == 0 && model.resetCount == 0)
    }

    /// After a change the old weights are forgotten at the rate of the forgetting factor.
    @Test func changedWeightsAreFollowed() {
        var random = SplitMix64(seed: 2)
        var model = Model(weights: [0, 1, 0, 0, 0], forgetting: 0.98)
        for sign in [1.0, -1.0] {
            for _ in 0..<600 {
                let inputs = inputs(&random)
                model.update(inputs, target: sign * inputs[2])
            }
            #expect(abs(model.weights[2] - sign) < 0.03)
        }
    }

    /// Without forgetting the recursion is ridge regression towards the start, which one weight solves by hand.
    @Test func withoutForgettingItIsRidgeRegression() throws {
        var model = RecursiveLeastSquares<1>(weights: [2], forgetting: 1, initialVariance: 4)
        for (x, y) in [(1.0, 3.0), (2, 5), (-1, -4)] { model.update([x], target: y) }
        // (Σ x y + w₀ / v) / (Σ x² + 1 / v)
        #expect(abs(model.weights[0] - (3 + 10 + 4 + 0.5) / (6 + 0.25)) < 1e-12)
        // The returned error is that before learning.
        let error = try #require(RecursiveLeastSquares<1>(weights: [2]).predict([3]))
        #expect(error == 6)
        var other = RecursiveLeastSquares<1>(weights: [2])
        let first = other.update([3], target: 7)
        #expect(first == 1)
    }

    /// Where inputs carry no information the covariance must not wind up, and one odd sample must not throw the weights.
    @Test func inputsWithoutInformationDoNotWindItUp() throws {
        var model = Model(weights: [0, 1, 0, 0, 0])
        for _ in 0..<100_000 { model.update([1, 1, 1, 0, 0], target: 1) }
        #expect(model.resetCount == 0)
        let before = try #require(model.predict([1, 1, 1, 0, 0]))
        #expect(abs(before - 1) < 0.01)
        model.update([1, 2, 0, 1, 1], target: 3)
        for index in 0..<5 { #expect(abs(model.weights[index]) < 5) }
        #expect(abs(try #require(model.predict([1, 1, 1, 0, 0])) - 1) < 1)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func nothingMakesItNotANumber(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var model = Model(weights: [0, 1, 0, 0, 0], forgetting: [1, 0.996, 0.9, 0.5][Int(seed % 4)])
        let odd = [0, -0.0, 1, -1, 1e-320, 1e-160, 1e150, -1e200, 1e308, .infinity, -.infinity, .nan]
        for _ in 0..<2000 {
            var inputs = InlineArray<5, Double>(repeating: 0)
            for index in 0..<5 {
                inputs[index] = random.below(3) == 0 ? odd[random.below(odd.count)] : random.normal()
            }
            let target = random.below(4) == 0 ? odd[random.below(odd.count)] : random.normal()
            if let error = model.update(inputs, target: target) { #expect(error.isFinite) }
            if let prediction = model.predict(inputs) { #expect(prediction.isFinite) }
        }
        #expect(model.state.allSatisfy { $0.isFinite })
        #expect(model.rejectedCount > 0)
    }

    /// After the worst it must be of use again.
    @Test func itRecoversFromHugeInputs() {
        var random = SplitMix64(seed: 9)
        var model = Model(weights: [0, 1, 0, 0, 0], forgetting: 0.98)
        for _ in 0..<50 { model.update([1, 1e120, -1e90, 1e60, 1], target: 1e100) }
        for _ in 0..<3000 {
            let inputs = inputs(&random)
            model.update(inputs, target: inputs[3])
        }
        #expect(abs(model.weights[3] - 1) < 0.05)
        #expect(abs(model.weights[1]) < 0.05)
    }

    @Test func rejectedObservationsChangeNothingButTheirCount() {
        var model = Model(weights: [0, 1, 0, 0, 0])
        model.update([1, 2, 3, 4, 5], target: 2)
        let before = model.state
        let errors = [
            model.update([1, .nan, 0, 0, 0], target: 1), model.update([1, 0, 0, 0, 0], target: .infinity),
        ]
        #expect(errors == [nil, nil])
        #expect(model.predict([1, .infinity, 0, 0, 0]) == nil)
        var after = model.state
        #expect(model.rejectedCount == 2)
        after[3] = before[3]
        #expect(after == before)
    }

    @Test func aRestoredStateGoesOnBitForBit() throws {
        var random = SplitMix64(seed: 11)
        var model = Model(weights: [0, 1, 0, 0, 0])
        for _ in 0..<123 { model.update(inputs(&random), target: random.normal()) }
        var restored = try #require(Model(state: model.state))
        for _ in 0..<200 {
            let inputs = inputs(&random)
            let target = random.normal()
            let errors = [model.update(inputs, target: target), restored.update(inputs, target: target)]
            #expect(errors[0] == errors[1])
        }
        #expect(model.state == restored.state)
    }

    @Test func impossibleStatesAreRefused() {
        let state = Model(weights: [0, 1, 0, 0, 0]).state
        #expect(Model(state: state) != nil)
        #expect(Model(state: []) == nil)
        #expect(RecursiveLeastSquares<4>(state: state) == nil)
        for (index, value) in [(0, 0.0), (0, 1.5), (1, -1), (2, -1), (3, 0.5), (5, .nan), (15, 0), (15, -2)] {
            var broken = state
            broken[index] = value
            #expect(Model(state: broken) == nil, "state[\(index)] = \(value)")
        }
    }

    private func inputs(_ random: inout SplitMix64) -> InlineArray<5, Double> {
        [1, random.normal(), random.normal(), random.normal(), random.normal()]
    }

    private func dot(_ left: InlineArray<5, Double>, _ right: InlineArray<5, Double>) -> Double {
        var sum = 0.0
        for index in 0..<5 { sum += left[index] * right[index] }
        return sum
    }
}
