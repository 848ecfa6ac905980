import Contracts
import Retraining

/// What is served by rows.
extension DashboardAPI {
    /// Points of a chart: every decision, or the worst of equal stretches where there are too many.
    func series(_ query: Query) throws -> Answer {
        let model = try history(of: query)
        let (from, to) = try range(query, model)
        let limit = try query.integer("points", 10...20_000, default: 2_500)
        let points = model.points(from: from, to: to)
        let shown = Self.thinned(points, to: limit)
        let thresholds = thresholds(model.name)
        var table = Table(
            name: "series",
            columns: [
                "at_ms", "score", "plain_score", "accuracy", "load", "prediction_error", "distribution_shift",
                "feature_drift", "anomaly_rate", "outcome", "reason", "quiet",
            ])
        table.rows = shown.map { point in
            [
                .time(point.at), .figure(point.score), .figure(point.plainScore), .figure(point.accuracy),
                .figure(point.load), .figure(point.predictionError), .figure(point.distributionShift),
                .figure(point.featureDrift), .figure(point.anomalyRate), .text(point.isTrigger ? "trigger" : "hold"),
                .optional(point.reason?.rawValue), .flag(point.isQuiet),
            ]
        }
        return try table.answer(query, isColumnar: true) { writer in
            writer.field("model", model.name)
            writer.field("from_ms", from)
            writer.field("to_ms", to)
            writer.field("decisions", points.count)
            writer.object("thresholds") { writer in
                writer.field("warning", thresholds.warning)
                writer.field("critical", thresholds.critical)
                writer.field("accuracy", thresholds.target)
            }
        }
    }

    /// The highest score of each stretch, and every trigger.
    static func thinned(_ points: [HistoryPoint], to limit: Int) -> [HistoryPoint] {
        guard points.count > limit, let first = points.first, let last = points.last else { return points }
        let width = max(1, (last.at - first.at + Int64(limit)) / Int64(limit))
        var shown: [HistoryPoint] = []
        var bin: Int64 = -1
        for point in points {
            let own = (point.at - first.at) / width
            if own != bin || point.isTrigger || shown[shown.count - 1].isTrigger {
                bin = own
                shown.append(point)
            } else if point.score > shown[shown.count - 1].score || shown[shown.count - 1].score.isNaN {
                shown[shown.count - 1] = point
            }
        }
        return shown
    }

    /// Mean load by hour: the heat map, before it is folded into a week of some time zone.
    func load(_ query: Query) throws -> Answer {
        let model = try history(of: query)
        let (from, to) = try range(query, model, days: 28)
        var table = Table(name: "load", columns: ["hour_ms", "load", "quiet_share", "decisions"])
        var (hour, sum, quiet, count) = (Int64.min, 0.0, 0, 0)
        func close() {
            guard count > 0 else { return }
            table.rows.append([
                .time(hour * .hour), .figure(sum / Double(count)), .figure(Double(quiet) / Double(count)),
                .integer(Int64(count)),
            ])
        }
        for point in model.points(from: from, to: to) where !point.load.isNaN {
            if point.at / .hour != hour {
                close()
                (hour, sum, quiet, count) = (point.at / .hour, 0, 0, 0)
            }
            sum += Double(point.load)
            quiet += point.isQuiet ? 1 : 0
            count += 1
        }
        close()
        let load = model.latest?.load
        return try table.answer(query) { writer in
            writer.field("model", model.name)
            writer.field("from_ms", from)
            writer.field("to_ms", to)
            writer.field("quiet_load_threshold", options.engine.quiet.loadThreshold)
            writer.field("time_zone", options.engine.quiet.calendar.timeZone)
            for (name, window) in [("next_window", load?.nextWindow), ("planned_window", load?.plannedWindow)] {
                writer.key(name)
                guard let window else {
                    writer.writeNull()
                    continue
                }
                writer.beginObject()
                writer.field("from_ms", window.from)
                writer.field("to_ms", window.to)
                writer.endObject()
            }
        }
    }

