public import Retraining

/// Writes input records as plain JSON: for producers of ours such as the demo's feed, the example trainer and the
/// commands of the command line.
///
/// Times are integer milliseconds. Optional fields that are nil are left out. A value that is not finite becomes null,
/// which readers skip.
public enum RecordEncoder {
    /// - Parameters:
    ///   - at: the time predicted for.
    ///   - issuedAt: the time of the forecast.
    ///   - values: by metric; names must differ.
    public static func prediction(
        model: String? = nil, version: String? = nil, entity: String, at: Milliseconds, issuedAt: Milliseconds? = nil,
        isShadow: Bool = false, values: [(name: String, value: Double)]
    ) -> [UInt8] {
        prediction(model, version, entity, at, issuedAt, isShadow) { writer in
            for (name, value) in values { writer.field(name, value) }
        }
    }

    /// A prediction by quantiles, such as `("p10", 1.5)`. Readers take `p50` as the value and refuse a metric without.
    public static func prediction(
        model: String? = nil, version: String? = nil, entity: String, at: Milliseconds, issuedAt: Milliseconds? = nil,
        isShadow: Bool = false, quantiles: [(name: String, quantiles: [(name: String, value: Double)])]
    ) -> [UInt8] {
        prediction(model, version, entity, at, issuedAt, isShadow) { writer in
            for (name, quantiles) in quantiles {
                writer.object(name) { writer in
                    for (quantile, value) in quantiles { writer.field(quantile, value) }
                }
            }
        }
    }

    public static func actual(
        model: String? = nil, entity: String, at: Milliseconds, values: [(name: String, value: Double)]
    ) -> [UInt8] {
        object { writer in
            writer.present("model", model)
            writer.field("entity", entity)
            writer.field("at", at)
            writer.object("values") { writer in
                for (name, value) in values { writer.field(name, value) }
            }
        }
    }

    public static func load(
        pool: String? = nil, entity: String, at: Milliseconds, cpuPercent: Double? = nil,
        predictionsPerSecond: Double? = nil, incident: Bool? = nil
    ) -> [UInt8] {
        object { writer in
            writer.present("pool", pool)
            writer.field("entity", entity)
            writer.field("at", at)
            if let cpuPercent { writer.field("cpu_pct", cpuPercent) }
            if let predictionsPerSecond { writer.field("predictions_per_s", predictionsPerSecond) }
            if let incident { writer.field("incident", incident) }
        }
    }

    /// Figures are sorted by name, so that the same record gives the same bytes.
    public static func trainingStatus(_ record: TrainingStatusRecord) -> [UInt8] {
        object { writer in
            writer.field("request_id", record.requestID)
            writer.field("status", record.status.rawValue)
            if record.at != .unknownTime { writer.field("at", record.at) }
            writer.present("run_id", record.runID)
            writer.present("url", record.url)
            writer.present("model_version", record.modelVersion)
            if let progress = record.progress { writer.field("progress", progress) }
            if !record.metrics.isEmpty {
                writer.object("metrics") { writer in
                    for (name, value) in record.metrics.sorted(by: { $0.key < $1.key }) { writer.field(name, value) }
                }
            }
            if !record.baseline.isEmpty {
                writer.object("baseline") { writer in
                    for (name, summary) in record.baseline.sorted(by: { $0.key < $1.key }) {
                        writer.summary(name, summary)
                    }
                }
            }
            if !record.errors.isEmpty { writer.array("errors", record.errors) { $0.write($1) } }
        }
    }

    public static func command(_ record: CommandRecord) -> [UInt8] {
        object { writer in
            writer.field("command", record.kind.rawValue)
            writer.present("model", record.model)
            writer.present("request_id", record.requestID)
            writer.present("reason", record.reason)
            writer.present("by", record.by)
            if record.at != .unknownTime { writer.field("at", record.at) }
        }
    }

    private static func prediction(
        _ model: String?, _ version: String?, _ entity: String, _ at: Milliseconds, _ issuedAt: Milliseconds?,
        _ isShadow: Bool, _ values: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        object { writer in
            writer.present("model", model)
            writer.present("model_version", version)
            writer.field("entity", entity)
            writer.field("at", at)
            if let issuedAt { writer.field("issued_at", issuedAt) }
            if isShadow { writer.field("shadow", true) }
            writer.object("values", values)
        }
    }

    private static func object(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: 256)
        writer.beginObject()
        body(&writer)
        writer.endObject()
        return writer.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func summary(_ name: String, _ summary: QuantileSummary) {
        object(name) { writer in
            if let count = summary.count { writer.field("count", count) }
            for quantile in summary.quantiles { writer.field("p\(Self.percent(quantile.share))", quantile.value) }
        }
    }

    /// Without a fraction where there is none: `p5`, `p2.5`.
    private static func percent(_ share: Double) -> String {
        let percent = (share * 1e6).rounded() / 1e4
        return percent == percent.rounded() ? "\(Int(percent))" : "\(percent)"
    }

    fileprivate mutating func present(_ name: String, _ text: String?) {
        if let text { field(name, text) }
    }
}
