import Contracts
import Foundation
import Kafka
public import Logging
import Retraining
import Synchronization
public import Worker

/// Fills a ``History`` from the topics, on a thread of its own that gives way to everything else on the machine.
///
/// It joins no group and commits nothing, and only names the worker's, which its access is granted for: whoever starts reads again what the retention asks for. So any worker
/// shows all models, and a restart loses nothing.
public final class HistoryReader: Sendable {
    private let history: History
    private let options: WorkerOptions
    private let logger: Logger
    private let onChange: @Sendable (_ models: Set<String>) -> Void
    private let isStopping = Atomic<Bool>(false)
    private let isOver = Atomic<Bool>(true)

    /// - Parameter onChange: after a batch of news, with the models that it is about; on the reader's thread.
    public init(
        _ history: History, options: WorkerOptions, logger: Logger,
        onChange: @escaping @Sendable (_ models: Set<String>) -> Void
    ) {
        self.history = history
        self.options = options
        self.logger = logger
        self.onChange = onChange
    }

    public func start() {
        isOver.store(false, ordering: .releasing)
        let thread = Thread { [self] in
            // On Linux this is the niceness of the thread alone.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            run()
            isOver.store(true, ordering: .releasing)
        }
        thread.name = "history"
        thread.start()
    }

    /// Waits a moment for the thread to let go of its client: not for brokers that do not answer.
    public func stop() {
        isStopping.store(true, ordering: .releasing)
        for _ in 0..<300 where !isOver.load(ordering: .acquiring) { usleep(10_000) }
    }

    private var goesOn: Bool { !isStopping.load(ordering: .acquiring) }

    private func run() {
        while goesOn {
            do {
                let session = try HistorySession(history, options, logger: logger, onChange: onChange)
                defer { session.close() }
                while goesOn { try session.step() }
            } catch {
                history.change { $0.reading.problem = "\(error)" }
                logger.warning("history: \(error); reading again in 5 s")
                for _ in 0..<50 where goesOn { usleep(100_000) }
            }
        }
    }
}

/// One client's life.
private final class HistorySession {
    private let history: History
    private let options: WorkerOptions
    private let onChange: (Set<String>) -> Void
    private let consumer: Consumer
    private let batch = MessageBatch(capacity: 500)
    private let scanner = DecisionScanner()
    private let statuses: RecordDecoder
    private let decoder = JSONDecoder()
    /// The next offset, and where the partition ended at the start, of each partition.
    private var positions: [TopicPartition: (next: Int64, startEnd: Int64)] = [:]
    private var names: [TopicHandle: String] = [:]
    private var lastLook: DispatchTime = .now()
    private var looks = 0

    private var topics: [String] {
        [options.topics.decisions, options.topics.requests, options.topics.alerts, options.topics.trainingStatus]
    }

    init(
        _ history: History, _ options: WorkerOptions, logger: Logger, onChange: @escaping (Set<String>) -> Void
    ) throws {
        self.history = history
        self.options = options
        self.onChange = onChange
        statuses = RecordDecoder(
            fields: try FieldMap([.trainingStatus: options.fields.trainingStatus]),
            limits: DecoderLimits(options.engine.limits))
        var configuration = ConsumerConfiguration(
            bootstrapServers: options.kafka.bootstrapServers, groupID: options.kafka.groupID)
        configuration.clientID = options.kafka.clientID + "-history"
        configuration.offsetReset = .earliest
        configuration.delivery = .mergedQueue
        configuration.prefetchKilobytes = 16_384
        configuration.prefetchMessages = 20_000
        configuration.additional = options.kafka.properties
        configuration.additional["fetch.wait.max.ms"] = "200"
        consumer = try Consumer(configuration)
        try assign()
    }

    func close() {
        batch.clear()
        try? consumer.close()
    }

    private func assign() throws {
        let metadata = try consumer.metadata(topic: nil, timeoutMilliseconds: 15_000)
        let partitions = topics.flatMap { topic in
            (metadata[topic]?.partitions ?? []).map { TopicPartition(topic, $0.id) }
        }
        guard !partitions.isEmpty else {
            throw KafkaError(code: .leaderNotAvailable, operation: "read metadata", topic: options.topics.decisions)
        }
        let from = Milliseconds(Date().timeIntervalSince1970 * 1000) - history.retention
        let found = try? consumer.offsets(
            at: Dictionary(uniqueKeysWithValues: partitions.map { ($0, from) }), timeoutMilliseconds: 15_000)
        let byTime = Dictionary(
            (found ?? []).map { ($0.partition, $0.offset) }, uniquingKeysWith: { first, _ in first })
        var (all, left): (Int64, Int64) = (0, 0)
        for partition in partitions {
            let marks = try consumer.watermarks(partition, timeoutMilliseconds: 15_000)
            // A broker that cannot look times up answers "the end" for all of them.
            let next = positions[partition]?.next ?? max(byTime[partition]?.value ?? marks.low, marks.low)
            positions[partition] = (min(next, marks.high), marks.high)
            all += marks.high - min(next, marks.high)
        }
        left = all
        try consumer.assign(positions.map { TopicPartitionOffset($0.key, $0.value.next) })
        history.change {
            $0.reading.problem = nil
            $0.reading.startRecords = all
            $0.reading.startRecordsLeft = left
            $0.reading.isLive = left == 0
        }
    }

