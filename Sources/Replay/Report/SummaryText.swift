import Contracts
import Retraining

/// What a replay found, for a terminal.
package enum SummaryText {
    package static func lines(_ result: ReplayResult) -> [String] {
        var lines: [String] = []
        let collector = result.collector
        lines.append(
            "\(result.source): \(Figures.time(collector.first)) to \(Figures.time(collector.last)) UTC, "
                + "\(Figures.counted(result.models.count + collector.untraced.count, "model")), "
                + "\(Figures.counted(collector.decisions, "decision")), "
                + "\(Figures.counted(result.findings.records, "record")) in \(Figures.fixed(result.seconds, 1)) s")
        lines += problems(result)
        lines += result.notes
        lines.append("")
        lines += schedules(result)
        lines.append("")
        lines += metrics(result)
        if !result.frontier.isEmpty {
            lines.append("")
            lines += frontier(result)
        }
        lines.append("")
        lines += models(result)
        return lines
    }

    /// Lines that nobody could read, and what else is odd about the source.
    package static func problems(_ result: ReplayResult) -> [String] {
        let findings = result.findings
        var lines = findings.warnings.map { "warning: \($0)" }
        if findings.outside > 0 { lines.append("\(Figures.counted(findings.outside, "record")) outside the range") }
        guard findings.refused > 0 else { return lines }
        let counts = findings.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        lines.append(
            "\(Figures.counted(findings.refused, "record")) could not be taken: "
                + counts.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        for refusal in findings.first.prefix(5) {
            let field = refusal.rejection.field.map { " (\($0))" } ?? ""
            lines.append(
                "  \(refusal.place): \(refusal.rejection.reason.rawValue)\(field): \(refusal.rejection.detail)")
        }
        if findings.refused > 5 {
            let all =
                findings.refused <= SourceFindings.firstMax ? "all of them" : "the first \(SourceFindings.firstMax)"
            lines.append("  … \(all) with --rejected FILE")
        }
        return lines
    }

    private static func schedules(_ result: ReplayResult) -> [String] {
        var header = ["", "trainings", "in high load"]
        if result.isClosedLoop { header += ["rolled back", "WAPE", "MAPE", "× daily", "worst"] }
        if result.price != nil { header.append("cost") }
        var table = TextTable(header)
        for schedule in result.schedules {
            var row = [schedule.name, Figures.grouped(schedule.trainings), Figures.count(schedule.inHighLoad)]
            if result.isClosedLoop {
                row += [
                    Figures.count(schedule.rollbacks), Figures.percent(schedule.wape), Figures.percent(schedule.mape),
                    Figures.fixed(schedule.againstDaily, 3), Figures.fixed(schedule.worstAgainstDaily, 3),
                ]
            }
            if result.price != nil { row.append(result.cost(of: schedule.trainings) ?? "") }
            table.add(row)
        }
        guard let regret = result.regret else { return table.lines }
        return table.lines + ["regret against the oracle: \(Figures.percent(regret)) of WAPE"]
    }

    private static func metrics(_ result: ReplayResult) -> [String] {
        var table = TextTable(["success metric", "target", "", "measured"], leftAligned: [0, 1, 2, 3])
        for row in SuccessMetrics(result).rows {
            table.add([row.name, row.target, row.isMet.map { $0 ? "met" : "missed" } ?? "–", row.measured])
        }
        return table.lines
    }

    private static func frontier(_ result: ReplayResult) -> [String] {
        var table = TextTable(
            [
                "configuration", "trainings a model", result.isClosedLoop ? "WAPE × daily" : "mean error", "high load",
                "",
            ],
            leftAligned: [0, 4])
        for point in result.frontier.sorted(by: { ($0.trainings, $0.error) < ($1.trainings, $1.error) }) {
            table.add([
                point.settings.isEmpty ? "as configured" : point.settings.joined(separator: " "),
                Figures.fixed(point.trainings, 1), Figures.fixed(point.error, 4), "\(point.inHighLoad)",
                [point.isOnFrontier ? "frontier" : nil, point.isCurrent ? "← current" : nil].compactMap { $0 }
                    .joined(separator: " "),
            ])
        }
        return table.lines
    }

    private static func models(_ result: ReplayResult) -> [String] {
        let models = result.models.sorted { ($1.trainings.count, $0.model) < ($0.trainings.count, $1.model) }
        var table = TextTable(
            ["model", "trainings", "mean error", "above", "most frequent reasons"], leftAligned: [0, 4])
        for model in models.prefix(20) {
            let reasons = model.reasons.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }.prefix(3)
            table.add([
                model.model, "\(model.trainings.count)", Figures.percent(model.meanError),
                Figures.percent(model.decisions > 0 ? Double(model.aboveThreshold) / Double(model.decisions) : nil),
                reasons.map { "\($0.key.rawValue) \($0.value)" }.joined(separator: ", "),
            ])
        }
        var lines = table.lines
        if models.count > 20 { lines.append("… and \(models.count - 20) more models") }
        return lines
    }
}
