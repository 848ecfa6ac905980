import Foundation
import Retraining

/// A model's baseline as its newest decision tells it, for a person or a program.
public struct BaselineReport {
    private let decision: PublishedDecision

    public init(_ decision: PublishedDecision) { self.decision = decision }

    public var text: String {
        var lines = ["model     \(decision.model), version \(decision.modelVersion ?? "unnamed")"]
        let history = decision.history
        if let version = history.baselineVersion {
            let captured = history.baselineCapturedAt.map { ", captured \(Self.time($0))" } ?? ""
            let origin = history.baselineOrigin.map { ", from \(Self.origin($0))" } ?? ""
            let frozen = history.isBaselineFrozen == true ? "; frozen: trainings do not replace it" : ""
            lines.append("baseline  \(version)\(origin)\(captured)\(frozen)")
        } else {
            lines.append("baseline  none yet")
        }
        lines.append("as of     \(Self.time(decision.evaluatedAt))")
        let metrics = decision.signal?.metrics ?? []
        guard !metrics.isEmpty else { return lines.joined(separator: "\n") }
        let header = ["metric", "samples", "KS", "floor", "p", "shift (sd)", "floor", ""]
        let rows = metrics.map { metric in
            [
                metric.metric, String(metric.samples), Self.figure(metric.statistic),
                Self.figure(metric.statisticFloor),
                Self.figure(metric.pValue), Self.figure(metric.meanShift), Self.figure(metric.meanShiftFloor),
                metric.isDrifted ? "drifted" : "",
            ]
        }
        return (lines + [""] + Self.table([header] + rows)).joined(separator: "\n")
    }

    /// One JSON object, keys sorted.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let history = decision.history
        let body = Body(
            model: decision.model, model_version: decision.modelVersion, evaluated_at_ms: decision.evaluatedAt,
            baseline_version: history.baselineVersion, baseline_origin: history.baselineOrigin,
            baseline_captured_at_ms: history.baselineCapturedAt, baseline_frozen: history.isBaselineFrozen,
            metrics: (decision.signal?.metrics ?? []).map { metric in
                Body.Metric(
                    metric: metric.metric, samples: metric.samples, ks_statistic: metric.statistic,
                    ks_floor: metric.statisticFloor, p_value: metric.pValue, mean_shift: metric.meanShift,
                    mean_shift_floor: metric.meanShiftFloor, drifted: metric.isDrifted)
            })
        return String(decoding: try encoder.encode(body), as: UTF8.self)
    }

    /// Named as in the decision.
    private struct Body: Encodable {
        var model: String
        var model_version: String?
        var evaluated_at_ms: Milliseconds
        var baseline_version: Int?
        var baseline_origin: String?
        var baseline_captured_at_ms: Milliseconds?
        var baseline_frozen: Bool?
        var metrics: [Metric]

        struct Metric: Encodable {
            var metric: String
            var samples: Int
            var ks_statistic: Double?
            var ks_floor: Double?
            var p_value: Double?
            var mean_shift: Double?
            var mean_shift_floor: Double?
            var drifted: Bool
        }
    }

    private static func origin(_ name: String) -> String {
        switch name {
        case "first": "the first full window"
        case "training": "the windows at the last training"
        case "trainer": "the trainer's own summary"
        case "command": "the windows, by command"
        default: name
        }
    }

    private static func time(_ milliseconds: Milliseconds) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601)
    }

    private static func figure(_ value: Double?) -> String {
        value.map { String(format: abs($0) < 0.001 && $0 != 0 ? "%.1e" : "%.3f", $0) } ?? "-"
    }

    /// Columns as wide as their widest entry, the first to the left and figures to the right.
    private static func table(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 || column == row.count - 1 ? cell + gap : gap + cell
            }
            let line = cells.joined(separator: "  ")
            return String(line.prefix(line.count - line.reversed().prefix { $0 == " " }.count))
        }
    }
}
