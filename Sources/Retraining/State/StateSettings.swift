/// The settings that the shape of a stored state depends on, and what a change of them means for it.
struct StateSettings: Equatable {
    var windowSize: Int
    var window: DriftConfiguration.Window
    var scoring: DriftConfiguration.Scoring
    var errorSpan: Milliseconds
    var distributionSpan: Milliseconds
    var referenceSpan: Milliseconds
    var horizonBuckets: [Milliseconds]
    var lookback: Milliseconds
    /// Values of a metric that its baseline, and the window it is taken from, hold at most.
    var baselineSize: Int
    /// Whose hours of the week the baselines know.
    var timeZone: String

    init(_ configuration: EngineConfiguration) {
        let drift = configuration.drift
        windowSize = drift.windowSize
        window = drift.window
        scoring = drift.scoring
        errorSpan = drift.errorSpan
        distributionSpan = drift.distributionSpan
        referenceSpan = drift.referenceSpan
        horizonBuckets = drift.horizonBuckets
        lookback = configuration.quiet.lookback
        baselineSize = drift.baselineSize
        timeZone = configuration.quiet.calendar.timeZone
    }

    /// Whether windows for the next baseline are kept beside those of the actuals.
    var keepsReference: Bool { scoring == .calibrated && window == .span }

    /// What a bucket of these settings is called under others; nil where no bucket has the same edges.
    func bucket(_ bucket: Int, under other: StateSettings) -> Int? {
        guard bucket <= horizonBuckets.count else { return nil }
        return (0...other.horizonBuckets.count).first {
            other.lowerEdge($0) == lowerEdge(bucket) && other.upperEdge($0) == upperEdge(bucket)
        }
    }

    private func lowerEdge(_ bucket: Int) -> Milliseconds? { bucket > 0 ? horizonBuckets[bucket - 1] : nil }
    private func upperEdge(_ bucket: Int) -> Milliseconds? {
        bucket < horizonBuckets.count ? horizonBuckets[bucket] : nil
    }

    /// What happens to a state of these settings under others, in sentences for a person.
    func adaptations(to other: StateSettings) -> [String] {
        var sentences: [String] = []
        if other.windowSize < windowSize {
            sentences.append(
                "prediction_window_size was \(windowSize) and is \(other.windowSize): windows beyond it were thinned.")
        } else if other.windowSize > windowSize {
            sentences.append(
                "prediction_window_size was \(windowSize) and is \(other.windowSize): windows fill up as samples come.")
        }
        if other.window != window {
            sentences.append("window was \(window.rawValue) and is \(other.window.rawValue): samples were kept.")
        }
        if (other.errorSpan, other.distributionSpan, other.referenceSpan)
            != (errorSpan, distributionSpan, referenceSpan)
        {
            sentences.append("spans of the windows changed: samples beyond a shorter one leave at the next evaluation.")
        }
        if other.scoring != scoring {
            sentences.append(
                other.scoring == .plain
                    ? "scoring was calibrated and is plain: skill and verification were dropped."
                    : "scoring was plain and is calibrated: skill is learned anew, baselines stay.")
        }
        if other.horizonBuckets != horizonBuckets {
            sentences.append("horizon_buckets changed: error windows of buckets that are no more were dropped.")
        }
        if other.baselineSize < baselineSize, keepsReference, other.keepsReference {
            sentences.append(
                "baseline_size was \(baselineSize) and is \(other.baselineSize): what baselines are taken from was thinned."
            )
        }
        if other.timeZone != timeZone {
            sentences.append(
                "timezone was \(timeZone) and is \(other.timeZone): baselines lost their hours of the week until the next."
            )
        }
        if other.lookback != lookback {
            sentences.append("load_prediction_lookback_days changed: load history beyond it is dropped.")
        }
        return sentences
    }

    func encode(into writer: inout StateWriter) {
        writer.count(windowSize)
        writer.name(window)
        writer.name(scoring)
        for span in [errorSpan, distributionSpan, referenceSpan, lookback] { writer.time(span) }
        writer.count(horizonBuckets.count)
        for edge in horizonBuckets { writer.time(edge) }
        writer.count(baselineSize)
        writer.text(timeZone)
    }

    init(from reader: inout StateReader) throws(StateError) {
        windowSize = try reader.integer()
        window = try reader.name(DriftConfiguration.Window.self)
        scoring = try reader.name(DriftConfiguration.Scoring.self)
        errorSpan = try reader.time()
        distributionSpan = try reader.time()
        referenceSpan = try reader.time()
        lookback = try reader.time()
        horizonBuckets = []
        for _ in 0..<(try reader.count()) { horizonBuckets.append(try reader.time()) }
        baselineSize = try reader.integer()
        timeZone = try reader.text()
    }
}
