import Contracts
import Kafka
public import Logging
public import Retraining
import Synchronization

/// Runs the engine on a Kafka cluster: source → engine → effects → sink, all on the calling thread.
///
/// **Who reads.** `scale: single`: the group subscribes to the commands topic only. Whoever is granted its partition 0
/// is active and assigns itself all partitions of all inputs; every other worker stands by.
///
/// **What is promised.** At least once, with detectable duplicates: outputs are flushed before the offsets of the
/// records behind them are committed, and ids are the same on every run. A start reads its inputs again from the
/// earliest offset, with outputs suppressed up to the boundary that was committed, and takes the requests that were
/// published from their topic instead of deciding them anew: so a restart doubles no request.
public final class Worker {
    public enum Ending: Equatable, Sendable {
        /// Somebody asked.
        case requested
        /// It cannot go on; a supervisor should start it again.
        case failed(String)
    }

    let options: WorkerOptions
    let logger: Logger
    /// Gets the data of each decision, for the decision log.
    let onDecision: (_ json: [UInt8], _ at: Milliseconds) -> Void
    let waker: Waker
    private let isStopping = Atomic<Bool>(false)

    var consumer: Consumer?
    var sink: Sink?
    var task: ActiveTask?
    /// Set inside the rebalance handler, acted upon after the poll.
    var granted: Bool?
    var failure: String?

    public init(
        options: WorkerOptions, logger: Logger,
        onDecision: @escaping (_ json: [UInt8], _ at: Milliseconds) -> Void = { _, _ in }
    ) throws {
        self.options = options
        self.logger = logger
        self.onDecision = onDecision
        waker = try Waker()
    }

    /// Ends `run` soon. From any thread.
    public func requestStop() {
        isStopping.store(true, ordering: .releasing)
        waker.signal()
    }

    /// A closure for other threads and signal handling, which must not hold the worker itself.
    public var stopRequest: @Sendable () -> Void {
        let stopper = Stopper(self)
        return { stopper.stop() }
    }

    /// Only `requestStop` is called through it, which any thread may.
    private final class Stopper: @unchecked Sendable {
        private let worker: Worker
        init(_ worker: Worker) { self.worker = worker }
        func stop() { worker.requestStop() }
    }

    /// Works until it is asked to stop, or cannot go on.
    public func run() throws -> Ending {
        let consumer = try Consumer(consumerConfiguration())
        self.consumer = consumer
        let sink = try Sink(options, logger: logger)
        self.sink = sink
        sayWhatIsPromised()
        try checkTopics(consumer)
        consumer.attach(waker)
        try consumer.subscribe([options.topics.commands], rebalance: rebalanceHandler())
        logger.info("joined group \(options.kafka.groupID); waiting to be granted \(options.topics.commands)[0]")
        defer { close() }
        var lastTick = Clock.monotonic()
        while !isStopping.load(ordering: .acquiring), failure == nil {
            waker.wait(timeoutMilliseconds: task?.isBusy == true ? 0 : 100)
            serveEvents(consumer)
            try followGrant(consumer)
            try task?.pump(deadline: Clock.monotonic() + 200) { isStopping.load(ordering: .relaxed) }
            if Clock.monotonic() - lastTick >= 1000 {
                lastTick = Clock.monotonic()
                try task?.tick()
            }
            failure = failure ?? sink.failure ?? task?.failure
        }
        if failure == nil { try task?.finish() }
        return failure.map(Ending.failed) ?? .requested
    }

    private func close() {
        task = nil
        do { try sink?.close() } catch { logger.error("closing the producer: \(error)") }
        do { try consumer?.close() } catch { logger.warning("leaving the group: \(error)") }
        consumer = nil
    }

    // MARK: Group

    private func consumerConfiguration() -> ConsumerConfiguration {
        var configuration = ConsumerConfiguration(
            bootstrapServers: options.kafka.bootstrapServers, groupID: options.kafka.groupID)
        configuration.groupInstanceID = options.kafka.groupInstanceID
        configuration.clientID = options.kafka.clientID
        configuration.sessionTimeoutMilliseconds = options.kafka.sessionTimeoutMilliseconds
        // A first start reads what there is, however late it comes.
        configuration.offsetReset = .earliest
        configuration.additional = options.kafka.properties
        return configuration
    }

    private func rebalanceHandler() -> RebalanceHandler {
        RebalanceHandler(
            assigned: { [unowned self] _, partitions in
                if partitions.contains(where: { $0.topic == options.topics.commands && $0.partition == 0 }) {
                    granted = true
                } else {
                    granted = false
                }
                return .nothingYet
            },
            revoked: { [unowned self] _, _ in
                // What is decided is published before somebody else takes over.
                do { try task?.finish() } catch { logger.error("handing over: \(error)") }
                task = nil
                granted = nil
            },
            lost: { [unowned self] _, _ in
                logger.warning("the group took the inputs away; waiting to be granted them again")
                task = nil
                granted = nil
            })
    }

    private func followGrant(_ consumer: Consumer) throws {
        guard let granted else { return }
        self.granted = nil
        guard granted else {
            logger.notice("another worker is active; standing by")
            return
        }
        task = try ActiveTask(self, consumer)
    }

    private func serveEvents(_ consumer: Consumer) {
        while true {
            switch consumer.poll(timeoutMilliseconds: 0) {
            case .none: return
            case .statistics: continue
            case .log(let line): logger.log(level: line.level <= 4 ? .warning : .debug, "librdkafka: \(line.message)")
            case .error(let error):
                if error.isFatal {
                    failure = "\(error)"
                    return
                }
                logger.warning("\(error)")
            }
        }
    }

    // MARK: Start

    private func sayWhatIsPromised() {
        logger.info(
            """
            at-least-once with detectable duplicates: ids are the same on every run, outputs are flushed before offsets \
            are committed, and a start reads its inputs again without repeating what it published
            """)
        if options.engine.mode == .observe {
            logger.notice("mode: observe — decisions are published, nothing is requested")
        }
    }

    private func checkTopics(_ consumer: Consumer) throws {
        let metadata = try consumer.metadata(topic: nil, timeoutMilliseconds: 15_000)
        let names = options.topics
        let needed = [
            names.predictions, names.actuals, names.load, names.trainingStatus, names.commands, names.decisions,
            names.requests, names.alerts, names.deadLetters,
        ]
        let missing = needed.filter { name in metadata[name].map { $0.error != nil || $0.partitions.isEmpty } ?? true }
        guard missing.isEmpty else { throw WorkerError.missingTopics(missing) }
    }
}

/// Why a worker could not start.
public enum WorkerError: Error, CustomStringConvertible {
    case missingTopics([String])
    case fieldMap(String)

    public var description: String {
        switch self {
        case .missingTopics(let topics):
            """
            these topics do not exist: \(topics.joined(separator: ", ")). Create them, for instance with \
            `kafka-topics.sh --create --topic NAME --partitions 4`, or correct `topics` in the configuration.
            """
        case .fieldMap(let text): "field_map: \(text)"
        }
    }
}
