import Retraining

/// One model of the report: its charts, its trainings, and its decisions by reason.
struct ModelSection {
    private let model: ModelTrace
    private let result: ReplayResult
    private let from: Milliseconds
    private let to: Milliseconds

    init(_ model: ModelTrace, _ result: ReplayResult) {
        self.model = model
        self.result = result
        from = model.first ?? 0
        to = max(model.last ?? 1, from + 1)
    }

    var html: String {
        var text = "<h2>\(HTMLText.escaped(model.model))</h2>"
        text += score.svg + parts.svg + accuracy.svg
        if model.points.contains(where: { $0.load != nil }) { text += load.svg }
        text += trainings
        text += reasons
        return text + values
    }

    private var marks: [Chart.Mark] {
        model.trainings.map {
            Chart.Mark(at: $0.at, text: "\(Figures.time($0.at)) \($0.reason.rawValue): \($0.text)", style: "trigger")
        }
            + model.verdicts.filter(\.recommendsRollback).map {
                Chart.Mark(at: $0.at, text: "\(Figures.time($0.at)) \($0.text)", style: "rollback")
            }
    }

    private var settings: (critical: Double, warning: Double, breach: Double) {
        let own = result.configuration.models[model.model]
        return (
            own?.criticalThreshold ?? result.configuration.drift.criticalThreshold,
            own?.warningThreshold ?? result.configuration.drift.warningThreshold,
            own?.breachThreshold ?? result.configuration.safeguards.breachThreshold
        )
    }

    private func line(_ name: String, _ style: String, _ value: (ModelTrace.Point) -> Double?) -> Chart.Line {
        Chart.Line(name: name, style: style, points: model.points.map { ($0.at, value($0)) })
    }

    /// The 98th percentile: one wild hour must not flatten all others.
    private func ceiling(_ values: [Double], atLeast least: Double) -> Double {
        let sorted = values.filter(\.isFinite).sorted()
        guard !sorted.isEmpty else { return least }
        return max(least, sorted[min(sorted.count - 1, sorted.count * 98 / 100)] * 1.1)
    }

    private var score: Chart {
        let (critical, warning, _) = settings
        let share = model.decisions > 0 ? Double(model.aboveThreshold) / Double(model.decisions) : 0
        var chart = Chart(
            title: "Drift score",
            summary:
                "above the threshold in \(Figures.percent(share)) of \(Figures.grouped(model.decisions)) evaluations",
            from: from, to: to, high: ceiling(model.points.compactMap(\.peak), atLeast: 1.6 * critical))
        chart.lines = [line("score", "a", \.score)]
        if model.points.contains(where: { $0.peak != $0.score }) { chart.lines.append(line("peak", "a thin", \.peak)) }
        chart.limits = [
            .init(name: "retrain above \(Figures.fixed(critical, 2))", value: critical, style: "bad"),
            .init(name: "monitor above \(Figures.fixed(warning, 2))", value: warning, style: ""),
        ]
        chart.marks = marks
        return chart
    }

    private var parts: Chart {
        let sums = model.points.map {
            $0.parts.predictionError + $0.parts.distributionShift + $0.parts.featureDrift + $0.parts.anomalyRate
        }
        var chart = Chart(
            title: "Its four parts, weighted", summary: "what each adds to the sum", from: from, to: to,
            high: ceiling(sums, atLeast: 0.05))
        chart.stacked = [
            line("PER: error", "a") { $0.parts.predictionError },
            line("DSS: distributions", "b") { $0.parts.distributionShift },
            line("FDS: means", "c") { $0.parts.featureDrift },
            line("AR: out of range", "d") { $0.parts.anomalyRate },
        ]
        chart.marks = marks
        return chart
    }

    private var accuracy: Chart {
        let sla = 1 - settings.breach
        let values = model.points.compactMap(\.accuracy)
        let breached = model.rated > 0 ? Double(model.breached) / Double(model.rated) : 0
        let lowest = values.sorted().dropFirst(values.count / 50).first ?? 0
        var chart = Chart(
            title: "Accuracy",
            summary: "below the agreed \(Figures.percent(sla)) in \(Figures.percent(breached)) of evaluations",
            from: from, to: to, low: max(0, min(sla - 0.1, lowest - 0.02)), high: 1)
        chart.lines = [line("1 − error", "c", \.accuracy)]
        chart.limits = [.init(name: "agreed: \(Figures.percent(sla))", value: sla, style: "bad")]
        chart.marks = marks
        chart.format = { Figures.fixed(100 * $0, 0) + " %" }
        return chart
    }

    private var load: Chart {
        let high = model.trainings.count { $0.isHighLoad }
        var chart = Chart(
            title: "Load", summary: "\(high) of \(model.trainings.count) trainings in high load", from: from, to: to,
            high: ceiling(model.points.compactMap(\.load), atLeast: 0.1))
        chart.lines = [line("load", "d", \.load)]
        chart.limits = [
            .init(
                name: "quiet below \(Figures.fixed(result.configuration.quiet.loadThreshold, 2))",
                value: result.configuration.quiet.loadThreshold, style: "")
        ]
        chart.marks = marks
        chart.bandName =
            result.configuration.quiet.rule == .adaptive ? "low: the quietest quarter of 14 days" : "quiet"
        var start: Milliseconds?
        for point in model.points {
            if point.isQuiet {
                start = start ?? point.at
            } else if let from = start {
                chart.bands.append((from, point.at))
                start = nil
            }
        }
        if let start { chart.bands.append((start, to)) }
        return chart
    }

    private var trainings: String {
        guard !model.trainings.isEmpty else { return "<p class=\"soft\">No training was asked for.</p>" }
        return HTMLText.table(
            ["requested (UTC)", "reason", "score", "load", "high load", "waited for quiet", "verdict", "why"],
            model.trainings.map { training in
                let wait = training.ready.map { Double(training.at - $0) / Double(Milliseconds.hour) }
                return [
                    Figures.time(training.at), training.reason.rawValue, Figures.score(training.score),
                    Figures.fixed(training.load, 2), training.isHighLoad ? "yes" : "no",
                    wait.map(Figures.hours) ?? "–", training.verdict ?? "–", training.text,
                ]
            }, caption: "Trainings", figures: [2, 3, 5])
    }

    private var reasons: String {
        let rows = model.reasons.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
        return "<details><summary>Decisions by reason</summary>"
            + HTMLText.table(
                ["reason", "evaluations", "share"],
                rows.map {
                    [
                        $0.key.rawValue, Figures.grouped($0.value),
                        Figures.percent(Double($0.value) / Double(max(1, model.decisions))),
                    ]
                }, figures: [1, 2]) + "</details>"
    }

    /// The figures behind the drawings, thinned to what a person scrolls through.
    private var values: String {
        let step = max(1, model.points.count / 120)
        let rows = stride(from: 0, to: model.points.count, by: step).map { index -> [String] in
            let point = model.points[index]
            return [
                Figures.time(point.at), Figures.score(point.score), Figures.score(point.parts.predictionError),
                Figures.score(point.parts.distributionShift), Figures.score(point.parts.featureDrift),
                Figures.score(point.parts.anomalyRate), Figures.percent(point.accuracy), Figures.fixed(point.load, 2),
                point.isQuiet ? "yes" : "no",
            ]
        }
        return "<details><summary>Values as a table</summary>"
            + HTMLText.table(
                ["time (UTC)", "score", "PER", "DSS", "FDS", "AR", "accuracy", "load", "quiet"], rows,
                figures: [1, 2, 3, 4, 5, 6, 7]) + "</details>\n"
    }
}
