import Statistics

/// A cheap online forecaster that sees the same actuals as the model: what a forecast could have been without training.
///
/// Recursive least squares on (1, the model's forecast, last value, same hour yesterday, same hour last week), all
/// divided by the series' scale, started as the model's own forecast. Beside it the *experts* (the least squares and
/// its three plain inputs), of which the one with the least recent error is used: after a shift of phase, "yesterday"
/// wins on the second day. One serves all entities of a (metric, horizon bucket).
struct ShadowForecaster {
    /// The inputs of one forecast, in units of `scale`.
    struct Inputs: Equatable {
        var forecast: Double
        var last: Double
        var yesterday: Double
        var lastWeek: Double
        var scale: Double
    }

    struct Forecast: Equatable {
        /// By the least squares, and by the best expert; in units of the scale.
        var regression: Double
        var expert: Double
    }

    /// Forgetting an hour, not a pair: at 1000 pairs an hour the memory is still 250 h, ten days.
    static let forgettingPerHour = 0.996
    /// Hours over which the experts' errors fade: one season.
    static let expertMemory = 24.0

    var regression = RecursiveLeastSquares<5>(weights: [0, 1, 0, 0, 0], forgetting: 1, initialVariance: 1)
    var expertErrors: InlineArray<4, Double> = [0, 0, 0, 0]
    var hour: Int64?

    func forecast(_ inputs: Inputs) -> Forecast {
        let regression = regression.predict(Self.vector(inputs)) ?? inputs.forecast
        let candidates: InlineArray<4, Double> = [regression, inputs.last, inputs.yesterday, inputs.lastWeek]
        var best = 0
        for index in 1..<4 where expertErrors[index] < expertErrors[best] { best = index }
        return Forecast(regression: regression, expert: candidates[best])
    }

    /// Learns from what happened.
    ///
    /// - Parameters:
    ///   - actual: in units of the scale.
    ///   - made: the forecast that was made then.
    ///   - normaliser: mean magnitude of the series, in units of the scale; errors are counted relative to it.
    ///   - targetHour: hours since 1970 of the time forecast for.
    mutating func learn(
        _ inputs: Inputs, actual: Double, made: Forecast, normaliser: Double, targetHour: Int64
    ) {
        let passed = max(0, targetHour - (hour ?? targetHour))
        if passed > 0 {
            regression.forget(Portable.power(Self.forgettingPerHour, Int(min(passed, 168))))
            let fade = Portable.exp(-Double(passed) / Self.expertMemory)
            for index in 0..<4 { expertErrors[index] *= fade }
        }
        hour = max(hour ?? targetHour, targetHour)
        let candidates: InlineArray<4, Double> = [made.regression, inputs.last, inputs.yesterday, inputs.lastWeek]
        for index in 0..<4 { expertErrors[index] += abs(candidates[index] - actual) / normaliser }
        regression.update(Self.vector(inputs), target: actual)
    }

    private static func vector(_ inputs: Inputs) -> RecursiveLeastSquares<5>.Vector {
        [1, inputs.forecast, inputs.last, inputs.yesterday, inputs.lastWeek]
    }
}