    /// Takes what has come, and now and then looks how far the inputs have got.
    func step() throws {
        while case .error(let error) = consumer.poll(timeoutMilliseconds: 0) {
            if error.isFatal { throw error }
        }
        if let fatal = consumer.fatalError { throw fatal }
        // A timeout waits for a full batch: short, so that news is shown at once.
        let count = try consumer.consumeBatch(into: batch, timeoutMilliseconds: 100)
        if count > 0 { take() }
        if DispatchTime.now().uptimeNanoseconds - lastLook.uptimeNanoseconds > 5_000_000_000 {
            lastLook = .now()
            looks += 1
            lookAtInputs()
            if looks % 12 == 0 { try lookForPartitions() }
        }
    }

    // MARK: Records

    private func take() {
        let now = Milliseconds(Date().timeIntervalSince1970 * 1000)
        var changed: Set<String> = []
        /// The last decision of each model in this batch, so that only it is decoded as a whole.
        var latest: [String: (record: [UInt8], arrival: Milliseconds)] = [:]
        let isLive = history.read { $0.reading.isLive }
        history.change { state in
            for message in batch where message.isRecord || message.isEndOfPartition {
                let topic = name(of: message)
                let partition = TopicPartition(topic, message.partition)
                guard let position = positions[partition] else { continue }
                positions[partition]!.next = message.offset + (message.isRecord ? 1 : 0)
                if message.isEndOfPartition { positions[partition]!.next = max(position.next, message.offset) }
                guard message.isRecord, !message.isTombstone else { continue }
                state.reading.records += 1
                let arrival = isLive ? now : min(now, message.timestamp)
                switch topic {
                case options.topics.decisions: takeDecision(message, arrival, &state, &latest)
                case options.topics.requests:
                    guard let request = decode(RequestEntry.self, message) else { continue }
                    state.add(request, modelsMax: history.modelsMax)
                    changed.insert(request.model)
                case options.topics.alerts:
                    guard let alert = decode(AlertEntry.self, message) else { continue }
                    state.add(alert)
                    if let model = alert.model { changed.insert(model) }
                default:
                    guard case .trainingStatus(let status) = statuses.decode(.trainingStatus, value: message.value)
                    else { continue }
                    let at = status.at == .unknownTime ? message.timestamp : status.at
                    state.add(status, at: at)
                    if let model = state.requests[status.requestID] { changed.insert(model) }
                }
            }
            for (model, entry) in latest {
                state.models[model]!.latestRecord = entry.record
                state.models[model]!.latestArrival = entry.arrival
                state.models[model]!.latest =
                    try? decoder.decode(Enveloped<LatestFacts>.self, from: Data(entry.record)).data
                changed.insert(model)
            }
            noteProgress(&state)
        }
        batch.clear()
        onChange(changed)
    }

    private func takeDecision(
        _ message: MessageView, _ arrival: Milliseconds, _ state: inout History.State,
        _ latest: inout [String: (record: [UInt8], arrival: Milliseconds)]
    ) {
        guard let figures = scanner.scan(message.value) else {
            // Verdicts are in the same topic.
            if let verdict = decode(VerdictEntry.self, message) { state.add(verdict) }
            return
        }
        let point = HistoryPoint(figures, partition: message.partition, offset: message.offset)
        let isNew = state.add(
            point, model: figures.model, version: figures.modelVersion, retention: history.retention,
            modelsMax: history.modelsMax)
        if isNew { latest[figures.model] = (Array(message.value), arrival) }
    }

    private func decode<Payload: Decodable>(_ type: Payload.Type, _ message: MessageView) -> Payload? {
        try? decoder.decode(Enveloped<Payload>.self, from: Data(message.value)).data
    }

    private func noteProgress(_ state: inout History.State) {
        guard !state.reading.isLive else { return }
        let left = positions.values.reduce(Int64(0)) { $0 + max(0, $1.startEnd - $1.next) }
        state.reading.startRecordsLeft = left
        state.reading.isLive = left == 0
    }

    private func name(of message: MessageView) -> String {
        guard let handle = message.topic else { return message.topicName }
        if let known = names[handle] { return known }
        let name = message.topicName
        names[handle] = name
        return name
    }

    // MARK: Looking around

    /// Asks where the inputs end: lag is that, less what the worker has taken.
    private func lookAtInputs() {
        let inputs = [
            options.topics.predictions, options.topics.actuals, options.topics.load, options.topics.trainingStatus,
            options.topics.commands,
        ]
        var ends: [String: Int64] = [:]
        for topic in inputs {
            guard let found = try? consumer.metadata(topic: topic, timeoutMilliseconds: 2_000)[topic] else { return }
            for partition in found.partitions {
                guard
                    let marks = try? consumer.watermarks(
                        TopicPartition(topic, partition.id), timeoutMilliseconds: 2_000)
                else { return }
                ends["\(topic)/\(partition.id)"] = marks.high
            }
        }
        let now = Milliseconds(Date().timeIntervalSince1970 * 1000)
        history.change {
            $0.ends = ends
            $0.endsAt = now
        }
    }

    /// Partitions that were added are read from their beginning.
    private func lookForPartitions() throws {
        let metadata = try? consumer.metadata(topic: nil, timeoutMilliseconds: 5_000)
        let known = positions.count
        guard let metadata,
            topics.reduce(0, { $0 + (metadata[$1]?.partitions.count ?? 0) }) > known
        else { return }
        try assign()
    }
}