    /// Newest first, a page at a time: `before` is the time of the last one of the page before.
    func decisions(_ query: Query) throws -> Answer {
        let model = try history(of: query)
        let limit = try query.integer("limit", 1...5_000, default: 100)
        let before = try query.time("before") ?? .max
        let (from, to) = (try query.time("from") ?? 0, try query.time("to") ?? .max)
        let words = (query["q"] ?? "").lowercased().split(separator: " ")
        let onlyChanges = query["changes"] == "true"
        var table = Table(
            name: "decisions",
            columns: [
                "id", "at_ms", "outcome", "reason", "score", "accuracy", "load", "quiet", "model_version",
            ])
        var matching = 0
        let points = model.points(from: from, to: min(to == .max ? 4_102_444_800_000 : to, before - 1))
        for index in points.indices.reversed() {
            let point = points[index]
            let outcome = point.isTrigger ? "trigger" : "hold"
            let reason = point.reason?.rawValue
            if onlyChanges, !point.isTrigger, index > 0, points[index - 1].hasSameReason(as: point),
                !points[index - 1].isTrigger
            {
                continue
            }
            if let wanted = query["outcome"], wanted != outcome { continue }
            if let wanted = query["reason"], wanted != reason { continue }
            let version = model.version(at: point.at)
            if !words.isEmpty {
                let text =
                    "\(outcome) \(reason ?? "") \(reason?.replacing("_", with: " ") ?? "") \(version ?? "") "
                    + "\(model.name)@\(point.at) \(Timestamp.text(point.at) ?? "")"
                let lower = text.lowercased()
                guard words.allSatisfy({ lower.contains($0) }) else { continue }
            }
            matching += 1
            guard table.rows.count < limit else { continue }
            table.rows.append([
                .text("\(model.name)@\(point.at)"), .time(point.at), .text(outcome), .optional(reason),
                .figure(point.score), .figure(point.accuracy), .figure(point.load), .flag(point.isQuiet),
                .optional(version),
            ])
        }
        return try table.answer(query) { writer in
            writer.field("model", model.name)
            writer.field("matching", matching)
            writer.field("kept", model.count)
        }
    }

    func trainings(_ query: Query) throws -> Answer {
        let model = try history(of: query)
        var table = Table(
            name: "trainings",
            columns: [
                "request_id", "requested_at_ms", "reason", "text", "priority", "attempt", "status", "accepted_at_ms",
                "started_at_ms", "ended_at_ms", "old_version", "new_version", "accuracy_before", "accuracy_after",
                "verdict", "error_ratio", "recommends_rollback", "verdict_at_ms", "verdict_text", "decision_id",
                "run_id", "url", "errors",
            ])
        table.rows = model.trainings.reversed().map { training in
            let accuracy = model.accuracy(of: training)
            func step(_ names: String...) -> Table.Cell {
                .optional(training.steps.last { names.contains($0.status) }?.at)
            }
            return [
                .text(training.requestID), .time(training.requestedAt), .text(training.reason), .text(training.text),
                .text(training.priority), .integer(Int64(training.attempt)), .text(training.status),
                step("accepted"), step("started"), step("succeeded", "failed", "cancelled", "rejected"),
                .optional(training.oldVersion), .optional(training.newVersion), .figure(accuracy.before),
                .figure(accuracy.after), .optional(training.verdict?.outcome),
                .figure(training.verdict?.errorRatio), training.verdict.map { .flag($0.recommendsRollback) } ?? .none,
                .optional(training.verdict?.at), .optional(training.verdict?.text), .text(training.decisionID),
                .optional(training.runID), .optional(training.url),
                training.errors.isEmpty ? .none : .text(training.errors.joined(separator: "; ")),
            ]
        }
        return try table.answer(query) { $0.field("model", model.name) }
    }

    /// Newest first; of one model, or of everything.
    func alerts(_ query: Query) throws -> Answer {
        let limit = try query.integer("limit", 1...2_000, default: 200)
        let name = query["model"]
        let (alerts, open) = history.read { state in
            (
                state.alerts.lazy.reversed().filter { name == nil || $0.model == name || $0.model == nil }
                    .prefix(limit).map { $0 },
                Set(state.openAlerts.values.map(\.alertID))
            )
        }
        var table = Table(
            name: "alerts",
            columns: ["id", "at_ms", "kind", "severity", "state", "open", "model", "request_id", "text"])
        table.rows = alerts.map { alert in
            [
                .text(alert.alertID), .time(alert.at), .text(alert.kind), .text(alert.severity), .text(alert.state),
                .flag(open.contains(alert.alertID)), .optional(alert.model), .optional(alert.requestID),
                .text(alert.text),
            ]
        }
        return try table.answer(query)
    }
}
