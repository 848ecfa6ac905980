/// Thresholds and confidence of the drift score. SOURCE.md section 2.2.
enum DriftScore {
    /// `retrain` above critical, `monitor` above warning, else `healthy`; the boundaries themselves belong below.
    static func recommendation(
        _ score: Double, critical: Double, warning: Double
    ) -> (recommendation: DriftSignal.Recommendation, confidence: Double) {
        // The source's confidences, 0.15, 0.10 and 0.08 at its thresholds of 0.10 and 0.08.
        if score > critical { return (.retrain, min(1, score / (1.5 * critical))) }
        if score > warning { return (.monitor, min(1, score / critical)) }
        return (.healthy, warning > 0 ? max(0, 1 - score / warning) : 0)
    }

    /// |mean − baseline mean| / baseline standard deviation. A constant baseline: equal is 0, changed is the cap.
    ///
    /// - Parameter magnitude: of the values that the means were taken of, where that is not the means' own.
    static func meanShift(
        mean: Double, baselineMean: Double, baselineDeviation: Double, magnitude: Double = 0
    ) -> Double {
        let difference = abs(mean - baselineMean)
        guard difference.isFinite else { return meanShiftCap }
        // Rounding in the mean of a constant must not look like a change.
        let rounding = 1e-9 * max(abs(mean), abs(baselineMean), magnitude)
        if difference <= rounding { return 0 }
        return baselineDeviation > 0 ? min(meanShiftCap, difference / baselineDeviation) : meanShiftCap
    }

    /// Standard deviations at which a shift is as large as it gets.
    static let meanShiftCap = 10.0
}
