import Statistics

/// A look at one model's windows and baseline, for people. Taking it changes nothing.
public struct ModelView: Sendable {
    /// One metric, as two histograms over the same bins.
    public struct Metric: Sendable {
        public var name: String
        /// The bins divide this range evenly; equal bounds stand for one value alone.
        public var lower: Double
        public var upper: Double
        /// Values of the baseline and of the window by bin; empty where there is none.
        public var baseline: [Int]
        public var window: [Int]
        /// NaN without values.
        public var baselineMean: Double
        public var windowMean: Double
    }

    public var model: String
    public var version: String?
    public var isPaused: Bool
    public var isBaselineFrozen: Bool
    public var baselineVersion: Int?
    public var baselineOrigin: Baseline.Origin?
    public var baselineCapturedAt: Milliseconds?
    /// By name.
    public var metrics: [Metric]
}

extension Engine {
    /// What is in the windows of a model now; nil for a model that this engine does not know.
    ///
    /// O(samples of the model): meant for a person who looks, not for every evaluation.
    ///
    /// - Parameter bins: at least 1.
    public func view(of name: String, bins: Int = 24) -> ModelView? {
        guard let number = modelNames.find(name), models.indices.contains(Int(number)),
            let model = models[Int(number)]
        else { return nil }
        let baseline = model.baseline
        return ModelView(
            model: name, version: model.serving >= 0 ? versionNames[model.serving] : nil,
            isPaused: isPaused || model.isPaused, isBaselineFrozen: model.isBaselineFrozen,
            baselineVersion: baseline?.version, baselineOrigin: baseline?.origin,
            baselineCapturedAt: baseline?.capturedAt,
            metrics: model.slotsByName.map { slot in
                let known = baseline.flatMap { $0.metrics.indices.contains(slot) ? $0.metrics[slot] : nil }
                return model.windows[slot].view(
                    name: model.metricNames[slot], baseline: known?.pooled.distribution, bins: bins)
            })
    }
}

extension MetricWindows {
    fileprivate func view(name: String, baseline: BaselineDistribution?, bins: Int) -> ModelView.Metric {
        var values: [Double] = []
        values.reserveCapacity(actualCount)
        actuals?.ring.forEach { if $0.value.isFinite { values.append($0.value) } }
        let known = [baseline?.minimum, baseline?.maximum, values.min(), values.max()].compactMap { $0 }
            .filter(\.isFinite)
        let (lower, upper) = (known.min() ?? 0, known.max() ?? 0)
        var window = [Int](repeating: 0, count: values.isEmpty ? 0 : bins)
        let width = (upper - lower) / Double(bins)
        for value in values {
            let bin = width > 0 && width.isFinite ? Int((value - lower) / width) : 0
            window[min(bins - 1, max(0, bin))] += 1
        }
        return ModelView.Metric(
            name: name, lower: lower, upper: upper,
            baseline: baseline?.histogram(from: lower, to: upper, bins: bins) ?? [], window: window,
            baselineMean: baseline?.mean ?? .nan,
            windowMean: values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count))
    }
}
