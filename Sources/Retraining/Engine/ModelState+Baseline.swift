extension ModelState {
    /// Takes the windows as they are for what all is well looks like.
    func capture(origin: Baseline.Origin, at now: Milliseconds) {
        let metrics = windows.map { $0.makeBaseline() }
        guard metrics.contains(where: { $0 != nil }) else { return }
        baselineVersions += 1
        if origin == .training { replacedBaseline = baseline }
        baseline = Baseline(
            version: baselineVersions, origin: origin, capturedAt: now, metrics: metrics, anomalyRate: anomalies.rate)
        for slot in windows.indices { windows[slot].compare(with: metrics[slot]) }
    }

    /// A metric that came later gets its baseline once it has been seen for as long.
    func captureLateMetrics(at now: Milliseconds, after span: Milliseconds) {
        guard baseline != nil else { return }
        for slot in windows.indices {
            if slot >= baseline!.metrics.count { baseline!.metrics.append(nil) }
            guard baseline!.metrics[slot] == nil, let first = windows[slot].firstActualAt, now - first >= span,
                let metric = windows[slot].makeBaseline()
            else { continue }
            baseline!.metrics[slot] = metric
            windows[slot].compare(with: metric)
        }
    }

    /// Puts back the baseline of before the last training: the training was rolled back.
    func restoreBaseline() {
        guard let replaced = replacedBaseline else { return }
        baseline = replaced
        replacedBaseline = nil
        for slot in windows.indices {
            windows[slot].compare(with: slot < replaced.metrics.count ? replaced.metrics[slot] : nil)
        }
    }
}
