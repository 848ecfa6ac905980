import Retraining

/// A status for a terminal.
public enum StatusText {
    /// - Parameter model: shows that one in full; nil shows all, one a line, those that need a person first.
    public static func render(_ status: StatusReport, model: String? = nil) -> String {
        var lines = [verdict(status)]
        lines.append(
            "worker    \(status.phase)\(status.phase == "working" && !status.ready ? ", restoring" : "")"
                + (status.caught_up ? ", caught up" : "")
                + "  tasks \(status.tasks)  configuration \(status.configuration)")
        if let time = status.at { lines.append("as of     \(time)") }
        if let time = status.stream_time { lines.append("stream    \(time)") }
        if let time = status.last_checkpoint { lines.append("committed \(time)") }
        let lag = status.lag.filter { $0.records > 0 }.map { "\($0.topic) \($0.records)" }
        lines.append(
            "lag       \(status.lag.isEmpty ? "not known" : lag.isEmpty ? "none" : lag.joined(separator: ", "))")
        if !status.rejects.isEmpty {
            let rejects = status.rejects.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            lines.append("refused   " + rejects.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        }
        if let model {
            guard let found = status.models.first(where: { $0.model == model }) else {
                return (lines + ["", "no decision about \(safe(model)) yet"]).joined(separator: "\n") + "\n"
            }
            return (lines + [""] + details(found)).joined(separator: "\n") + "\n"
        }
        return (lines + table(status.models)).joined(separator: "\n") + "\n"
    }

    /// One sentence that says whether a person is needed.
    private static func verdict(_ status: StatusReport) -> String {
        switch status.phase {
        case "starting": return "Starting: nothing is known yet."
        case "standing_by": return "Standing by: another worker decides."
        case "restoring": return "Restoring from the log; no decision meanwhile."
        default: break
        }
        guard !status.models.isEmpty else { return "At work: no decision since this worker began." }
        let breached = status.models.filter(\.sla_breached)
        let paused = status.models.filter { $0.reason == "paused" }
        var parts: [String] = []
        if !breached.isEmpty { parts.append("\(breached.count) below the agreed accuracy") }
        if !paused.isEmpty { parts.append("\(paused.count) paused") }
        let blind = status.models.filter { blindReasons.contains($0.reason) }
        if !blind.isEmpty { parts.append("\(blind.count) cannot be judged") }
        let training = status.models.filter { $0.open_request != nil }
        if !training.isEmpty { parts.append("\(training.count) in training") }
        let count = "\(status.models.count) \(status.models.count == 1 ? "model" : "models")"
        return parts.isEmpty
            ? "All is well: \(count) watched." : "\(count) watched: " + parts.joined(separator: ", ") + "."
    }

    private static let blindReasons = Set(
        [Reason.noPredictions, .stalledInput, .noBaseline, .insufficientData, .catchingUp].map(\.rawValue))

    private static func table(_ models: [StatusReport.Model]) -> [String] {
        guard !models.isEmpty else { return ["", "no decision yet"] }
        let sorted = models.sorted { urgency($0) == urgency($1) ? $0.model < $1.model : urgency($0) > urgency($1) }
        let rows = sorted.map { model in
            [
                safe(model.model), percent(model.accuracy), number(model.drift_score, ""),
                model.sla_breached ? "BELOW" : "ok", model.quiet ? "quiet" : "busy", model.outcome, model.reason,
                model.wait_until.map { "until \($0)" } ?? "",
            ]
        }
        let all = [["model", "accuracy", "score", "agreed", "load", "outcome", "reason", ""]] + rows
        let widths = (0..<8).map { column in all.map { $0[column].count }.max() ?? 0 }
        return [""]
            + all.map { row in
                var line = ""
                for (cell, width) in zip(row, widths) {
                    line += cell + String(repeating: " ", count: width - cell.count + 2)
                }
                while line.last == " " { line.removeLast() }
                return line
            }
    }

    private static func details(_ model: StatusReport.Model) -> [String] {
        [
            "model      \(safe(model.model))\(model.version.map { " " + safe($0) } ?? "")",
            "decision   \(model.outcome) \(model.reason): \(safe(model.text))",
            "evaluated  \(model.evaluated_at ?? "never")" + (model.wait_until.map { ", waits until \($0)" } ?? ""),
            "accuracy   \(percent(model.accuracy))\(model.sla_breached ? ", below the agreed one" : "")",
            "score      \(number(model.drift_score, ""))",
            "load       \(number(model.load, "")), \(model.quiet ? "quiet" : "not quiet") now",
            "training   \(model.open_request.map { "open: \($0)" } ?? "none open"), \(model.trainings_in_week) in 7 days, last "
                + (model.last_training ?? "unknown") + (model.last_training_assumed ? " (first seen)" : ""),
        ]
    }

    private static func urgency(_ model: StatusReport.Model) -> Int {
        if model.sla_breached { return 3 }
        if model.open_request != nil { return 2 }
        return model.reason == "no_drift" ? 0 : 1
    }

    private static func percent(_ share: Double?) -> String {
        share.map { SettingValue.text(of: ($0 * 1000).rounded() / 10) + " %" } ?? "-"
    }

    private static func number(_ value: Double?, _ unit: String) -> String {
        value.map { SettingValue.text(of: ($0 * 1000).rounded() / 1000) + unit } ?? "-"
    }

    /// Names come from Kafka: what would move a terminal's cursor is shown as a dot.
    private static func safe(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: "·"
                    default: scalar
                    }
                }))
    }
}
