import Contracts
import Kafka
import Logging
import Retraining

/// What an active worker has and a standby has not: the assigned inputs, the engine, and where it stands.
final class ActiveTask {
    let options: WorkerOptions
    let logger: Logger
    let consumer: Consumer
    let sink: Sink
    let onDecision: (_ json: [UInt8], _ at: Milliseconds) -> Void
    let engine: Engine
    let decoder: RecordDecoder
    let encoder: EventEncoder
    private(set) var inputs: [InputPartition] = []
    var merge: Merge
    private var effects: [Effect] = []
    private(set) var rejects = RejectCounter()
    private var reportedRejects: UInt64 = 0
    /// A record failed where the configuration says that this stops the worker.
    private(set) var failure: String?
    /// More could be read at once.
    private(set) var isBusy = false

    /// Outputs up to this boundary were published by earlier runs.
    private var suppressedUntil: Milliseconds = .min
    /// The cut of the last evaluation, to be committed.
    private var uncommitted: (boundary: Milliseconds, cut: Cut)?
    private var lastCommit = Clock.monotonic()
    private var lastReasons: [String: Reason] = [:]
    private var isCaughtUp = false
    private var lastArrival = Clock.wall()
    private var lastPartitionCheck = Clock.monotonic()

    /// A partition that brings nothing and does not say that it is at its end holds the others up for this long.
    private static let patience: Int64 = 5_000
    private static let commitInterval: Int64 = 1_000

    init(_ worker: Worker, _ consumer: Consumer) throws {
        options = worker.options
        logger = worker.logger
        sink = worker.sink!
        onDecision = worker.onDecision
        self.consumer = consumer
        engine = Engine(configuration: options.engine)
        var limits = DecoderLimits(options.engine.limits)
        limits.recordBytes = options.input.maximumRecordBytes
        decoder = RecordDecoder(fields: try options.fields.fieldMap(), limits: limits)
        encoder = EventEncoder(applicationID: options.engine.applicationID)
        merge = Merge(interval: options.engine.drift.checkInterval)
        try assignInputs(worker.waker)
    }

    // MARK: Assignment

    private func assignInputs(_ waker: Waker) throws {
        let roles: [(String, InputRole)] = [
            (options.topics.predictions, .predictions), (options.topics.actuals, .actuals),
            (options.topics.load, .load),
            (options.topics.trainingStatus, .trainingStatus), (options.topics.commands, .commands),
        ]
        let now = Clock.monotonic()
        var partitions: [TopicPartition] = []
        for (topic, role) in roles {
            let found = try consumer.metadata(topic: topic, timeoutMilliseconds: 15_000)[topic]
            for info in found?.partitions ?? [] {
                let partition = TopicPartition(topic, info.id)
                let queue = try consumer.partitionQueue(for: partition)
                queue.attach(waker)
                let lane = engine.lane(topic: topic, partition: info.id, role: role)
                inputs.append(InputPartition(partition, role: role, lane: lane, queue: queue, now: now))
                partitions.append(partition)
            }
        }
        let committed = try consumer.committed(partitions, timeoutMilliseconds: 15_000)
        for offset in committed {
            guard let value = offset.offset.value else { continue }
            inputs.first { $0.partition == offset.partition }?.committed = value
            if let boundary = offset.metadata.flatMap(CommitNote.boundary) {
                suppressedUntil = max(suppressedUntil, boundary)
            }
        }
        try consumer.assign(try starts(partitions))
        logger.notice(
            """
            active: reading \(partitions.count) partitions\
            \(suppressedUntil == .min ? "" : " again up to what was committed")
            """)
    }

    /// Where reading begins: no further back than the configuration asks, where the broker can look a time up.
    private func starts(_ partitions: [TopicPartition]) throws -> [TopicPartitionOffset] {
        let from = Clock.wall() - options.worker.firstStartLookback
        let times = Dictionary(uniqueKeysWithValues: partitions.map { ($0, from) })
        let found = (try? consumer.offsets(at: times, timeoutMilliseconds: 15_000)) ?? []
        let byTime = Dictionary(uniqueKeysWithValues: found.map { ($0.partition, $0.offset) })
        return try partitions.map { partition in
            let marks = try consumer.watermarks(partition, timeoutMilliseconds: 15_000)
            // A broker that cannot look times up answers "the end" for all of them.
            let offset = byTime[partition]?.value ?? marks.low
            let input = inputs.first { $0.partition == partition }!
            engine.begin(lane: input.lane, at: max(offset, marks.low))
            input.isAtEnd = marks.high <= marks.low
            return TopicPartitionOffset(partition, max(offset, marks.low))
        }
    }

    // MARK: Reading

