import CSimdjson
public import Retraining

/// The few figures of a published decision that a chart needs, out of a record of some kilobytes.
public struct DecisionFigures: Sendable, Equatable {
    public var model: String
    public var modelVersion: String?
    public var evaluatedAt: Milliseconds
    public var isTrigger: Bool
    /// Nil for a code that this version does not know.
    public var reason: Reason?
    public var requestID: String?
    /// NaN where there is none; the same for the figures below.
    public var accuracy: Double
    public var score: Double
    public var plainScore: Double
    /// The four terms of the score.
    public var predictionError: Double
    public var distributionShift: Double
    public var featureDrift: Double
    public var anomalyRate: Double
    public var load: Double
    public var isQuiet: Bool
    /// What the signal recommends; nil without a signal.
    public var recommendation: String?
}

/// Reads decisions off their topic: for a reader of months of them, which wants a few figures of each.
///
/// One scanner serves one thread.
public final class DecisionScanner {
    private static let fields: [[String]] = [
        ["model"], ["evaluated_at_ms"], ["outcome"], ["reason", "code"], ["accuracy"], ["request_id"],
        ["signal", "score"], ["signal", "plain_score"], ["signal", "terms", "prediction_error"],
        ["signal", "terms", "distribution_shift"], ["signal", "terms", "feature_drift"],
        ["signal", "terms", "anomaly_rate"], ["signal", "recommendation"], ["load", "score"], ["load", "quiet"],
        ["model_version"],
    ]
    private static let reasons = Dictionary(uniqueKeysWithValues: Reason.allCases.map { ($0.rawValue, $0) })

    private let parser: OpaquePointer
    private let plan: OpaquePointer
    private let record: UnsafePointer<csimdjson_record>

    public init() {
        parser = csimdjson_parser_create(csimdjson_limits(depth: 32, values: 1, name_bytes: 4096))
        record = csimdjson_parser_record(parser)
        plan = csimdjson_plan_create()
        for (index, segments) in Self.fields.enumerated() {
            RecordDecoder.add(plan, Int32(index), CSIMDJSON_SCALAR, segments, [])
        }
    }

    deinit {
        csimdjson_parser_destroy(parser)
        csimdjson_plan_destroy(plan)
    }

    /// - Returns: nil for what is no decision: a verdict, or anything that somebody else wrote there.
    public func scan(_ value: UnsafeRawBufferPointer) -> DecisionFigures? {
        let status = csimdjson_parse(
            parser, plan, value.baseAddress?.assumingMemoryBound(to: UInt8.self), value.count, true)
        guard status == CSIMDJSON_OK, let model = text(0), !model.isEmpty else { return nil }
        let time = record.pointee.fields[1]
        guard time.kind == CSIMDJSON_INTEGER, let outcome = text(2) else { return nil }
        return DecisionFigures(
            model: model, modelVersion: text(15), evaluatedAt: time.integer, isTrigger: outcome == "trigger",
            reason: text(3).flatMap { Self.reasons[$0] }, requestID: text(5), accuracy: number(4), score: number(6),
            plainScore: number(7), predictionError: number(8), distributionShift: number(9), featureDrift: number(10),
            anomalyRate: number(11), load: number(13),
            isQuiet: record.pointee.fields[14].kind == CSIMDJSON_BOOLEAN && record.pointee.fields[14].boolean,
            recommendation: text(12))
    }

    private func text(_ index: Int) -> String? {
        let field = record.pointee.fields[index]
        guard field.kind == CSIMDJSON_TEXT else { return nil }
        return String(decoding: UnsafeBufferPointer(start: field.text, count: field.text_count), as: UTF8.self)
    }

    private func number(_ index: Int) -> Double {
        let field = record.pointee.fields[index]
        return field.kind == CSIMDJSON_INTEGER || field.kind == CSIMDJSON_NUMBER ? field.number : .nan
    }
}
