package import Contracts
import Kafka
import Logging
import Retraining
import StateRecords

/// One task: the inputs that belong together, the engine, and where it stands.
///
/// With `scale: single` there is one, which reads all partitions; with `scale: partitioned` one a partition number of
/// predictions and actuals. A task writes its state to its own partition of the state topic.
final class ActiveTask {
    /// Number of the task and of its state partition.
    let number: Int32
    let options: WorkerOptions
    let environment: WorkerEnvironment
    let logger: Logger
    let engine: Engine
    let decoder: RecordDecoder
    let encoder: EventEncoder
    let inputs: [InputPartition]
    var merge: Merge
    /// Evaluations of before the restore, being done again. Nil once the task is where it was.
    var replay: CutReplay?
    var checkpoints: TaskCheckpoints

    /// What the next checkpoint publishes.
    var pending: [OutputRecord] = []
    var pendingBytes = 0
    /// Decisions among them, for the decision log.
    var pendingDecisions: [(json: [UInt8], at: Milliseconds)] = []
    /// Alerts among it, for those who are told beside the topic.
    var pendingAlerts: [Alert] = []
    /// What the last decision about each model knew.
    var observedModels: [String: ModelObservation] = [:]
    var observedBoundary: Milliseconds?
    let tally: WorkerTally
    /// What the engine had counted when this process took the task up.
    var countedBefore: EngineCounters
    /// The present has been decided about: the next checkpoint is due at once.
    var hasNews = false

    var effects: [Effect] = []
    var lastTold: [String: ToldDecision] = [:]
    var rejects = RejectCounter()
    var reportedRejects: UInt64 = 0
    var shares: [RejectShare]
    /// A record failed where the configuration says that this stops the worker, or something cannot go on.
    var failure: String?
    /// More could be read at once.
    var isBusy = false
    var isCaughtUp = false
    /// A snapshot is to be taken as soon as there is something new, such as before a clean stop.
    var wantsSnapshot = false
    var lastArrival: Milliseconds
    /// The wall clock when the records at hand were taken up: it is read for a batch, not for a message.
    private var readAt: Milliseconds
    /// From the position record, for the end of the replay.
    var restoredStallAlert: Milliseconds?
    /// For `scale: partitioned`: how many partitions predictions have, which decides where a model belongs.
    var keyPartitions: Int?
    var misKeyed = MisKeyedRecords()
    /// The first offset that an input partition holds now; nil where the brokers do not say.
    var logStart: (TopicPartition) -> Int64? = { _ in nil }
    /// Reads what every task gets; nil where the group's consumer reads everything.
    let broadcast: (any ConsumerClient)?

    /// A partition that brings nothing and does not say that it is at its end holds the others up for this long.
    static let patience: Milliseconds = 5_000

    init(
        number: Int32, worker: Worker, engine: Engine, inputs: [InputPartition], broadcast: (any ConsumerClient)?,
        checkpoints: TaskCheckpoints
    ) throws {
        self.number = number
        options = worker.options
        environment = worker.environment
        logger = worker.logger
        tally = worker.tally
        countedBefore = engine.counters
        self.engine = engine
        self.inputs = inputs
        self.broadcast = broadcast
        self.checkpoints = checkpoints
        var limits = DecoderLimits(options.engine.limits)
        limits.recordBytes = options.input.maximumRecordBytes
        decoder = RecordDecoder(fields: try options.fields.fieldMap(), limits: limits)
        encoder = EventEncoder(applicationID: options.engine.applicationID)
        merge = Merge(interval: options.engine.drift.checkInterval, lastBoundary: engine.lastBoundary)
        shares = InputRole.allCases.map { _ in RejectShare() }
        lastArrival = environment.wallClock()
        readAt = lastArrival
    }

    /// A restore did evaluations again by the configuration that they were made by.
    var usesOlderConfiguration: Bool { engine.configuration.fingerprint != options.engine.fingerprint }

    /// Whether the task does what is new, and not what was done before.
    var isLive: Bool { replay == nil }

    // MARK: Reading

    /// Reads, collects and evaluates until there is nothing more to do, or the time is over.
    func pump(deadline: Milliseconds, isStopping: () -> Bool) throws {
        isBusy = false
        while failure == nil {
            if replay != nil {
                guard try replayStep() else { return }
            } else {
                // The worker takes up its own configuration first.
                guard !usesOlderConfiguration, try liveStep() else { return }
            }
            // A checkpoint is due before more is put on top of it.
            if pendingBytes > Self.pendingBytesMax || hasNews { return isBusy = true }
            if environment.monotonicClock() >= deadline || isStopping() { return isBusy = true }
        }
    }

