import Contracts
import Retraining

/// What a replay found, for machines: one JSON object. Times are milliseconds since 1970.
package enum SummaryJSON {
    package static func bytes(_ result: ReplayResult) -> [UInt8] {
        var writer = JSONWriter(capacity: 1 << 16)
        writer.beginObject()
        writer.field("source", result.source)
        writer.field("configuration", result.fingerprint)
        writer.field("closed_loop", result.isClosedLoop)
        writer.field("from_ms", result.collector.first)
        writer.field("to_ms", result.collector.last)
        writer.field("days", result.days)
        writer.field("records", result.findings.records)
        writer.field("decisions", result.collector.decisions)
        writer.field("price", result.price)
        writer.field("currency", result.currency)
        writer.array("notes", result.notes + result.findings.warnings) { $0.write($1) }
        writer.object("refused") { writer in
            for (reason, count) in result.findings.counts.sorted(by: { $0.key < $1.key }) {
                writer.field(reason, count)
            }
        }
        writer.array("schedules", result.schedules) { writer, schedule in
            writer.beginObject()
            writer.field("name", schedule.name)
            writer.field("policy", schedule.isPolicy)
            writer.field("trainings", schedule.trainings)
            writer.field("in_high_load", schedule.inHighLoad)
            writer.field("rollbacks", schedule.rollbacks)
            writer.field("wape", schedule.wape)
            writer.field("mape", schedule.mape)
            writer.field("wape_against_daily", schedule.againstDaily)
            writer.field("worst_against_daily", schedule.worstAgainstDaily)
            writer.field("cost", result.price.map { $0 * Double(schedule.trainings) })
            writer.endObject()
        }
        writer.field("regret_against_oracle", result.regret)
        writer.array("success_metrics", SuccessMetrics(result).rows) { writer, row in
            writer.beginObject()
            writer.field("name", row.name)
            writer.field("target", row.target)
            writer.field("measured", row.measured)
            writer.field("met", row.isMet)
            writer.field("detail", row.detail)
            writer.endObject()
        }
        writer.array("frontier", result.frontier) { writer, point in
            writer.beginObject()
            writer.array("settings", point.settings) { $0.write($1) }
            writer.field("trainings", point.trainings)
            writer.field("error", point.error)
            writer.field("in_high_load", point.inHighLoad)
            writer.field("current", point.isCurrent)
            writer.field("on_frontier", point.isOnFrontier)
            writer.endObject()
        }
        writer.array("models", result.models) { $0.model($1) }
        writer.endObject()
        return writer.bytes + [0x0A]
    }
}

extension JSONWriter {
    fileprivate mutating func model(_ model: ModelTrace) {
        beginObject()
        field("model", model.model)
        field("decisions", model.decisions)
        field("mean_error", model.meanError)
        field("above_threshold", model.aboveThreshold)
        object("reasons") { writer in
            for (reason, count) in model.reasons.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                writer.field(reason.rawValue, count)
            }
        }
        array("trainings", model.trainings) { writer, training in
            writer.beginObject()
            writer.field("at_ms", training.at)
            writer.field("reason", training.reason.rawValue)
            writer.field("text", training.text)
            writer.field("score", training.score)
            writer.field("load", training.load)
            writer.field("in_high_load", training.isHighLoad)
            writer.field("request_id", training.requestID)
            writer.field("onset_ms", training.onset)
            writer.field("detected_ms", training.detected)
            writer.field("ready_ms", training.ready)
            writer.field("verdict", training.verdict)
            writer.endObject()
        }
        endObject()
    }
}
