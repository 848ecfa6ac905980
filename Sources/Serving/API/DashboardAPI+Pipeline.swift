import Contracts
import Retraining
import Worker

/// How the worker and the reading of the history are.
extension DashboardAPI {
    func overview() -> Answer {
        let (reading, models, openAlerts, latest) = history.read { state in
            (
                state.reading, state.models.count,
                state.openAlerts.values.sorted { $0.at > $1.at }.prefix(50).map { $0 },
                state.models.values.compactMap { $0.lastPoint?.at }.max()
            )
        }
        let status = board.status
        let options = options
        return Answer { writer in
            writer.field("now_ms", Self.now)
            writer.field("configuration", options.engine.fingerprint)
            writer.field("application_id", options.engine.applicationID)
            writer.field("mode", options.engine.mode.rawValue)
            writer.field("decisions", options.output.decisions.rawValue)
            writer.field("check_interval_ms", options.engine.drift.checkInterval)
            writer.field("scoring", options.engine.drift.scoring.rawValue)
            writer.field("quiet_rule", options.engine.quiet.rule.rawValue)
            writer.field("time_zone", options.engine.quiet.calendar.timeZone)
            writer.field("retention_ms", history.retention)
            writer.field("models", models)
            writer.field("latest_decision_ms", latest)
            writer.object("history") { writer in
                writer.field("live", reading.isLive)
                writer.field("records", reading.records)
                writer.field("start_records", reading.startRecords)
                writer.field("start_records_left", reading.startRecordsLeft)
                writer.field("models_left_out", reading.modelsLeftOut)
                writer.field("problem", reading.problem)
            }
            worker(&writer, status)
            writer.array("open_alerts", openAlerts) { writer, alert in
                writer.beginObject()
                writer.field("at_ms", alert.at)
                writer.field("kind", alert.kind)
                writer.field("severity", alert.severity)
                writer.field("model", alert.model)
                writer.field("text", alert.text)
                writer.endObject()
            }
        }
    }

    private func worker(_ writer: inout JSONWriter, _ status: WorkerStatus?) {
        guard let status else {
            writer.key("worker")
            return writer.writeNull()
        }
        writer.object("worker") { writer in
            writer.field("at_ms", status.at)
            writer.field("phase", status.phase.rawValue)
            writer.field("ready", status.isReady)
            writer.field("caught_up", !status.tasks.isEmpty && status.tasks.allSatisfy(\.isCaughtUp))
            writer.field("last_checkpoint_at_ms", status.lastCheckpointAt)
            writer.field("checkpoints", status.checkpoints)
            writer.field("stream_time_ms", status.tasks.compactMap(\.streamTime).max())
            writer.field("models", status.tasks.reduce(0) { $0 + $1.models })
            writer.field("lag", lag(status))
            writer.field("rejected", status.tasks.reduce(UInt64(0)) { $0 + $1.rejects.values.reduce(0, +) })
        }
    }

    /// Records behind the ends of all inputs; nil while those are not known.
    private func lag(_ status: WorkerStatus) -> Int64? {
        let ends = history.read { $0.ends }
        guard !ends.isEmpty, !status.tasks.isEmpty else { return nil }
        return status.tasks.reduce(0) { $0 + $1.inputs.reduce(0) { $0 + max(0, Self.lag($1, ends) ?? 0) } }
    }

    private static func lag(_ input: WorkerStatus.Input, _ ends: [String: Int64]) -> Int64? {
        ends["\(input.topic)/\(input.partition)"].map { max(0, $0 - input.nextOffset) }
    }

    func pipeline(_ query: Query) throws -> Answer {
        let status = board.status
        let (ends, endsAt) = history.read { ($0.ends, $0.endsAt) }
        var table = Table(
            name: "pipeline",
            columns: ["task", "topic", "partition", "next_offset", "committed_offset", "end_offset", "lag", "at_end"])
        for task in status?.tasks ?? [] {
            for input in task.inputs {
                let lag = Self.lag(input, ends)
                table.rows.append([
                    .integer(Int64(task.number)), .text(input.topic), .integer(Int64(input.partition)),
                    .integer(input.nextOffset), .integer(input.committedOffset),
                    ends["\(input.topic)/\(input.partition)"].map { .integer($0) } ?? .none,
                    lag.map { .integer($0) } ?? .none, .flag(input.isAtEnd),
                ])
            }
        }
        return try table.answer(query) { writer in
            writer.field("now_ms", Self.now)
            writer.field("ends_at_ms", endsAt)
            worker(&writer, status)
            writer.array("tasks", status?.tasks ?? []) { writer, task in
                writer.beginObject()
                writer.field("task", task.number)
                writer.field("stream_time_ms", task.streamTime)
                writer.field("last_boundary_ms", task.lastBoundary)
                writer.field("replaying", task.isReplaying)
                writer.field("caught_up", task.isCaughtUp)
                writer.field("models", task.models)
                writer.field("entities", task.entities)
                writer.field("waiting_halves", task.retainedHalves)
                counters(&writer, task.counters)
                writer.object("rejects") { writer in
                    for (reason, count) in task.rejects.sorted(by: { $0.key < $1.key }) { writer.field(reason, count) }
                }
                writer.endObject()
            }
        }
    }

    private func counters(_ writer: inout JSONWriter, _ counters: EngineCounters) {
        writer.object("counters") { writer in
            writer.field("predictions", counters.predictions)
            writer.field("actuals", counters.actuals)
            writer.field("load", counters.load)
            writer.field("statuses", counters.statuses)
            writer.field("commands", counters.commands)
            writer.field("pairs", counters.pairs)
            writer.field("late", counters.latePredictions + counters.lateActuals)
            writer.field("duplicates", counters.duplicatePredictions + counters.duplicateActuals)
            writer.field("unmatched", counters.unmatchedPredictions + counters.unmatchedActuals)
            writer.field("evicted", counters.evictedHalves)
            writer.field("evaluations", counters.evaluations)
            writer.field("decisions", counters.decisions)
        }
    }
}