    /// Reads, collects and evaluates until there is nothing more to do, or the time is over.
    func pump(deadline: Int64, isStopping: () -> Bool) throws {
        isBusy = false
        while failure == nil {
            for input in inputs { read(input) }
            let now = Clock.monotonic()
            let heads = inputs.map { input in
                Merge.Head(
                    advancesStreamTime: input.role.advancesStreamTime, held: input.held,
                    isIdle: input.isAtEnd || now - input.lastProgress > Self.patience)
            }
            switch merge.step(heads) {
            case .wait:
                noteCaughtUp()
                return
            case .proceed: release()
            case .evaluate(let boundary):
                try evaluate(at: boundary)
                release()
            }
            if now >= deadline || isStopping() {
                isBusy = true
                return
            }
        }
    }

    private func release() {
        for input in inputs {
            if let held = input.held, !merge.isBehindGate(held) { input.held = nil }
        }
    }

    /// Takes records of one partition up to the gate.
    private func read(_ input: InputPartition) {
        guard input.held == nil else { return }
        while true {
            if input.cursor >= input.batch.count {
                input.batch.clear()
                input.cursor = 0
                guard input.queue.fill(input.batch) > 0 else { return }
                input.lastProgress = Clock.monotonic()
                if input.role.advancesStreamTime, !input.batch[0].isEndOfPartition { lastArrival = Clock.wall() }
            }
            while input.cursor < input.batch.count {
                guard take(input.batch[input.cursor], input) else { return }
                input.cursor += 1
            }
        }
    }

    /// Takes one entry; false where it lies behind the gate and has to wait.
    private func take(_ message: MessageView, _ input: InputPartition) -> Bool {
        if message.isEndOfPartition {
            input.isAtEnd = true
            return true
        }
        if let error = message.error {
            logger.warning("\(input.partition): \(error)")
            return true
        }
        input.isAtEnd = false
        let timestamp = self.timestamp(of: message, input)
        let isFuture = options.input.farFuture > 0 && timestamp > Clock.wall() + options.input.farFuture
        if isFuture || timestamp > Self.plausibleTimes.upperBound {
            engine.skip(lane: input.lane, offset: message.offset)
            reject(
                message, input,
                Rejection(
                    .futureTimestamp, field: "timestamp",
                    detail: "The record's Kafka timestamp lies in the future. Check the producer's clock, and its unit."
                ))
            return true
        }
        let mergeTime = engine.mergeTime(lane: input.lane, timestamp: timestamp)
        if merge.isBehindGate(mergeTime) {
            input.held = mergeTime
            return false
        }
        collect(message, input, timestamp)
        return true
    }

    private static let plausibleTimes = DecoderLimits().times

    /// A record without a timestamp is as old as the one before it; without one before it, it is new.
    private func timestamp(of message: MessageView, _ input: InputPartition) -> Milliseconds {
        guard message.timestamp < Self.plausibleTimes.lowerBound else { return message.timestamp }
        let before = engine.mergeTime(lane: input.lane, timestamp: .min)
        return before == .min ? Clock.wall() : before
    }

    private func collect(_ message: MessageView, _ input: InputPartition, _ timestamp: Milliseconds) {
        let lane = input.lane
        let offset = message.offset
        let value = message.isTombstone ? nil : message.value
        var refusal: EngineRejection?
        switch decoder.decode(input.role.recordRole, value: value, headers: MessageHeaders(message)) {
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
        }
        if let refusal { reject(message, input, Rejection(refusal)) }
    }

    private func reject(_ message: MessageView, _ input: InputPartition, _ rejection: Rejection) {
        rejects.count(rejection.reason.rawValue)
        // An earlier run has written this one.
        guard message.offset >= input.committed else { return }
        switch options.input.onInvalid {
        case .skip: break
        case .fail:
            failure = "\(input.partition)@\(message.offset): \(rejection.reason.rawValue): \(rejection.detail)"
        case .deadLetter:
            sink.deadLetter(
                message,
                headers: DeadLetter.headers(
                    for: rejection, topic: input.partition.topic, partition: input.partition.partition,
                    offset: message.offset, applicationID: options.engine.applicationID))
        }
    }

    // MARK: Evaluating

    private func evaluate(at boundary: Milliseconds) throws {
        let isSuppressed = boundary <= suppressedUntil
        effects.removeAll(keepingCapacity: true)
        engine.evaluate(at: boundary, wallClock: Clock.wall(), streamTime: merge.streamTime, into: &effects)
        for effect in effects where !isSuppressed { publish(effect) }
        if isSuppressed {
            for case .decision(let decision) in effects { lastReasons[decision.model] = decision.reason }
        }
        uncommitted = (boundary, engine.cut(wallClock: nil))
        sink.serve()
        if Clock.monotonic() - lastCommit >= Self.commitInterval { try commit() }
    }

