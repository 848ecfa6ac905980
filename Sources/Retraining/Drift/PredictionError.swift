/// Error of the predictions of one metric over its windows, by every measure.
///
/// MAPE is mean(|p − a| / a) over a > 0 (SOURCE.md section 2.2); WAPE is Σ|p − a| / Σ|a|; sMAPE is mean(2|p − a| /
/// (|p| + |a|)); MASE is Σ|p − a| / Σ|n − a| with n the last value before (Hyndman and Koehler, Int. J. Forecasting
/// 2006). All are ratios, 0 is perfect.
struct PredictionError {
    private(set) var pairs = 0
    /// Pairs that MAPE leaves out since the actual is at or below 0.
    private(set) var skipped = 0
    private var percentage = 0.0
    private var absolute = 0.0
    private var magnitude = 0.0
    private var symmetric = 0.0
    private var scaledAbsolute = 0.0
    private var naive = 0.0
    private var naivePairs = 0

    mutating func add(_ sample: ErrorSample) {
        pairs += 1
        let error = abs(sample.predicted - sample.actual)
        if sample.actual > 0 { percentage += error / sample.actual } else { skipped += 1 }
        absolute += error
        magnitude += abs(sample.actual)
        let size = abs(sample.predicted) + abs(sample.actual)
        if size > 0 { symmetric += 2 * error / size }
        if !sample.naive.isNaN {
            scaledAbsolute += error
            naive += abs(sample.naive - sample.actual)
            naivePairs += 1
        }
    }

    var mape: Double? { pairs > skipped ? Self.finite(percentage / Double(pairs - skipped)) : nil }
    var wape: Double? { magnitude > 0 ? Self.finite(absolute / magnitude) : nil }
    var smape: Double? { pairs > 0 ? Self.finite(symmetric / Double(pairs)) : nil }
    var mase: Double? { naivePairs > 0 && naive > 0 ? Self.finite(scaledAbsolute / naive) : nil }

    func value(_ measure: DriftConfiguration.ErrorMeasure) -> Double? {
        switch measure {
        case .mape: mape
        case .wape: wape
        case .smape: smape
        case .mase: mase
        }
    }

    /// Sums of absurdly large values may overflow; such a measure is not defined rather than infinite.
    private static func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
}

/// Mean over metrics, leaving out those that have no value.
struct MeanOverMetrics {
    private var sum = 0.0
    private var count = 0
    mutating func add(_ value: Double?) {
        guard let value else { return }
        sum += value
        count += 1
    }
    var value: Double? { count > 0 ? sum / Double(count) : nil }
}
