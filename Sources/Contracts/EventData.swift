import Retraining

/// The data of requests, alerts and verdicts, and what all events share.
extension JSONWriter {
    /// The data of `driftgate.request.v1`: all that a trainer needs.
    mutating func request(_ request: TrainingRequest) {
        beginObject()
        field("request_id", request.requestID)
        field("attempt", request.attempt)
        field("model", request.model)
        field("model_version", request.modelVersion)
        time("requested_at", request.requestedAt)
        field("mode", request.mode)
        field("epochs", request.epochs)
        object("training_window") { writer in
            writer.time("from", request.trainingFrom)
            writer.time("to", request.trainingTo)
            writer.offsets("offsets", request.offsets.map { ($0.topic, $0.partition, $0) }) { writer, range in
                writer.beginArray()
                writer.write(range.from)
                writer.write(range.to)
                writer.endArray()
            }
            writer.field("complete", request.offsetsComplete)
        }
        field("keep_shadow_hours", Double(request.keepShadow) / Double(Milliseconds.hour))
        time("drift_onset", request.driftOnset)
        reason(request.reason, request.text)
        field("priority", request.priority.rawValue)
        field("confidence", request.confidence)
        object("evidence") { $0.signal(request.signal) }
        time("deadline", request.deadline)
        field("reply_topic", request.replyTopic)
        field("decision_id", request.decisionID)
        endObject()
    }

    /// The data of `driftgate.alert.v1`.
    mutating func alert(_ alert: Alert) {
        beginObject()
        field("alert_id", alert.id)
        field("kind", alert.kind.rawValue)
        field("severity", alert.severity.rawValue)
        field("state", alert.state.rawValue)
        field("model", alert.model)
        field("request_id", alert.requestID)
        time("at", alert.at)
        field("text", alert.text)
        endObject()
    }

    /// The data of `driftgate.verdict.v1`.
    mutating func verdict(_ verdict: Verdict) {
        beginObject()
        field("verdict_id", verdict.id)
        field("model", verdict.model)
        field("request_id", verdict.requestID)
        field("new_version", verdict.newVersion)
        field("old_version", verdict.oldVersion)
        field("outcome", verdict.outcome.rawValue)
        field("error_ratio", verdict.ratio)
        field("against", verdict.againstShadowForecaster ? "shadow_forecaster" : "old_version")
        field("pairs", verdict.pairs)
        time("at", verdict.at)
        field("recommends_rollback", verdict.recommendsRollback)
        field("text", verdict.text)
        endObject()
    }

    // MARK: - Shared

    mutating func reason(_ reason: Reason, _ text: String) {
        object("reason") { writer in
            writer.field("code", reason.rawValue)
            writer.field("text", text)
        }
    }

    /// `name` as RFC 3339 and `name_ms` as milliseconds; both null where the time is not known.
    mutating func time(_ name: String, _ time: Milliseconds?) {
        let known = time == .unknownTime ? nil : time
        field(name, known.flatMap { Timestamp.text($0) })
        field(name + "_ms", known)
    }

    /// `{topic: {partition: …}}`, sorted by topic, then by partition as a number.
    mutating func offsets<Entry>(
        _ name: String, _ entries: [(topic: String, partition: Int32, entry: Entry)],
        _ body: (inout JSONWriter, Entry) -> Void
    ) {
        let sorted = entries.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
        object(name) { writer in
            var open: String?
            for (topic, partition, entry) in sorted {
                if topic != open {
                    if open != nil { writer.endObject() }
                    writer.key(topic)
                    writer.beginObject()
                    open = topic
                }
                writer.key(String(partition))
                body(&writer, entry)
            }
            if open != nil { writer.endObject() }
        }
    }
}
