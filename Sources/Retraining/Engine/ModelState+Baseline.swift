extension ModelState {
    /// Takes the windows as they are for what all is well looks like.
    func capture(origin: Baseline.Origin, at now: Milliseconds) {
        let metrics = windows.map { MetricBaseline(values: $0.values) }
        guard metrics.contains(where: { $0 != nil }) else { return }
        baselineVersions += 1
        baseline = Baseline(version: baselineVersions, origin: origin, capturedAt: now, metrics: metrics)
        for slot in windows.indices { windows[slot].compare(with: metrics[slot]) }
    }

    /// A metric that came later gets its baseline once it has been seen for as long.
    func captureLateMetrics(at now: Milliseconds, after span: Milliseconds) {
        guard baseline != nil else { return }
        for slot in windows.indices {
            if slot >= baseline!.metrics.count { baseline!.metrics.append(nil) }
            guard baseline!.metrics[slot] == nil, let first = windows[slot].firstActualAt, now - first >= span,
                let metric = MetricBaseline(values: windows[slot].values)
            else { continue }
            baseline!.metrics[slot] = metric
            windows[slot].compare(with: metric)
        }
    }
}