    /// What waits for a checkpoint never grows beyond this, give or take one evaluation.
    static let pendingBytesMax = 8 << 20

    /// One round over the inputs; false where nothing can be done now.
    private func liveStep() throws -> Bool {
        for input in inputs { read(input, below: .max) }
        if isOverfull { return evaluateEarly() }
        let now = environment.monotonicClock()
        let heads = inputs.map { input in
            Merge.Head(
                advancesStreamTime: input.role.advancesStreamTime, held: input.held,
                isIdle: input.isAtEnd || now - input.lastProgress > Self.patience)
        }
        var moved = merge
        switch moved.step(heads) {
        case .wait:
            noteCaughtUp()
            return false
        case .proceed:
            merge = moved
        case .evaluate(let boundary):
            // A snapshot is of one moment: it is finished before the state moves on.
            guard !checkpoints.isWritingSnapshot else {
                hasNews = true
                return true
            }
            merge = moved
            evaluate(at: boundary)
        }
        release()
        return true
    }

    /// Whether so much waits for the next boundary that it must not become more: a partition whose timestamps stand
    /// still never gets there.
    private var isOverfull: Bool { engine.collectedBytes > options.worker.collectedBytesMax }

    /// Evaluates what there is, a millisecond behind the last boundary: a cut like any other, by which a restore does
    /// the same. What it sees depends on how partitions interleaved, and on nothing else.
    private func evaluateEarly() -> Bool {
        guard let gate = merge.gate else { return false }
        let boundary = max(engine.lastBoundary ?? .min, gate - merge.interval) + 1
        guard !checkpoints.isWritingSnapshot else {
            hasNews = true
            return true
        }
        guard boundary < gate else {
            failure =
                "more than \(options.worker.collectedBytesMax) bytes of records lie before \(gate), again and again"
            return true
        }
        logger.warning(
            "\(name)\(engine.collectedBytes / 1_000_000) MB of records lie before one boundary; evaluating them now")
        evaluate(at: boundary)
        return true
    }

    private func release() {
        for input in inputs {
            if let held = input.held, !merge.isBehindGate(held) { input.held = nil }
        }
    }

    /// Takes records of one partition: up to the gate, or below an offset.
    func read(_ input: InputPartition, below limit: Int64) {
        guard input.held == nil else { return }
        readAt = environment.wallClock()
        while true {
            if input.cursor >= input.batch.count {
                input.batch.clear()
                input.cursor = 0
                guard replay != nil || !isOverfull else { return }
                guard input.records.fill(input.batch, timeoutMilliseconds: 0) > 0 else { return }
                input.lastProgress = environment.monotonicClock()
                readAt = environment.wallClock()
                if input.role.advancesStreamTime, !input.batch[0].isEndOfPartition { lastArrival = readAt }
            }
            while input.cursor < input.batch.count {
                guard take(input.batch[input.cursor], input, below: limit) else { return }
                input.cursor += 1
            }
        }
    }

    /// Takes one entry; false where it has to wait: it lies behind the gate, or at or beyond the limit.
    private func take(_ message: MessageView, _ input: InputPartition, below limit: Int64) -> Bool {
        if message.isEndOfPartition {
            input.isAtEnd = true
            input.seenThrough = max(input.seenThrough, message.offset)
            return true
        }
        if let error = message.error {
            note(error, input)
            return true
        }
        input.isAtEnd = false
        if message.offset >= limit {
            input.seenThrough = message.offset
            return false
        }
        let isRepeated = message.offset < input.committed
        if isRepeated, input.knownSkips.contains(message.offset) {
            engine.skip(lane: input.lane, offset: message.offset)
            return true
        }
        let timestamp = self.timestamp(of: message, input)
        if !isRepeated, isFuture(timestamp) {
            refuseFuture(message, input)
            return true
        }
        guard timestamp <= Self.plausibleTimes.upperBound else {
            refuseFuture(message, input)
            return true
        }
        if limit == .max {
            let mergeTime = engine.mergeTime(lane: input.lane, timestamp: timestamp)
            if merge.isBehindGate(mergeTime) {
                input.held = mergeTime
                return false
            }
        }
        collect(message, input, timestamp)
        return true
    }

    private static let plausibleTimes = DecoderLimits().times

