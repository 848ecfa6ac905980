import Contracts
import Kafka
import Logging
import Retraining
import StateRecords

/// Makes a task of what its state partition and the group's offsets say.
struct TaskFactory {
    private let worker: Worker
    private let consumer: any ConsumerClient
    private let number: Int32
    private let committed: [TopicPartition: TopicPartitionOffset]
    private let state: LoadedState
    private var options: WorkerOptions { worker.options }
    private var statePartition: TopicPartition { TopicPartition(options.topics.state, number) }

    init(
        _ worker: Worker, _ consumer: any ConsumerClient, _ number: Int32, _ committed: [TopicPartitionOffset],
        _ state: LoadedState
    ) {
        self.worker = worker
        self.consumer = consumer
        self.number = number
        self.committed = Dictionary(committed.map { ($0.partition, $0) }, uniquingKeysWith: { first, _ in first })
        self.state = state
    }

    func make() throws -> ActiveTask {
        let isPartitioned = options.worker.scale == .partitioned
        let keyPartitions =
            isPartitioned ? try worker.partitions(of: options.topics.predictions, consumer).count : nil
        let partitions = try worker.inputs(of: number, consumer)
        if let position = state.position {
            try check(position, partitions.map(\.0), keyPartitions)
        } else {
            try checkNothingIsLost()
            if let keyPartitions { try checkOthers(keyPartitions) }
        }
        let engine = try makeEngine()
        let now = worker.environment.monotonicClock()
        let broadcast: (any ConsumerClient)? = try isPartitioned ? makeBroadcastConsumer() : nil
        var inputs: [InputPartition] = []
        for (partition, role) in partitions {
            let source = isPartitioned && role.isBroadcast ? broadcast! : consumer
            let records = try source.records(of: partition)
            records.attach(worker.waker)
            let lane = engine.lane(topic: partition.topic, partition: partition.partition, role: role)
            inputs.append(InputPartition(partition, role: role, lane: lane, records: records, now: now))
        }
        var checkpoints = TaskCheckpoints(number: number, options: options, owner: worker.checkpointer.transactionalID)
        if let position = state.position {
            checkpoints.take(
                position, state.cuts, chunkKeys: state.chunkKeys, configuration: state.configuration?.fingerprint)
        }
        let gaps = try begin(inputs, engine, &checkpoints)
        let task = try ActiveTask(
            number: number, worker: worker, engine: engine, inputs: inputs, broadcast: broadcast,
            checkpoints: checkpoints)
        task.keyPartitions = keyPartitions
        task.logStart = { [consumer, logger = worker.logger] partition in
            do throws(KafkaError) {
                return try consumer.watermarks(partition, timeoutMilliseconds: 5_000).low
            } catch {
                logger.warning("whether \(partition) still holds all that a request names is not known: \(error)")
                return nil
            }
        }
        try restoreWorkerUnit(task)
        if let position = state.position {
            task.replay = CutReplay(state.cuts, now: now)
            task.restoredStallAlert = position.stallAlert
            worker.logger.notice(
                """
                \(task.name)restoring checkpoint \(position.checkpoint): \(state.bytes / 1000) kB of state, \
                \(state.cuts.count) evaluations since its snapshot
                """)
        }
        for gap in gaps { task.alert(.inputTrimmed, .critical, .raised, gap) }
        return task
    }

    // MARK: Checks