    private func publish(_ effect: Effect) {
        if case .decision(let decision) = effect {
            onDecision(EventEncoder.data(of: effect), decision.evaluatedAt)
            let isChange = lastReasons.updateValue(decision.reason, forKey: decision.model) != decision.reason
            if options.output.decisions == .changes, !isChange, decision.outcome == .hold { return }
        }
        if case .request(let request) = effect {
            logger.notice(
                "training requested: \(request.model) \(request.reason.rawValue) \(request.requestID) (attempt \(request.attempt)): \(request.text)"
            )
        }
        sink.publish(encoder.encode(effect))
    }

    private func noteCaughtUp() {
        guard !isCaughtUp, inputs.allSatisfy({ $0.isAtEnd || $0.held != nil }) else { return }
        isCaughtUp = true
        logger.info(
            """
            caught up: \(engine.modelCount) models, \(engine.counters.predictions) predictions, \
            \(engine.counters.actuals) actuals, \(engine.counters.pairs) pairs
            """)
    }

    // MARK: Committing

    /// Once a second: commits what is due, raises what wall-clock time alone can raise, and says what was rejected.
    func tick() throws {
        sink.serve()
        if isCaughtUp {
            effects.removeAll(keepingCapacity: true)
            engine.tick(wallClock: Clock.wall(), lastArrival: lastArrival, into: &effects)
            for effect in effects { publish(effect) }
        }
        try commit()
        try checkPartitions()
        if rejects.total > reportedRejects {
            logger.warning(
                "\(rejects.total) records rejected so far (\(rejects.total - reportedRejects) new): \(rejects.summary)")
            reportedRejects = rejects.total
        }
    }

    /// Partitions that were added to an input are taken up by a new start; leaving them unread would lose records.
    private func checkPartitions() throws {
        guard Clock.monotonic() - lastPartitionCheck >= 60_000 else { return }
        lastPartitionCheck = Clock.monotonic()
        for topic in Set(inputs.map(\.partition.topic)).sorted() {
            let known = inputs.filter { $0.partition.topic == topic }.count
            guard let found = try? consumer.metadata(topic: topic, timeoutMilliseconds: 2_000)[topic]?.partitions.count,
                found > known
            else { continue }
            failure = "topic \(topic) now has \(found) partitions instead of \(known): start again to read them all"
        }
    }

    /// Flushes the outputs, then commits the positions of the last evaluation.
    private func commit(timeoutMilliseconds: Int = 2_000) throws {
        lastCommit = Clock.monotonic()
        guard let due = uncommitted else { return }
        guard sink.flush(timeoutMilliseconds: timeoutMilliseconds) else { return }
        let note = CommitNote.text(boundary: max(due.boundary, suppressedUntil))
        let held = Dictionary(uniqueKeysWithValues: inputs.map { ($0.partition, $0.committed) })
        let offsets = due.cut.positions.map { position in
            let partition = TopicPartition(position.topic, position.partition)
            // While inputs are read again, what was committed stays.
            return TopicPartitionOffset(partition, max(position.nextOffset, held[partition] ?? 0), metadata: note)
        }
        guard let error = failureOfCommit(offsets) else {
            uncommitted = nil
            return
        }
        guard error.isRetriable else { throw error }
        logger.warning("offsets are not committed yet, trying again: \(error)")
    }

    private func failureOfCommit(_ offsets: [TopicPartitionOffset]) -> KafkaError? {
        do {
            try consumer.commit(offsets)
            return nil
        } catch {
            return error
        }
    }

    /// Publishes and commits what is there, before somebody else goes on or the process ends.
    func finish() throws {
        try commit(timeoutMilliseconds: 10_000)
        logger.info(
            """
            stopping: \(engine.counters.predictions) predictions, \(engine.counters.actuals) actuals, \
            \(engine.counters.pairs) pairs, \(engine.counters.decisions) decisions, \(rejects.total) rejected\
            \(rejects.total > 0 ? " (\(rejects.summary))" : "")
            """)
    }
}

/// What is written beside a committed offset: up to which boundary outputs were published.
enum CommitNote {
    private static let prefix = "driftgate:boundary="

    static func text(boundary: Milliseconds) -> String { prefix + String(boundary) }

    static func boundary(_ text: String) -> Milliseconds? {
        text.hasPrefix(prefix) ? Milliseconds(text.dropFirst(prefix.count)) : nil
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
}

extension FieldMaps {
    func fieldMap() throws -> FieldMap {
        do throws(FieldMapError) {
            return try FieldMap([
                .prediction: predictions, .actual: actuals, .load: load, .trainingStatus: trainingStatus,
            ])
        } catch {
            throw WorkerError.fieldMap("\(error)")
        }
    }
}
