import Foundation
public import Retraining

/// A model's baseline for a person or a program: as its newest decision tells it, and what the last snapshot of the state
/// holds. Either may be missing: decisions are kept for a while only, and a snapshot comes with the first hour.
public struct BaselineReport {
    private let decision: PublishedDecision?
    private let view: BaselineView?
    /// Of the snapshot.
    private let seenAt: Milliseconds?

    /// - Parameter seenAt: the evaluation behind which the state was written.
    public init(_ decision: PublishedDecision?, _ view: BaselineView?, seenAt: Milliseconds?) {
        self.decision = decision
        self.view = view
        self.seenAt = seenAt
    }

    private var model: String { decision?.model ?? view?.model ?? "" }
    private var modelVersion: String? { decision.map(\.modelVersion) ?? view?.modelVersion }
    private var version: Int? { decision.map(\.history.baselineVersion) ?? view?.version }
    private var origin: String? { decision.map(\.history.baselineOrigin) ?? view?.origin?.rawValue }
    private var capturedAt: Milliseconds? { decision.map(\.history.baselineCapturedAt) ?? view?.capturedAt }
    private var isFrozen: Bool? { decision.map(\.history.isBaselineFrozen) ?? view?.isFrozen }

    public var text: String {
        var lines = ["model     \(model), version \(modelVersion ?? "unnamed")"]
        if let version {
            let captured = capturedAt.map { ", captured \(Self.time($0))" } ?? ""
            let from = origin.map { ", from \(Self.origin($0))" } ?? ""
            let frozen = isFrozen == true ? "; frozen: trainings do not replace it" : ""
            lines.append("baseline  \(version)\(from)\(captured)\(frozen)")
        } else {
            lines.append(
                "baseline  none yet" + (isFrozen == true ? "; frozen: trainings will not replace the first" : ""))
        }
        if let decision {
            lines.append("as of     \(Self.time(decision.evaluatedAt))")
        } else if let seenAt {
            lines.append("as of     \(Self.time(seenAt)), from the state: no decision about the model is kept")
        }
        return (lines + comparison + contents).joined(separator: "\n")
    }

    /// How the windows lie against the baseline.
    private var comparison: [String] {
        let metrics = decision?.signal?.metrics ?? []
        guard !metrics.isEmpty else { return [] }
        let header = ["metric", "samples", "KS", "floor", "p", "shift (sd)", "floor", ""]
        let rows = metrics.map { metric in
            [
                metric.metric, String(metric.samples), Self.figure(metric.statistic),
                Self.figure(metric.statisticFloor),
                Self.figure(metric.pValue), Self.figure(metric.meanShift), Self.figure(metric.meanShiftFloor),
                metric.isDrifted ? "drifted" : "",
            ]
        }
        return ["", "window against baseline"] + Self.table([header] + rows)
    }

    /// What the baseline itself holds.
    private var contents: [String] {
        guard let view, let seenAt else { return [] }
        guard let held = view.version else {
            return version == nil
                ? [] : ["", "What it holds comes with the next snapshot; the last is of \(Self.time(seenAt))."]
        }
        let which =
            held == version ? "baseline \(held)" : "baseline \(held), which was the last at \(Self.time(seenAt))"
        let shares = ["min", "p5", "p25", "p50", "p75", "p95", "max"]
        let rows = view.metrics.map { metric in
            [metric.name, String(metric.count)]
                + ([metric.mean, metric.standardDeviation] + metric.quantiles).map(Self.figure) + [""]
        }
        return ["", which] + Self.table([["metric", "values", "mean", "sd"] + shares + [""]] + rows)
    }

    /// One JSON object, keys sorted.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = Body(
            model: model, model_version: modelVersion, evaluated_at_ms: decision?.evaluatedAt ?? seenAt,
            baseline_version: version, baseline_origin: origin, baseline_captured_at_ms: capturedAt,
            baseline_frozen: isFrozen,
            metrics: (decision?.signal?.metrics ?? []).map { metric in
                Body.Metric(
                    metric: metric.metric, samples: metric.samples, ks_statistic: metric.statistic,
                    ks_floor: metric.statisticFloor, p_value: metric.pValue, mean_shift: metric.meanShift,
                    mean_shift_floor: metric.meanShiftFloor, drifted: metric.isDrifted)
            },
            contents: view?.version.map { version in
                Body.Contents(
                    baseline_version: version, evaluated_at_ms: seenAt, probabilities: BaselineView.probabilities,
                    metrics: view?.metrics.map {
                        Body.Values(
                            metric: $0.name, count: $0.count, mean: $0.mean, standard_deviation: $0.standardDeviation,
                            quantiles: $0.quantiles)
                    } ?? [])
            })
        return String(decoding: try encoder.encode(body), as: UTF8.self)
    }

    /// Named as in the decision.
    private struct Body: Encodable {
        var model: String
        var model_version: String?
        var evaluated_at_ms: Milliseconds?
        var baseline_version: Int?
        var baseline_origin: String?
        var baseline_captured_at_ms: Milliseconds?
        var baseline_frozen: Bool?
        var metrics: [Metric]
        var contents: Contents?

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

        struct Contents: Encodable {
            var baseline_version: Int
            var evaluated_at_ms: Milliseconds?
            var probabilities: [Double]
            var metrics: [Values]
        }

        struct Values: Encodable {
            var metric: String
            var count: Int
            var mean: Double
            var standard_deviation: Double
            var quantiles: [Double]
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