    /// Offsets and state were written in one transaction: they say the same, or somebody has been at one of them.
    private func check(_ position: PositionRecord, _ inputs: [TopicPartition], _ keyPartitions: Int?) throws {
        guard position.group == options.kafka.groupID, position.applicationID == options.engine.applicationID else {
            throw RestoreError.foreign(
                statePartition, group: position.group, applicationID: position.applicationID)
        }
        if let before = position.keyPartitions, let keyPartitions, before != keyPartitions {
            throw RestoreError.expanded(
                statePartition, topic: options.topics.predictions, from: before, to: keyPartitions)
        }
        for input in position.inputs where !inputs.contains(TopicPartition(input.topic, input.partition)) {
            throw RestoreError.unknownInput(statePartition, TopicPartition(input.topic, input.partition))
        }
        // Without transactions offsets lag behind; the position alone counts.
        guard options.kafka.transactions, !options.sabotage.contains(.skipPositionCheck) else { return }
        let known = position.inputs.compactMap { input in
            committed[TopicPartition(input.topic, input.partition)].map { (input, $0) }
        }
        if known.allSatisfy({ $0.1.offset.value == nil }) {
            worker.logger.warning(
                "the group's offsets are gone (offsets.retention.minutes?); going on where the state says")
            return
        }
        for (input, offset) in known where offset.offset.value != nil {
            let token = position.token.text
            let isSame = offset.offset.value == input.next && (offset.metadata ?? token) == token
            guard isSame || (offset.metadata ?? "").isEmpty && offset.offset.value == input.next else {
                throw RestoreError.unequal(
                    statePartition,
                    "\(offset.partition) was committed at \(offset.offset) (\(offset.metadata ?? "no note")), the state "
                        + "is at \(input.next) (\(token))")
            }
        }
    }

    private func checkNothingIsLost() throws {
        guard !options.sabotage.contains(.skipPositionCheck),
            let lost = committed.values.first(where: { CheckpointToken($0.metadata) != nil })
        else { return }
        throw RestoreError.unequal(statePartition, "it is empty, and \(lost) was committed with \(lost.metadata ?? "")")
    }

    /// A task that has no state yet belongs to the others, and these to the number of partitions that they began with.
    private func checkOthers(_ keyPartitions: Int) throws {
        let topic = options.topics.predictions
        let all = (0..<Int32(keyPartitions)).map { TopicPartition(topic, $0) }
        for offset in try consumer.committed(all, timeoutMilliseconds: 5_000) {
            guard let before = CheckpointToken(offset.metadata)?.keyPartitions, before != keyPartitions else {
                continue
            }
            throw RestoreError.expanded(
                TopicPartition(options.topics.state, offset.partition.partition), topic: topic, from: before,
                to: keyPartitions)
        }
    }

    // MARK: Engine

    private func makeEngine() throws -> Engine {
        let configuration = configuration
        guard !state.units.isEmpty else { return try makeFirstEngine(configuration) }
        let units = state.units.filter { $0.key != ActiveTask.workerUnitKey }
        do {
            let engine = try Engine(configuration: configuration, restoring: units)
            for change in engine.adaptations { worker.logger.notice("restored state: \(change)") }
            return engine
        } catch {
            throw RestoreError.engine(statePartition, "\(error)")
        }
    }

    /// The engine of a first start: empty, or with what a history gave it.
    private func makeFirstEngine(_ configuration: EngineConfiguration) throws -> Engine {
        guard !state.initialUnits.isEmpty else { return Engine(configuration: configuration) }
        let engine = try Engine(configuration: configuration, restoring: state.initialUnits)
        worker.logger.notice(
            """
            task \(number) begins with \(engine.modelCount) models of history, as of \
            \(engine.lastBoundary.flatMap(Timestamp.text) ?? "no evaluation")
            """)
        return engine
    }

    /// What the evaluations that are done again were made by, where there are any; then the worker takes up its own.
    private var configuration: EngineConfiguration {
        guard !state.cuts.isEmpty, let made = state.configuration, made.fingerprint != options.engine.fingerprint,
            let read = options.readSettings
        else { return options.engine }
        do {
            var configuration = try read(made.settings)
            configuration.fingerprint = made.fingerprint
            return configuration
        } catch {
            worker.logger.warning(
                """
                the configuration that the last \(state.cuts.count) evaluations were made by (\(made.fingerprint)) \
                cannot be read by this version, so they are done again by the present one: \(error)
                """)
            return options.engine
        }
    }