    private func isFuture(_ timestamp: Milliseconds) -> Bool {
        options.input.farFuture > 0 && timestamp > readAt + options.input.farFuture
    }

    private func refuseFuture(_ message: MessageView, _ input: InputPartition) {
        engine.skip(lane: input.lane, offset: message.offset)
        // Later the same record would not lie in the future any more.
        input.skips.add(message.offset)
        reject(
            message, input,
            Rejection(
                .futureTimestamp, field: "timestamp",
                detail: "The record's Kafka timestamp lies in the future. Check the producer's clock, and its unit."))
    }

    /// A record without a timestamp is as old as the one before it; without one before it, it is new.
    private func timestamp(of message: MessageView, _ input: InputPartition) -> Milliseconds {
        guard message.timestamp < Self.plausibleTimes.lowerBound else { return message.timestamp }
        let before = engine.mergeTime(lane: input.lane, timestamp: .min)
        return before == .min ? environment.wallClock() : before
    }

    private func note(_ error: KafkaError, _ input: InputPartition) {
        if error.code == .autoOffsetReset || error.code == .offsetOutOfRange {
            failure = """
                \(input.partition) no longer holds offset \(engine.nextOffset(lane: input.lane)): its retention is \
                shorter than this worker was away or behind. Start again: it goes on with the earliest record, and says \
                what is missing
                """
            return
        }
        logger.warning("\(input.partition): \(error)")
    }

    private func collect(_ message: MessageView, _ input: InputPartition, _ timestamp: Milliseconds) {
        let lane = input.lane
        let offset = message.offset
        // What was taken before is taken again, whatever the limits say by now.
        engine.isReplaying = offset < input.committed
        let value = message.isTombstone ? nil : message.value
        var refusal: EngineRejection?
        let decoded = decoder.decode(input.role.recordRole, value: value, headers: MessageHeaders(message))
        if let keyPartitions, isMisKeyed(decoded, keyPartitions) {
            engine.skip(lane: lane, offset: offset)
            misKeyed.note(input.partition.topic)
            reject(message, input, misKeyedRejection(input, keyPartitions))
            return
        }
        switch decoded {
        case .prediction(let record):
            refusal = engine.collect(lane: lane, offset: offset, timestamp: timestamp, prediction: record)
        case .actual(let record):
            refusal = engine.collect(lane: lane, offset: offset, timestamp: timestamp, actual: record)
        case .load(let record):
            refusal = engine.collect(lane: lane, offset: offset, timestamp: timestamp, load: record)
        case .trainingStatus(let record):
            engine.collect(lane: lane, offset: offset, timestamp: timestamp, status: record)
        case .command(let record):
            engine.collect(lane: lane, offset: offset, timestamp: timestamp, command: record)
        case .rejected(let rejection):
            engine.skip(lane: lane, offset: offset)
            reject(message, input, rejection)
            return
        }
        if let refusal {
            if refusal.isByLimit { input.skips.add(offset) }
            reject(message, input, Rejection(refusal))
        } else if offset >= input.committed {
            shares[input.role.rawValue].note(isRejected: false)
        }
    }

    private func reject(_ message: MessageView, _ input: InputPartition, _ rejection: Rejection) {
        // A checkpoint has published this one.
        guard message.offset >= input.committed || options.sabotage.contains(.repeatDeadLetters) else { return }
        rejects.count(rejection.reason.rawValue)
        tally.countReject(input.role, rejection.reason.rawValue)
        shares[input.role.rawValue].note(isRejected: true)
        switch options.input.onInvalid {
        case .skip: break
        case .fail:
            failure = "\(input.partition)@\(message.offset): \(rejection.reason.rawValue): \(rejection.detail)"
        case .deadLetter:
            // A broadcast record is read by every task; the first one publishes its refusal.
            guard number == 0 || !input.role.isBroadcast else { return }
            add(
                OutputRecord(
                    deadLetter: message,
                    reasons: DeadLetter.headers(
                        for: rejection, topic: input.partition.topic, partition: input.partition.partition,
                        offset: message.offset, applicationID: options.engine.applicationID, task: Int(number)),
                    topic: options.topics.deadLetters))
        }
    }

    func add(_ record: OutputRecord) {
        pending.append(record)
        pendingBytes += record.byteCount
    }

    // MARK: Evaluating

