import Contracts
import Retraining

/// A replay as one page that stands for itself: tables and drawings, nothing fetched from anywhere.
package enum HTMLReport {
    /// Models that are drawn; the others stand in the table.
    private static let drawnMax = 16

    package static func page(_ result: ReplayResult) -> String {
        var text = """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>driftgate replay: \(HTMLText.escaped(result.source))</title>
            <style>\(PageStyle.sheet)</style></head><body><main>

            """
        text += head(result)
        text += comparison(result)
        text += metrics(result)
        if !result.frontier.isEmpty { text += FrontierChart(result).html }
        text += overview(result)
        for model in drawn(result) { text += ModelSection(model, result).html }
        text += problems(result)
        return text + "</main></body></html>\n"
    }

    /// Those with most trainings first, then those that drifted most.
    private static func drawn(_ result: ReplayResult) -> [ModelTrace] {
        Array(
            result.models.sorted {
                ($1.trainings.count, $1.aboveThreshold, $0.model) < ($0.trainings.count, $0.aboveThreshold, $1.model)
            }.prefix(drawnMax))
    }

    private static func head(_ result: ReplayResult) -> String {
        let collector = result.collector
        let policy = result.schedules.first { $0.isPolicy }
        let trainings = policy?.trainings ?? result.trainings.count
        let daily = result.schedules.first { $0.name == "daily" }?.trainings ?? 0
        let rated = result.models.reduce(0) { $0 + $1.rated }
        let error = result.models.reduce(0) { $0 + $1.errorSum } / Double(max(1, rated))
        let accuracy =
            policy?.mape.map { Figures.percent(max(0, 1 - $0)) }
            ?? (rated > 0 ? Figures.percent(max(0, 1 - error)) : "–")
        var tiles = [
            (Figures.grouped(trainings), "trainings (daily: \(Figures.grouped(daily)))"),
            (policy?.inHighLoad.map(Figures.grouped) ?? "–", "of them in high load"),
            (accuracy, policy?.mape == nil ? "mean accuracy" : "accuracy as served (1 − MAPE)"),
        ]
        if let against = policy?.againstDaily { tiles.append((Figures.fixed(against, 3), "WAPE × daily retraining")) }
        if let cost = result.cost(of: trainings) { tiles.append((cost, "for trainings")) }
        var text = "<h1>Replay of \(HTMLText.escaped(result.source))</h1>"
        text += "<p class=\"soft\">\(Figures.time(collector.first)) to \(Figures.time(collector.last)) UTC, "
        text += "\(Figures.counted(result.models.count + collector.untraced.count, "model")), "
        text += "\(Figures.counted(collector.decisions, "decision")); configuration "
        text += "\(HTMLText.escaped(result.fingerprint)), scoring \(result.configuration.drift.scoring.rawValue), "
        text += "quiet \(result.configuration.quiet.rule.rawValue).</p>"
        for note in result.notes { text += "<p class=\"soft\">\(HTMLText.escaped(note)).</p>" }
        text += "<div class=\"tiles\">"
        for (figure, name) in tiles {
            text += "<div class=\"tile\"><b>\(HTMLText.escaped(figure))</b><span>\(HTMLText.escaped(name))</span></div>"
        }
        return text + "</div>\n"
    }

    private static func comparison(_ result: ReplayResult) -> String {
        var header = ["schedule", "trainings", "in high load"]
        if result.isClosedLoop { header += ["rolled back", "WAPE", "MAPE", "WAPE × daily", "worst model"] }
        if result.price != nil { header.append("cost") }
        let rows = result.schedules.map { schedule -> [String] in
            var row = [schedule.name, Figures.grouped(schedule.trainings), Figures.count(schedule.inHighLoad)]
            if result.isClosedLoop {
                row += [
                    Figures.count(schedule.rollbacks), Figures.percent(schedule.wape), Figures.percent(schedule.mape),
                    Figures.fixed(schedule.againstDaily, 3), Figures.fixed(schedule.worstAgainstDaily, 3),
                ]
            }
            if result.price != nil { row.append(result.cost(of: schedule.trainings) ?? "") }
            return row
        }
        var text = "<h2>Against fixed schedules</h2>"
        if result.isClosedLoop {
            text += "<p class=\"soft\">Every schedule is scored on the forecasts that its own models would have made. "
            text +=
                "The oracle chose its times afterwards, by the errors themselves: nothing can do better with as many "
            text += "trainings at midnight."
            if let regret = result.regret { text += " Regret against it: \(Figures.percent(regret)) of WAPE." }
            text += "</p>"
        } else {
            text += "<p class=\"soft\">The history says what was forecast, not what another training would have: so "
            text += "trainings are counted, and errors are not compared.</p>"
        }
        text += HTMLText.table(header, rows, figures: Set(1..<header.count)) {
            result.schedules[$0].isPolicy ? "own" : nil
        }
        return text + ScheduleChart(result).html
    }

    private static func metrics(_ result: ReplayResult) -> String {
        let rows = SuccessMetrics(result).rows
        var text = "<h2>Success metrics</h2><div class=\"scroll\"><table><thead><tr>"
        for name in ["metric", "target", "", "measured", "detail"] { text += "<th scope=\"col\">\(name)</th>" }
        text += "</tr></thead><tbody>"
        for row in rows {
            let (style, word) = row.isMet.map { $0 ? ("met", "✓ met") : ("missed", "✗ missed") } ?? ("soft", "–")
            text += "<tr><th scope=\"row\">\(HTMLText.escaped(row.name))</th><td>\(HTMLText.escaped(row.target))</td>"
            text += "<td class=\"\(style)\">\(word)</td><td>\(HTMLText.escaped(row.measured))</td>"
            text += "<td class=\"soft\">\(HTMLText.escaped(row.detail))</td></tr>"
        }
        return text + "</tbody></table></div>\n"
    }

    private static func overview(_ result: ReplayResult) -> String {
        let drawn = Set(drawn(result).map(\.model))
        let rows = result.models.prefix(500).map { model -> [String] in
            let share = model.decisions > 0 ? Double(model.aboveThreshold) / Double(model.decisions) : nil
            let breached = model.rated > 0 ? Double(model.breached) / Double(model.rated) : nil
            let most = model.reasons.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
            return [
                model.model, Figures.grouped(model.trainings.count), Figures.percent(model.meanError),
                Figures.percent(breached), Figures.percent(share), most?.key.rawValue ?? "",
            ]
        }
        var text = "<h2>Models</h2>"
        text += HTMLText.table(
            ["model", "trainings", "mean error", "worse than agreed", "score above threshold", "most frequent reason"],
            Array(rows), figures: [1, 2, 3, 4])
        if result.models.count > 500 { text += "<p class=\"soft\">and \(result.models.count - 500) more.</p>" }
        if result.models.count > drawn.count {
            text += "<p class=\"soft\">Below are the \(drawn.count) with most trainings and most drift.</p>"
        }
        return text
    }

    private static func problems(_ result: ReplayResult) -> String {
        guard result.findings.refused > 0 || !result.findings.warnings.isEmpty else { return "" }
        var text = "<h2>What could not be read</h2>"
        for warning in result.findings.warnings { text += "<p>\(HTMLText.escaped(warning)).</p>" }
        guard result.findings.refused > 0 else { return text }
        text += HTMLText.table(
            ["reason", "records"],
            result.findings.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
                [$0.key, Figures.grouped($0.value)]
            }, figures: [1])
        text += "<details><summary>the first of them</summary>"
        text += HTMLText.table(
            ["place", "reason", "detail"],
            result.findings.first.prefix(50).map { [$0.place, $0.rejection.reason.rawValue, $0.rejection.detail] })
        return text + "</details>"
    }
}
