import Statistics

/// A sample whose numbers are written in columns.
protocol ColumnSample: TimedSample {
    static var columns: Int { get }
    init(at: Milliseconds, rank: UInt64)
    func column(_ index: Int) -> Double
    mutating func set(column: Int, to value: Double)
}

extension ActualSample: ColumnSample {
    static var columns: Int { 1 }
    init(at: Milliseconds, rank: UInt64) { self.init(at: at, value: 0, rank: rank) }
    func column(_ index: Int) -> Double { value }
    mutating func set(column: Int, to value: Double) { self.value = value }
}

extension ErrorSample: ColumnSample {
    static var columns: Int { 3 }
    init(at: Milliseconds, rank: UInt64) { self.init(at: at, predicted: 0, actual: 0, naive: .nan, rank: rank) }

    func column(_ index: Int) -> Double {
        switch index {
        case 0: predicted
        case 1: actual
        default: naive
        }
    }

    mutating func set(column: Int, to value: Double) {
        switch column {
        case 0: predicted = value
        case 1: actual = value
        default: naive = value
        }
    }
}

extension SampleWindow where Sample: ColumnSample {
    /// Writes a window that holds something. An empty one is as good as none.
    func encode(into writer: inout StateWriter) {
        writer.count(ring.count)
        guard ring.count > 0 else { return }
        writer.count(thinning)
        writer.varint(offered)
        var times: [Milliseconds] = []
        times.reserveCapacity(ring.count)
        ring.forEach { times.append($0.at) }
        writer.column(times: times)
        var values: [Double] = []
        values.reserveCapacity(ring.count)
        for column in 0..<Sample.columns {
            values.removeAll(keepingCapacity: true)
            ring.forEach { values.append($0.column(column)) }
            writer.column(values)
        }
        writer.reserve(8 * ring.count)
        ring.forEach { writer.word($0.rank) }
    }

    /// Reads a window; nil where it held nothing.
    static func decode(
        from reader: inout StateReader, capacity: Int, span: Milliseconds?
    ) throws(StateError) -> SampleWindow? {
        let count = try reader.count(ofAtLeast: 8 + Sample.columns)
        guard count > 0 else { return nil }
        let thinning = try reader.index(below: 65)
        let offered = try reader.varint()
        var samples = [Sample](repeating: Sample(at: 0, rank: 0), count: count)
        try samples.fill(from: &reader)
        let window = SampleWindow(capacity: capacity, span: span)
        window.restore(samples, thinning: thinning, offered: offered)
        return window
    }
}

extension Array where Element: ColumnSample {
    fileprivate mutating func fill(from reader: inout StateReader) throws(StateError) {
        var times = [Milliseconds](repeating: 0, count: count)
        try reader.column(times: count) { times[$0] = $1 }
        guard !times.contains(.min) else { throw reader.failure("a sample has no time") }
        var columns: [[Double]] = []
        for _ in 0..<Element.columns {
            var values = [Double](repeating: 0, count: count)
            try reader.column(count: count) { values[$0] = $1 }
            columns.append(values)
        }
        for index in indices {
            self[index] = Element(at: times[index], rank: try reader.word())
            for column in 0..<Element.columns { self[index].set(column: column, to: columns[column][index]) }
        }
    }
}

extension MetricWindows {
    func encode(into writer: inout StateWriter) {
        writer.optionalTime(firstActualAt)
        if let actuals { actuals.encode(into: &writer) } else { writer.count(0) }
        if let reference { reference.encode(into: &writer) } else { writer.count(0) }
        let filled = errors.indices.filter { (errors[$0]?.count ?? 0) > 0 }
        writer.count(filled.count)
        for bucket in filled {
            writer.count(bucket)
            errors[bucket]!.encode(into: &writer)
        }
    }

    /// Reads windows that were kept under `stored` settings, as they are under `configuration`.
    init(
        from reader: inout StateReader, _ stored: StateSettings, _ configuration: DriftConfiguration,
        _ settings: StateSettings
    ) throws(StateError) {
        self.init()
        let isSpanned = configuration.window == .span
        firstActualAt = try reader.optionalTime()
        actuals = try SampleWindow.decode(
            from: &reader, capacity: configuration.windowSize,
            span: isSpanned ? configuration.distributionSpan : nil)
        reference = try SampleWindow.decode(
            from: &reader, capacity: configuration.baselineSize, span: configuration.referenceSpan)
        if !settings.keepsReference {
            reference = nil
        } else if !stored.keepsReference, let actuals {
            // What there is of the past is a beginning.
            let copy = SampleWindow<ActualSample>(
                capacity: configuration.baselineSize, span: configuration.referenceSpan)
            var samples: [ActualSample] = []
            actuals.ring.forEach { samples.append($0) }
            copy.restore(samples, thinning: actuals.thinning, offered: actuals.offered)
            reference = copy
        }
        var last = -1
        for _ in 0..<(try reader.count()) {
            let old = try reader.index(below: stored.horizonBuckets.count + 1)
            guard old > last else { throw reader.failure("horizon buckets are not in order") }
            last = old
            let window = try SampleWindow<ErrorSample>.decode(
                from: &reader, capacity: configuration.windowSize, span: isSpanned ? configuration.errorSpan : nil)
            guard let window, let bucket = stored.bucket(old, under: settings) else { continue }
            while errors.count <= bucket { errors.append(nil) }
            errors[bucket] = window
        }
    }
}

extension AnomalyWindow {
    /// Flags oldest first; where the ring begins is not shown.
    func encode(into writer: inout StateWriter) {
        writer.count(flags.count)
        let start = flags.count < capacity ? 0 : next
        writer.bits(count: flags.count) { flags[(start + $0) % flags.count] }
    }

    init(from reader: inout StateReader, capacity: Int) throws(StateError) {
        self.init(capacity: capacity)
        let count = try reader.integer()
        guard (count + 7) / 8 <= reader.remaining else { throw reader.failure("more is announced than follows") }
        var all = [Bool](repeating: false, count: count)
        try reader.bits(count: count) { all[$0] = true }
        for flag in all.suffix(capacity) { add(isAnomalous: flag) }
    }
}
