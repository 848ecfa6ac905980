/// When it will be quiet, by what the load history says.
struct QuietPlanner {
    static let horizon: Milliseconds = 24 * .hour
    static let step: Milliseconds = 15 * .minute

    var configuration: QuietConfiguration

    /// Forecast load scores of the coming horizon in steps, and what stands in the way of each.
    struct Outlook {
        var start: Milliseconds
        /// Score a step; nil where the history is silent.
        var scores: [Double?]
        /// Whether a blackout or a busy day covers the step.
        var isBarred: [Bool]
        var hasHistory: Bool
    }

    /// - Parameter live: the load of this hour, which needs no forecast.
    func outlook(_ load: LoadMonitor?, now: Milliseconds, live: Double? = nil) -> Outlook {
        let margin = Int((configuration.minimumDuration + Self.step - 1) / Self.step)
        let count = Int(Self.horizon / Self.step) + margin
        var outlook = Outlook(start: now, scores: [], isBarred: [], hasHistory: false)
        var lastHour: Int64 = .min
        var lastScore: Double?
        for index in 0..<count {
            let time = now + Int64(index) * Self.step
            let hour = time.flooredDivision(by: .hour)
            if hour != lastHour {
                lastHour = hour
                let isThisHour = hour == now.flooredDivision(by: .hour)
                let forecast = load?.forecast(time, now: now, calendar: configuration.calendar)
                // What is not known at all is not made known by one hour of it.
                lastScore = isThisHour && forecast != nil ? live ?? forecast : forecast
            }
            if lastScore != nil { outlook.hasHistory = true }
            outlook.scores.append(lastScore)
            outlook.isBarred.append(isBarred(time))
        }
        // A day has to be known before its hours can be compared.
        if load.map({ $0.scores(from: now - 14 * .day, to: now).count < 24 }) ?? true { outlook.hasHistory = false }
        if !outlook.hasHistory { outlook.scores = outlook.scores.indices.map { fallback(now + Int64($0) * Self.step) } }
        return outlook
    }

    /// The blackout that covers a moment.
    func blackout(at time: Milliseconds) -> QuietConfiguration.Blackout? {
        configuration.blackouts.first { $0.from <= time && time < $0.to }
    }

    private func isBarred(_ time: Milliseconds) -> Bool {
        blackout(at: time) != nil || configuration.calendar.isBusy(configuration.calendar.local(time))
    }

    /// Without any history the configured local hours are quiet and all others are not.
    private func fallback(_ time: Milliseconds) -> Double {
        configuration.fallbackHours.contains(configuration.calendar.local(time).hour) ? 0 : 1
    }

    /// The next stretch of forecast scores below the threshold that lasts long enough, within 24 h. One that reaches
    /// the end of the horizon counts. SOURCE.md section 3.2, with the rulings of the design.
    func nextWindow(_ outlook: Outlook) -> QuietWindow? {
        let horizonSteps = Int(Self.horizon / Self.step)
        var first: Int?
        for index in 0...horizonSteps {
            let quiet = index < horizonSteps && isQuiet(outlook, index)
            if quiet {
                if first == nil { first = index }
            } else if let start = first {
                if lasts(outlook, from: start, to: index) { return window(outlook, start, index) }
                first = nil
            }
        }
        return nil
    }

    /// Whether the forecast stays below the threshold from now on for the minimum duration.
    func staysQuiet(_ outlook: Outlook) -> Bool {
        let steps = Int((configuration.minimumDuration + Self.step - 1) / Self.step)
        return (0..<steps).allSatisfy { isQuiet(outlook, $0) }
    }

    /// The start within 24 h whose minimum duration is expected to be the least busy; the earliest of equals.
    func bestWindow(_ outlook: Outlook) -> QuietWindow? {
        let steps = Int((configuration.minimumDuration + Self.step - 1) / Self.step)
        var best: (mean: Double, start: Int)?
        for start in 0..<Int(Self.horizon / Self.step) {
            let range = start..<start + steps
            guard range.allSatisfy({ !outlook.isBarred[$0] }) else { continue }
            let scores = range.compactMap { outlook.scores[$0] }
            guard scores.count == steps else { continue }
            let mean = scores.reduce(0, +) / Double(steps)
            if best.map({ mean < $0.mean }) ?? true { best = (mean, start) }
        }
        return best.map { window(outlook, $0.start, $0.start + steps) }
    }

    private func isQuiet(_ outlook: Outlook, _ index: Int) -> Bool {
        guard !outlook.isBarred[index], let score = outlook.scores[index] else { return false }
        return score < configuration.loadThreshold
    }

    private func lasts(_ outlook: Outlook, from start: Int, to end: Int) -> Bool {
        // A stretch at the horizon's end is looked at a little beyond it.
        var end = end
        while end < outlook.scores.count, end >= Int(Self.horizon / Self.step), isQuiet(outlook, end) { end += 1 }
        return Int64(end - start) * Self.step >= configuration.minimumDuration
    }

    private func window(_ outlook: Outlook, _ start: Int, _ end: Int) -> QuietWindow {
        let scores = (start..<end).compactMap { outlook.scores[$0] }
        return QuietWindow(
            from: outlook.start + Int64(start) * Self.step, to: outlook.start + Int64(end) * Self.step,
            expectedLoad: outlook.hasHistory && !scores.isEmpty ? scores.reduce(0, +) / Double(scores.count) : nil)
    }
}
