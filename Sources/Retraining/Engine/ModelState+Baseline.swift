extension ModelState {
    /// Takes the windows as they are for what all is well looks like.
    ///
    /// - Parameters:
    ///   - supplied: what the trainer says of the metrics, by name; it goes before the windows.
    ///   - size: values that a metric's baseline holds at most.
    func capture(
        origin: Baseline.Origin, supplied: [String: QuantileSummary], size: Int, calendar: LocalCalendar,
        at now: Milliseconds
    ) {
        let metrics = windows.indices.map { slot in
            let measured = windows[slot].makeBaseline(calendar, size: size)
            return supplied[metricNames[slot]].flatMap {
                MetricBaseline(summary: $0, size: size, measured: measured)
            } ?? measured
        }
        guard metrics.contains(where: { $0 != nil }) else { return }
        baselineVersions += 1
        if origin == .training || origin == .trainer { replacedBaseline = baseline }
        baseline = Baseline(
            version: baselineVersions, origin: origin, capturedAt: now, metrics: metrics, anomalyRate: anomalies.rate)
        for slot in windows.indices { windows[slot].compare(with: metrics[slot], calendar) }
    }

    /// A metric that came later gets its baseline once it has been seen for as long.
    func captureLateMetrics(at now: Milliseconds, after span: Milliseconds, size: Int, calendar: LocalCalendar) {
        guard baseline != nil else { return }
        for slot in windows.indices {
            if slot >= baseline!.metrics.count { baseline!.metrics.append(nil) }
            guard baseline!.metrics[slot] == nil, let first = windows[slot].firstActualAt, now - first >= span,
                let metric = windows[slot].makeBaseline(calendar, size: size)
            else { continue }
            baseline!.metrics[slot] = metric
            windows[slot].compare(with: metric, calendar)
        }
    }

    /// Puts back the baseline of before the last training: the training was rolled back.
    func restoreBaseline(calendar: LocalCalendar) {
        guard let replaced = replacedBaseline else { return }
        baseline = replaced
        replacedBaseline = nil
        for slot in windows.indices {
            windows[slot].compare(with: slot < replaced.metrics.count ? replaced.metrics[slot] : nil, calendar)
        }
    }
}
