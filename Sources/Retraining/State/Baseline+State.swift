import Statistics

extension Baseline {
    /// - Parameter slots: of the metrics in the order of the unit.
    func encode(slots: [Int], into writer: inout StateWriter) {
        writer.count(version)
        writer.name(origin)
        writer.time(capturedAt)
        writer.double(anomalyRate)
        for slot in slots {
            writer.optional(slot < metrics.count ? metrics[slot] : nil) { $1.encode(into: &$0) }
        }
    }

    init(metricCount: Int, from reader: inout StateReader) throws(StateError) {
        version = try reader.integer()
        origin = try reader.name(Origin.self)
        capturedAt = try reader.time()
        anomalyRate = try reader.double()
        metrics = []
        for _ in 0..<metricCount {
            metrics.append(try reader.bool() ? try MetricBaseline(from: &reader) : nil)
        }
    }

    /// Hours of the week of another time zone say nothing: only the distributions stay, until the next baseline.
    mutating func dropSeasons() {
        for slot in metrics.indices { metrics[slot]?.seasonal = nil }
    }
}

extension MetricBaseline {
    func encode(into writer: inout StateWriter) {
        pooled.encode(into: &writer)
        writer.optional(seasonal) { $1.encode(into: &$0) }
    }

    init(from reader: inout StateReader) throws(StateError) {
        pooled = try CalibratedDistribution(from: &reader)
        seasonal = try reader.bool() ? try SeasonalBaseline(from: &reader) : nil
    }
}

extension SeasonalBaseline {
    func encode(into writer: inout StateWriter) {
        writer.column(means)
        residuals.encode(into: &writer)
    }

    init(from reader: inout StateReader) throws(StateError) {
        var means = [Double](repeating: 0, count: Self.hours)
        try reader.column(count: Self.hours) { means[$0] = $1 }
        self.means = means
        residuals = try CalibratedDistribution(from: &reader)
    }
}

extension CalibratedDistribution {
    func encode(into writer: inout StateWriter) {
        writer.double(statisticFloor)
        writer.double(shiftFloor)
        writer.double(distribution.mean)
        writer.double(distribution.standardDeviation)
        writer.count(distribution.ignoredCount)
        let values = distribution.distinctValues
        writer.count(values.count)
        writer.column(values)
        let hasTies = values.count < distribution.count
        writer.bool(hasTies)
        if hasTies { for index in values.indices { writer.count(distribution.occurrences(ofDistinctIndex: index)) } }
    }

    init(from reader: inout StateReader) throws(StateError) {
        statisticFloor = try reader.double()
        shiftFloor = try reader.double()
        let mean = try reader.double()
        let deviation = try reader.double()
        let ignored = try reader.integer()
        let count = try reader.count()
        var values = [Double](repeating: 0, count: count)
        try reader.column(count: count) { values[$0] = $1 }
        var occurrences = [Int](repeating: 1, count: count)
        if try reader.bool() { for index in 0..<count { occurrences[index] = try reader.integer() } }
        guard
            let distribution = BaselineDistribution(
                distinct: values, occurrences: occurrences, ignoredCount: ignored, mean: mean,
                standardDeviation: deviation)
        else { throw reader.failure("a baseline's values are not in order") }
        self.distribution = distribution
    }
}
