import Statistics

/// The windows of one metric of a model. Made when the first sample comes: a model that only ever predicts costs little.
struct MetricWindows {
    var actuals: SampleWindow<ActualSample>?
    /// What the next baseline is taken from, where it reaches further back than the window.
    var reference: SampleWindow<ActualSample>?
    /// By horizon bucket.
    var errors: [SampleWindow<ErrorSample>?] = []
    private(set) var shift: BaselineComparison?
    /// The same about the hours of the week, where the metric follows them.
    private(set) var seasonalShift: BaselineComparison?
    private var seasonal: SeasonalBaseline?
    /// `at` of the first actual ever.
    var firstActualAt: Milliseconds?

    var actualCount: Int { actuals?.count ?? 0 }
    var pairCount: Int { errors.reduce(0) { $0 + ($1?.count ?? 0) } }

    mutating func add(_ sample: ActualSample, _ configuration: DriftConfiguration, _ calendar: LocalCalendar) {
        if actuals == nil {
            actuals = SampleWindow(
                capacity: configuration.windowSize,
                span: configuration.window == .span ? configuration.distributionSpan : nil)
        }
        if reference == nil, configuration.scoring == .calibrated, configuration.window == .span {
            reference = SampleWindow(capacity: configuration.baselineSize, span: configuration.referenceSpan)
        }
        reference?.offer(sample, added: { _ in }, removed: { _ in })
        firstActualAt = min(firstActualAt ?? sample.at, sample.at)
        actuals!.offer(
            sample, added: { come($0, calendar) }, removed: { leave($0, calendar) })
    }

    private mutating func come(_ sample: ActualSample, _ calendar: LocalCalendar) {
        _ = shift?.add(sample.value)
        if let seasonal { _ = seasonalShift?.add(seasonal.residual(sample, calendar)) }
    }

    private mutating func leave(_ sample: ActualSample, _ calendar: LocalCalendar) {
        _ = shift?.remove(sample.value)
        if let seasonal { _ = seasonalShift?.remove(seasonal.residual(sample, calendar)) }
    }

    mutating func add(_ sample: ErrorSample, bucket: Int, _ configuration: DriftConfiguration) {
        while errors.count <= bucket { errors.append(nil) }
        if errors[bucket] == nil {
            errors[bucket] = SampleWindow(
                capacity: configuration.windowSize, span: configuration.window == .span ? configuration.errorSpan : nil)
        }
        errors[bucket]!.offer(sample, added: { _ in }, removed: { _ in })
    }

    mutating func expire(now: Milliseconds, _ calendar: LocalCalendar) {
        actuals?.expire(now: now) { leave($0, calendar) }
        reference?.expire(now: now) { _ in }
        for window in errors { window?.expire(now: now) { _ in } }
    }

    func removeErrors() {
        for window in errors { window?.removeAll { _ in } }
    }

    /// Error over all horizon buckets.
    var predictionError: PredictionError {
        var error = PredictionError()
        for window in errors { window?.ring.forEach { error.add($0) } }
        return error
    }

    /// How much of its span the fullest error window covers.
    var errorCoverage: Milliseconds {
        errors.compactMap { window in
            guard let window, let oldest = window.oldest, let newest = window.newest else { return nil }
            return newest - oldest
        }.max() ?? 0
    }

    /// Statistic and p-value of the window against the baseline; nil without either.
    mutating func distributionShift() -> (statistic: Double, pValue: Double)? {
        guard shift != nil, shift!.count > 0 else { return nil }
        // Exact where that is cheap; with large samples the two agree, and the exact one for n ≠ m costs milliseconds.
        let isSmall = shift!.count * shift!.baseline.count <= 10_000
        return (shift!.statistic(), shift!.pValue(method: isSmall ? .automatic : .asymptotic).value)
    }

    /// Statistic and mean of the window about the hours of the week; nil where the metric does not follow them.
    mutating func seasonalDistributionShift(_ calendar: LocalCalendar) -> (statistic: Double, mean: Double)? {
        guard let seasonal, seasonalShift != nil, seasonalShift!.count > 0, let actuals else { return nil }
        var sum = 0.0
        actuals.ring.forEach { sum += seasonal.residual($0, calendar) }
        return (seasonalShift!.statistic(), sum / Double(actuals.count))
    }

    /// Mean of the actuals in the window; NaN while there are none.
    var mean: Double {
        var sum = 0.0
        actuals?.ring.forEach { sum += $0.value }
        return sum / Double(actualCount)
    }

    /// What a baseline taken now would rest on.
    ///
    /// - Parameter size: values that it holds at most; of more, every so many.
    func makeBaseline(_ calendar: LocalCalendar, size: Int) -> MetricBaseline? {
        guard let source = reference ?? actuals else { return nil }
        var samples: [ActualSample] = []
        samples.reserveCapacity(source.count)
        source.ring.forEach { samples.append($0) }
        if samples.count > size { samples = (0..<size).map { samples[$0 * samples.count / size] } }
        let share = reference.map { Double(actuals?.span ?? 0) / Double($0.span ?? 1) } ?? 0.25
        return MetricBaseline(samples: samples, windowShare: share, calendar: calendar)
    }

    /// Holds the window against this baseline from now on.
    mutating func compare(with baseline: MetricBaseline?, _ calendar: LocalCalendar) {
        seasonal = baseline?.seasonal
        shift = baseline.map { BaselineComparison(baseline: $0.pooled.distribution) }
        seasonalShift = seasonal.map { BaselineComparison(baseline: $0.residuals.distribution) }
        actuals?.ring.forEach { come($0, calendar) }
    }
}

/// The last so many predictions, each within its expected range or not: AR.
struct AnomalyWindow {
    var flags: [Bool] = []
    var next = 0
    let capacity: Int
    var anomalies = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { flags.count }
    var rate: Double { flags.isEmpty ? 0 : Double(anomalies) / Double(flags.count) }

    mutating func add(isAnomalous: Bool) {
        if isAnomalous { anomalies += 1 }
        if flags.count < capacity {
            flags.append(isAnomalous)
        } else {
            if flags[next] { anomalies -= 1 }
            flags[next] = isAnomalous
            next = next + 1 == capacity ? 0 : next + 1
        }
    }
}