    private func restoreWorkerUnit(_ task: ActiveTask) throws {
        guard let unit = state.units.first(where: { $0.key == ActiveTask.workerUnitKey }) else { return }
        do throws(StateFault) { try task.take(workerUnit: unit.bytes) } catch {
            throw RestoreError.unreadable(statePartition, key: ActiveTask.workerUnitKey, error)
        }
    }

    // MARK: Inputs

    private func makeBroadcastConsumer() throws(KafkaError) -> any ConsumerClient {
        var configuration = ConsumerConfiguration(
            bootstrapServers: options.kafka.bootstrapServers, groupID: options.kafka.groupID)
        configuration.clientID = options.kafka.clientID + "-broadcast"
        configuration.offsetReset = .error
        configuration.statisticsIntervalMilliseconds =
            worker.listeners.onStatistics == nil ? 0 : Int(Worker.statisticsInterval)
        configuration.additional = options.kafka.properties
        let consumer = try worker.environment.makeConsumer(configuration)
        consumer.attach(worker.waker)
        return consumer
    }

    /// Sets where every input is read from; says what is missing.
    private func begin(
        _ inputs: [InputPartition], _ engine: Engine, _ checkpoints: inout TaskCheckpoints
    ) throws -> [String] {
        var gaps: [String] = []
        let known = Dictionary(
            (state.position?.inputs ?? []).map { (TopicPartition($0.topic, $0.partition), $0) },
            uniquingKeysWith: { first, _ in first })
        let skipped = state.cuts.flatMap(\.skipped) + (state.position?.skipped ?? [])
        let byTime = state.position == nil ? firstOffsets(inputs, after: engine.lastBoundary) : [:]
        for input in inputs {
            let marks = try consumer.watermarks(input.partition, timeoutMilliseconds: 15_000)
            let start: Int64
            if let position = known[input.partition] {
                input.committed = position.next
                start = max(position.replayFrom, marks.low)
                if marks.low > position.replayFrom {
                    let text = """
                        \(input.partition) begins at offset \(marks.low); \(marks.low - position.replayFrom) records \
                        that the restore needs are gone, so the state is not exactly what it was. Keep inputs longer
                        """
                    gaps.append(text)
                }
                guard marks.high >= position.next else {
                    throw RestoreError.unequal(
                        statePartition,
                        "\(input.partition) ends at \(marks.high), and \(position.next) was committed: was the topic "
                            + "deleted and made again?")
                }
            } else if let offset = committed[input.partition]?.offset.value {
                // Somebody said where a first start begins.
                start = max(offset, marks.low)
            } else {
                // A broker that cannot look times up answers "the end" for all of them.
                start = max(byTime[input.partition]?.value ?? marks.low, marks.low)
            }
            if state.units.isEmpty || known[input.partition] == nil || start > engine.nextOffset(lane: input.lane) {
                engine.begin(lane: input.lane, at: start)
            }
            input.replayFrom = start
            if known[input.partition] == nil { checkpoints.begin(input.partition, at: start) }
            input.isAtEnd = marks.high <= start
            let own = skipped.filter { $0.topic == input.partition.topic && $0.partition == input.partition.partition }
            var ranges = OffsetRanges()
            for entry in own { ranges.formUnion(OffsetRanges(entry.ranges)) }
            input.knownSkips = options.sabotage.contains(.forgetSkips) ? OffsetRanges() : ranges
        }
        return gaps
    }

    /// - Parameter time: what an engine that begins with a history has seen already.
    private func firstOffsets(
        _ inputs: [InputPartition], after time: Milliseconds?
    ) -> [TopicPartition: Offset] {
        let from = max(worker.environment.wallClock() - options.worker.firstStartLookback, time ?? .min)
        let times = Dictionary(uniqueKeysWithValues: inputs.map { ($0.partition, from) })
        let found = (try? consumer.offsets(at: times, timeoutMilliseconds: 15_000)) ?? []
        return Dictionary(uniqueKeysWithValues: found.map { ($0.partition, $0.offset) })
    }
}
