import Kafka
import Synchronization
public import Worker

/// All metrics of this process as Prometheus reads them. From any thread; the worker's thread waits for nobody.
///
/// ```swift
/// let page = MetricsPage(board, topics: configuration.topics, fingerprint: configuration.fingerprint)
/// let body = page.render()   // served as PrometheusText.contentType
/// ```
public final class MetricsPage: Sendable {
    public typealias Source = @Sendable (inout PrometheusText) -> Void

    private let board: ObservationBoard
    private let topics: TopicNames
    private let fingerprint: Mutex<String>
    private let sources = Mutex<[Source]>([])

    public init(_ board: ObservationBoard, topics: TopicNames, fingerprint: String) {
        self.board = board
        self.topics = topics
        self.fingerprint = Mutex(fingerprint)
    }

    /// Adds what another part of the process counts.
    public func add(_ source: @escaping Source) { sources.withLock { $0.append(source) } }

    /// The configuration in force changed.
    public func note(fingerprint: String) { self.fingerprint.withLock { $0 = fingerprint } }

    var currentFingerprint: String { fingerprint.withLock { $0 } }
    var observation: WorkerObservation? { board.observation }

    /// Records to be read, by topic.
    func observedLag() -> [(topic: String, records: Int64)] {
        let lag = board.consumerLag().lag(at: board.observation?.positions ?? [:])
        return Dictionary(grouping: lag, by: \.partition.topic)
            .map { ($0.key, $0.value.reduce(0) { $0 + $1.records }) }.sorted { $0.0 < $1.0 }
    }

    public func render() -> [UInt8] {
        var text = PrometheusText()
        text.family(
            "driftgate_configuration_info", .gauge, "The hash of the configuration in force, as its label.",
            [(PrometheusText.labels([("hash", currentFingerprint)]), 1)])
        if let observation = board.observation {
            WorkerMetrics.write(observation, board.consumerLag(), topics, into: &text)
        }
        for source in sources.withLock({ $0 }) { source(&text) }
        ProcessMetrics.write(into: &text)
        return text.bytes
    }
}
