extension QuantileSummary {
    /// Writes summaries by metric, in the order of the metrics' names.
    static func encode(_ summaries: [String: QuantileSummary], into writer: inout StateWriter) {
        writer.count(summaries.count)
        for (metric, summary) in summaries.sorted(by: { $0.key.precedes($1.key) }) {
            writer.text(metric)
            writer.optional(summary.count) { $0.count($1) }
            writer.count(summary.quantiles.count)
            for quantile in summary.quantiles {
                writer.double(quantile.share)
                writer.double(quantile.value)
            }
        }
    }

    static func decode(from reader: inout StateReader) throws(StateError) -> [String: QuantileSummary] {
        var summaries: [String: QuantileSummary] = [:]
        for _ in 0..<(try reader.count(ofAtLeast: 3 + 16 * fewestQuantiles)) {
            let metric = try reader.text()
            let count = try reader.bool() ? try reader.integer() : nil
            var quantiles: [Quantile] = []
            for _ in 0..<(try reader.count(ofAtLeast: 16)) {
                quantiles.append(Quantile(share: try reader.double(), value: try reader.double()))
            }
            guard let summary = QuantileSummary(count: count, quantiles: quantiles) else {
                throw reader.failure("quantiles are not in order")
            }
            guard summaries.updateValue(summary, forKey: metric) == nil else {
                throw reader.failure("a metric occurs twice")
            }
        }
        return summaries
    }
}
