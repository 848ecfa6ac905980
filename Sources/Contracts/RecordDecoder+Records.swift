import CSimdjson
import Retraining

/// What the fields of each role mean. The numbers are positions in `FieldMap.fields(of:)`.
extension RecordDecoder {
    func prediction() throws(Rejection) -> PredictionRecord {
        let role = RecordRole.prediction
        return PredictionRecord(
            model: try name(role, 0), version: try name(role, 1), entity: try requiredName(role, 2),
            at: try requiredTime(role, 3), issuedAt: try optionalTime(role, 4),
            isShadow: try boolean(role, 5) ?? false, values: try values(role, 6))
    }

    func actual() throws(Rejection) -> ActualRecord {
        let role = RecordRole.actual
        return ActualRecord(
            model: try name(role, 0), entity: try requiredName(role, 1), at: try timeOrEventTime(role, 2),
            values: try values(role, 3))
    }

    func load() throws(Rejection) -> LoadRecord {
        let role = RecordRole.load
        let cpu = try percent(role, 3)
        let rate = try nonNegative(role, 4)
        let incident = try boolean(role, 5)
        if cpu == nil, rate == nil, incident == nil {
            throw Rejection(
                .missingField, field: label(role, 3),
                detail: "The load record says nothing. Send at least one of \(label(role, 3)), \(label(role, 4)) and "
                    + "\(label(role, 5)).")
        }
        return LoadRecord(
            pool: try name(role, 0), entity: try requiredName(role, 1), at: try timeOrEventTime(role, 2),
            cpuPercent: cpu, predictionsPerSecond: rate, incident: incident)
    }

    func trainingStatus() throws(Rejection) -> TrainingStatusRecord {
        let role = RecordRole.trainingStatus
        let word = try requiredName(role, 1).string
        guard let status = TrainingStatusRecord.Status(rawValue: word) else {
            let known = TrainingStatusRecord.Status.allCases.map(\.rawValue).joined(separator: ", ")
            throw Rejection(
                .unknownStatus, field: label(role, 1),
                detail: "\(label(role, 1)) is \(JSONFault.quoted(word)); use one of \(known).")
        }
        let progress = try number(role, 6)
        if let progress, !(0...1).contains(progress) {
            throw outOfRange(role, 6, progress, "a share from 0 to 1; divide a percentage by 100")
        }
        return TrainingStatusRecord(
            requestID: try requiredName(role, 0).string, status: status, at: try optionalTime(role, 2),
            runID: try text(role, 3), url: try text(role, 4), modelVersion: try optionalName(role, 5),
            progress: progress, metrics: try figures(role, 7), errors: try texts(role, 8), baseline: summaries())
    }

    func command() throws(Rejection) -> CommandRecord {
        let role = RecordRole.command
        let word = try requiredName(role, 0).string
        guard let kind = CommandRecord.Kind(rawValue: word) else {
            let known = CommandRecord.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Rejection(
                .unknownCommand, field: label(role, 0),
                detail: "\(label(role, 0)) is \(JSONFault.quoted(word)); use one of \(known).")
        }
        return CommandRecord(
            kind: kind, model: try optionalName(role, 1), requestID: try optionalName(role, 2),
            reason: try text(role, 3), by: try text(role, 4), at: try optionalTime(role, 5))
    }

    // MARK: - Values

    /// From `values`, or from `metric` and `value` at the two positions behind it.
    private func values(_ role: RecordRole, _ index: Int) throws(Rejection) -> UnsafeBufferPointer<MetricValue> {
        if hasOneValue[role.index] {
            let metric = try requiredName(role, index + 1)
            guard let value = try number(role, index + 2) else { throw missing(role, index + 2) }
            return oneValue(metric, value)
        }
        switch record.pointee.fields[index].kind {
        case CSIMDJSON_OBJECT: break
        case CSIMDJSON_ABSENT, CSIMDJSON_NULL: throw missing(role, index)
        default: throw wrongType(role, index, "an object from metric names to numbers")
        }
        let values = collectValues()
        guard values.count > 0 else {
            throw Rejection(
                .noUsableValue, field: label(role, index),
                detail: "\(label(role, index)) holds no number (nulls are skipped). Send at least one, or no record.")
        }
        return values
    }

    private func figures(_ role: RecordRole, _ index: Int) throws(Rejection) -> [String: Double] {
        switch record.pointee.fields[index].kind {
        case CSIMDJSON_OBJECT: break
        case CSIMDJSON_ABSENT, CSIMDJSON_NULL: return [:]
        default: throw wrongType(role, index, "an object from names to numbers")
        }
        var figures: [String: Double] = [:]
        for value in collectValues() { figures[value.name.string] = value.value }
        return figures
    }

    /// Summaries by metric. What makes no summary is left out and rejects nothing: the word that a training is done
    /// counts for more than what its data looked like.
    private func summaries() -> [String: QuantileSummary] {
        var figures: [String: (count: Int?, quantiles: [Double: Double])] = [:]
        for index in 0..<record.pointee.summary_count {
            let figure = record.pointee.summaries[index]
            let name = BorrowedText(base: figure.name, count: figure.name_count).string
            if figure.percent < 0 {
                figures[name, default: (nil, [:])].count = Int(exactly: figure.value) ?? 0
            } else {
                figures[name, default: (nil, [:])].quantiles[figure.percent / 100] = figure.value
            }
        }
        return figures.compactMapValues { metric in
            QuantileSummary(
                count: metric.count, quantiles: metric.quantiles.map { .init(share: $0.key, value: $0.value) })
        }
    }

    /// Texts of a list, each of at most 2000 bytes; what is beyond is cut.
    private func texts(_ role: RecordRole, _ index: Int) throws(Rejection) -> [String] {
        switch record.pointee.fields[index].kind {
        case CSIMDJSON_ARRAY, CSIMDJSON_TEXT: break
        case CSIMDJSON_ABSENT, CSIMDJSON_NULL: return []
        default: throw wrongType(role, index, "a list of texts")
        }
        return (0..<record.pointee.text_count).map { position in
            let text = record.pointee.texts[position]
            return Self.prefix(UnsafeBufferPointer(start: text.bytes, count: text.count))
        }
    }
}
