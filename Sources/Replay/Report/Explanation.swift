import Contracts
package import Retraining

/// Why a decision was taken: every check with its figures, what they rest on, and what would have had to differ.
package struct Explanation {
    let decision: Decision
    private let forecast: [Double?]
    private let verdicts: [Verdict]

    /// - Parameter forecast: the load of the next 24 hours, as it was expected then.
    package init(_ decision: Decision, forecast: [Double?], verdicts: [Verdict] = []) {
        self.decision = decision
        self.forecast = forecast
        self.verdicts = verdicts
    }

    package var lines: [String] {
        var lines = head + [""] + checks
        if let signal = decision.signal { lines += [""] + drift(signal) + [""] + windows(signal) }
        lines += [""] + load + [""] + history + [""] + cut + ["", "what would have had to differ"]
        return lines + differences.map { "  - \($0)" }
    }

    /// The check that decided.
    var deciding: Int? { decision.checks.firstIndex { $0.answer == .hold || $0.answer == .trigger } }

    private var head: [String] {
        var lines = [
            "\(decision.id)  \(Figures.time(decision.evaluatedAt)) UTC",
            "\(decision.outcome.rawValue) \(decision.reason.rawValue): \(decision.text)",
        ]
        var facts = ["confidence \(Figures.fixed(decision.confidence, 2))", "priority \(decision.priority.rawValue)"]
        if let version = decision.modelVersion { facts.append("version \(version)") }
        if let until = decision.waitUntil { facts.append("waits until \(Figures.time(until))") }
        if let id = decision.requestID { facts.append("request \(id)") }
        lines.append(facts.joined(separator: ", "))
        return lines + verdicts.map { "verdict \($0.outcome.rawValue): \($0.text)" }
    }

    private var checks: [String] {
        var table = TextTable(["", "check", "answer", "value", "limit", "unit"], leftAligned: [0, 1, 2, 5])
        for (index, check) in decision.checks.enumerated() {
            table.add([
                index == deciding ? "→" : " ", check.reason.rawValue, check.answer.rawValue,
                Self.figure(check.value), Self.figure(check.limit), check.unit,
            ])
        }
        return ["checks, in the order of asking; the first that holds or triggers decides"] + table.lines
    }

    /// Counts and whole limits without decimals.
    private static func figure(_ value: Double?) -> String {
        value.map { Figures.fixed($0, $0 >= 2 && $0 == $0.rounded() ? 0 : 3) } ?? ""
    }

    private func drift(_ signal: DriftSignal) -> [String] {
        var table = TextTable(["term", "value", "× weight", "= part", "plain value", "floor"])
        let terms = [
            ("PER, error", \DriftSignal.Terms.predictionError, signal.weights.predictionError, nil),
            (
                "DSS, distributions", \.distributionShift, signal.weights.distributionShift,
                signal.floors?.distributionShift
            ),
            ("FDS, means", \.featureDrift, signal.weights.featureDrift, signal.floors?.featureDrift),
            ("AR, out of range", \.anomalyRate, signal.weights.anomalyRate, signal.floors?.anomalyRate),
        ]
        for (name, path, weight, floor) in terms {
            table.add([
                name, Figures.score(signal.terms[keyPath: path]), Figures.fixed(weight, 2),
                Figures.score(weight * signal.terms[keyPath: path]), Figures.score(signal.plain[keyPath: path]),
                floor.map(Figures.score) ?? "",
            ])
        }
        var lines = [
            "drift score \(Figures.score(signal.score)) (\(signal.scoring.rawValue); weighted sum "
                + "\(Figures.score(signal.weightedScore)); plain \(Figures.score(signal.plainScore))): "
                + "\(signal.recommendation.rawValue)"
                + (signal.aboveSince.map { ", above the threshold since \(Figures.time($0))" } ?? "")
        ]
        lines += table.lines
        if let floors = signal.floors {
            lines.append(
                "skill over 72 h: error / shadow forecaster's \(Figures.score(floors.skillRatio)), when all is well "
                    + "\(Figures.score(floors.skillReference)), held against \(Figures.score(floors.skillLimit)); over a day "
                    + "\(Figures.score(floors.fastRatio)), held against \(Figures.score(floors.fastLimit))")
        }
        return lines
    }

    private func windows(_ signal: DriftSignal) -> [String] {
        let errors = signal.errors
        var table = TextTable(["metric", "samples", "KS", "floor", "p", "drifted", "mean shift", "floor", "error"])
        for metric in signal.metrics {
            table.add([
                metric.metric, "\(metric.samples)", Figures.score(metric.seasonalStatistic ?? metric.statistic),
                Figures.score(metric.statisticFloor), Figures.fixed(metric.pValue, 4), metric.isDrifted ? "yes" : "no",
                Figures.score(metric.seasonalMeanShift ?? metric.meanShift), Figures.score(metric.meanShiftFloor),
                Figures.percent(metric.error),
            ])
        }
        return [
            "windows: \(signal.pairs) pairs, \(signal.actuals) actuals, \(signal.predictions) predictions; "
                + "MAPE \(Figures.percent(errors.mape)), WAPE \(Figures.percent(errors.wape)), "
                + "sMAPE \(Figures.percent(errors.smape)), MASE \(Figures.fixed(errors.mase, 3)); "
                + "\(errors.skippedPairs) pairs without MAPE, their actual is 0"
        ] + table.lines
    }

    private var load: [String] {
        let load = decision.load
        var lines = [
            "load \(Figures.fixed(load.score, 3)) (\(load.form.rawValue), \(load.machines) machines), this hour "
                + "\(Figures.fixed(load.hourScore, 3)), low up to \(Figures.fixed(load.lowLimit, 3)), high above "
                + "\(Figures.fixed(load.highLimit, 3)): \(load.isQuiet ? "quiet" : "not quiet")"
                + (load.incident ? ", an incident is open" : "") + (load.blackout.map { ", blackout \($0)" } ?? "")
        ]
        for (name, window) in [("next quiet window", load.nextWindow), ("planned", load.plannedWindow)] {
            guard let window else { continue }
            lines.append(
                "\(name) \(Figures.time(window.from)) to \(Figures.time(window.to)), expected load "
                    + Figures.fixed(window.expectedLoad, 3))
        }
        lines.append(
            "profile from \(load.profileHours) hours of load" + (forecast.isEmpty ? "" : "; the next 24 hours:"))
        if !forecast.isEmpty { lines.append("  " + bars) }
        return lines
    }

    /// A bar an hour, from the least to the largest.
    private var bars: String {
        let known = forecast.compactMap { $0 }
        guard let low = known.min(), let high = known.max() else { return "" }
        let marks = Array("▁▂▃▄▅▆▇█")
        let bars = forecast.map { value -> Character in
            guard let value else { return "·" }
            return marks[high > low ? min(7, Int(8 * (value - low) / (high - low))) : 0]
        }
        return "\(String(bars))  \(Figures.fixed(low, 2)) to \(Figures.fixed(high, 2))"
    }

    private var history: [String] {
        let history = decision.history
        var line = "last training \(Figures.time(history.lastTraining))\(history.isAssumed ? " (assumed)" : ""), "
        line += "\(history.trainingsInWeek) in 7 days"
        if let open = history.openRequestID { line += ", open \(open)" }
        line += "; baseline \(history.baselineVersion.map { "version \($0)" } ?? "none")"
        if let origin = history.baselineOrigin {
            line += " (\(origin.rawValue), captured \(Figures.time(history.baselineCapturedAt)))"
        }
        return [line]
    }

    private var cut: [String] {
        let positions = decision.cut.positions.map { "\($0.topic)[\($0.partition)] \($0.nextOffset)" }
        return ["had read: " + positions.joined(separator: ", ")]
    }
}