    private func evaluate(at boundary: Milliseconds) {
        let wallClock = environment.wallClock()
        // Also what was refused before a restore: the next one reads those records again, and this cut is all it knows.
        let skipped = skippedToKeep
        effects.removeAll(keepingCapacity: true)
        engine.evaluate(at: boundary, wallClock: wallClock, streamTime: merge.streamTime, into: &effects)
        for effect in effects { publish(effect) }
        checkpoints.noteCut(
            CutRecord(
                boundary: boundary, wallClock: wallClock, streamTime: merge.streamTime,
                lanes: inputs.map {
                    CutRecord.Lane(
                        topic: $0.partition.topic, partition: $0.partition.partition,
                        nextOffset: engine.nextOffset(lane: $0.lane))
                },
                skipped: skipped, requests: CutRecord.requests(effects)))
        for input in inputs { input.skips.removeAll() }
    }

    func publish(_ effect: Effect) {
        var effect = effect
        tally.count(effect)
        if case .alert(let alert) = effect { pendingAlerts.append(alert) }
        if case .decision(let decision) = effect {
            observe(decision)
            pendingDecisions.append((EventEncoder.data(of: effect), decision.evaluatedAt))
            let told = ToldDecision(decision)
            let isChange = lastTold.updateValue(told, forKey: decision.model) != told
            if options.output.decisions == .changes, !isChange, decision.outcome == .hold { return }
        }
        if case .request(var request) = effect {
            request.hold(againstStart: logStart)
            effect = .request(request)
            logger.notice(
                "training requested: \(request.model) \(request.reason.rawValue) \(request.requestID) (attempt \(request.attempt)): \(request.text)"
            )
        }
        add(OutputRecord(encoder.encode(effect), options.topics))
        // Behind the present, the second's checkpoint is soon enough.
        if isCaughtUp { hasNews = true }
    }

    private func noteCaughtUp() {
        guard !isCaughtUp, inputs.allSatisfy({ $0.isAtEnd || $0.held != nil }) else { return }
        isCaughtUp = true
        logger.info(
            """
            \(name)caught up: \(engine.modelCount) models, \(engine.counters.predictions) predictions, \
            \(engine.counters.actuals) actuals, \(engine.counters.pairs) pairs
            """)
    }

    /// When the alert that nothing comes in was last raised.
    var stallAlert: Milliseconds? { isLive ? engine.stallAlert : restoredStallAlert }

    /// For log lines, where there is more than one task.
    var name: String { options.worker.scale == .single ? "" : "task \(number): " }

    // MARK: By the clock

    /// Once a second: raises what wall-clock time alone can raise, and says what was rejected.
    func tick() {
        if isCaughtUp, isLive {
            effects.removeAll(keepingCapacity: true)
            engine.tick(wallClock: environment.wallClock(), lastArrival: lastArrival, into: &effects)
            for effect in effects { publish(effect) }
        }
        watchRejects()
        if rejects.total > reportedRejects {
            logger.warning(
                "\(name)\(rejects.total) records rejected so far (\(rejects.total - reportedRejects) new): \(rejects.summary)"
            )
            reportedRejects = rejects.total
        }
    }

    func sayGoodbye() {
        logger.info(
            """
            \(name)stopping: \(engine.counters.predictions) predictions, \(engine.counters.actuals) actuals, \
            \(engine.counters.pairs) pairs, \(engine.counters.decisions) decisions, \(rejects.total) rejected\
            \(rejects.total > 0 ? " (\(rejects.summary))" : "")
            """)
    }
}

/// Lets the decoder look at a Kafka record's headers where it needs them.
struct MessageHeaders: RecordHeaders {
    private let message: MessageView

    init(_ message: MessageView) { self.message = message }

    var isEmpty: Bool { !message.hasHeaders }

    func value(of name: StaticString) -> UnsafeRawBufferPointer? { message.header(named: "\(name)") }
}

extension InputRole {
    var recordRole: RecordRole {
        switch self {
        case .predictions: .prediction
        case .actuals: .actual
        case .load: .load
        case .trainingStatus: .trainingStatus
        case .commands: .command
        }
    }

    /// With `scale: partitioned` these are read whole by every task.
    var isBroadcast: Bool { !advancesStreamTime }
}

extension EngineRejection {
    /// Depends on what else the engine holds, and not on the record alone.
    var isByLimit: Bool { self != .noModel && self != .beyondHorizon }
}

extension FieldMaps {
    package func fieldMap() throws -> FieldMap {
        do throws(FieldMapError) {
            return try FieldMap([
                .prediction: predictions, .actual: actuals, .load: load, .trainingStatus: trainingStatus,
            ])
        } catch {
            throw WorkerError.fieldMap("\(error)")
        }
    }
}
