import Contracts
import Kafka
import Logging
import Retraining
import StateRecords

/// Brings tasks back to where the last checkpoint left them: on start and on every assignment.
///
/// For each task, in this order: the committed offsets; the end of the state partition; the state up to there; the check
/// that both belong together. Then the engine is made of the snapshot, and the inputs are assigned from its cut on. What
/// is left, doing the evaluations since then again, the task does itself.
final class Restoration {
    private let worker: Worker
    private let consumer: any ConsumerClient
    private var waiting: [Int32]
    private var committed: [TopicPartitionOffset]?
    private var loader: StateLoader?
    /// What the log said, while a history is read that a first start begins with.
    private var loaded: LoadedState?
    private let numbers: [Int32]
    private var since: Milliseconds
    private var lastTakeover: Milliseconds?
    private var lastSaid: Milliseconds
    /// For a test that takes the end too early.
    private var earlyEnd: Int64?
    private(set) var tasks: [ActiveTask] = []
    private var rereads = 0
    private static let rereadsMax = 10

    /// For how long an open transaction is waited for before it is finished in its owner's place.
    ///
    /// With `scale: single` whoever had the inputs before has lost them. With `scale: partitioned` the owner may be at
    /// work on other tasks: it is left alone for as long as the brokers leave it alone.
    private var takeoverAfter: Milliseconds {
        let kafka = worker.options.kafka
        return worker.options.worker.scale == .single
            ? 5_000 : Milliseconds(kafka.transactionTimeoutMilliseconds) + 5_000
    }

    init(_ worker: Worker, _ consumer: any ConsumerClient, _ numbers: [Int32]) {
        self.worker = worker
        self.consumer = consumer
        self.numbers = numbers.sorted()
        waiting = self.numbers
        since = worker.environment.monotonicClock()
        lastSaid = since
    }

    /// Works until the deadline; true once all tasks are made.
    func step(deadline: Milliseconds) throws -> Bool {
        while let number = waiting.first {
            guard let committed = try committedOffsets(of: number) else { return false }
            guard var state = try loadedState(number, deadline: deadline) else { return false }
            if let position = state.position, isOvertaken(committed, by: position), rereads < Self.rereadsMax {
                // This process stood still in between, and another worker went on: ask again.
                rereads += 1
                self.committed = nil
                loaded = nil
                return false
            }
            guard try addHistory(to: &state, number) else {
                worker.environment.pause(50)
                return false
            }
            loaded = nil
            tasks.append(try TaskFactory(worker, consumer, number, committed, state).make())
            waiting.removeFirst()
            self.committed = nil
            since = worker.environment.monotonicClock()
        }
        return true
    }

    /// What the task's state partition says; nil while it is being read.
    private func loadedState(_ number: Int32, deadline: Milliseconds) throws -> LoadedState? {
        if let loaded { return loaded }
        if loader == nil {
            loader = try StateLoader(worker.options, worker.environment, task: number, end: earlyEnd)
            earlyEnd = nil
        }
        try loader!.step(deadline: deadline)
        guard loader!.isDone else {
            sayProgress(number)
            if loader!.stalledFor > takeoverAfter { try finishOpenTransaction(number) }
            return nil
        }
        loaded = try loader!.result()
        loader = nil
        return loaded
    }

    /// Gives a first start the history that it is to begin with; false while that is being read. It is read elsewhere: a
    /// worker that does not poll for minutes would lose its place in the group.
    private func addHistory(to state: inout LoadedState, _ number: Int32) throws -> Bool {
        guard state.units.isEmpty, let initialState = worker.options.initialState else { return true }
        let isPartitioned = worker.options.worker.scale == .partitioned
        let request = InitialStateRequest(
            task: number, tasks: numbers,
            partitions: isPartitioned
                ? try worker.partitions(of: worker.options.topics.predictions, consumer).count : nil)
        guard let units = try initialState(request) else { return false }
        state.initialUnits = units
        return true
    }

    /// Whether a later checkpoint was committed after these offsets had been read.
    private func isOvertaken(_ committed: [TopicPartitionOffset], by position: PositionRecord) -> Bool {
        committed.contains { offset in
            CheckpointToken(offset.metadata).map { $0.checkpoint < position.checkpoint } ?? false
        }
    }

    /// What the group committed; nil while a transaction that writes it is open.
    private func committedOffsets(of number: Int32) throws -> [TopicPartitionOffset]? {
        if let committed { return committed }
        if worker.options.sabotage.contains(.endOffsetBeforeCommittedOffsets), earlyEnd == nil {
            earlyEnd = try StateLoader.end(
                of: TopicPartition(worker.options.topics.state, number), worker.options, worker.environment)
        }
        do throws(KafkaError) {
            let partitions = try worker.groupInputs(of: number, consumer)
            committed = try consumer.committed(partitions, timeoutMilliseconds: 2_000)
            return committed
        } catch {
            guard error.isRetriable else { throw error }
            worker.logger.info("waiting for the committed offsets of task \(number): \(error)")
            worker.environment.pause(100)
            if worker.environment.monotonicClock() - since > takeoverAfter { try finishOpenTransaction(number) }
            return nil
        }
    }

    /// A worker that died inside a transaction hides what was written after it, until its transaction times out. Who
    /// it was stands in that transaction's position record; its transactional id is claimed, which ends the transaction.
    private func finishOpenTransaction(_ number: Int32) throws {
        let now = worker.environment.monotonicClock()
        guard worker.options.kafka.transactions, lastTakeover.map({ now - $0 > takeoverAfter }) ?? true else {
            return
        }
        lastTakeover = now
        guard let owner = try OpenTransaction.owner(worker.options, worker.environment, task: number) else { return }
        worker.logger.notice("finishing the transaction that \(owner) left open")
        do throws(KafkaError) { try worker.checkpointer.finishTransaction(of: owner) } catch {
            worker.logger.warning("it is left to its timeout: \(error)")
        }
    }

    private func sayProgress(_ number: Int32) {
        let now = worker.environment.monotonicClock()
        guard now - lastSaid >= 5_000, let loader else { return }
        lastSaid = now
        worker.logger.info("restoring task \(number): \(loader.bytesRead / 1_000_000) MB of state read so far")
    }
}

/// A transaction that holds up the readers of a state partition.
private enum OpenTransaction {
    /// Who opened it; nil where none is open here, or it has not come to its position record. Then it is left to its
    /// timeout: nobody is fenced on a guess.
    static func owner(
        _ options: WorkerOptions, _ environment: WorkerEnvironment, task: Int32
    ) throws(KafkaError) -> String? {
        let partition = TopicPartition(options.topics.state, task)
        let consumer = try environment.makeConsumer(StateLoader.configuration(options, .readUncommitted))
        defer { try? consumer.close() }
        let stable = try StateLoader.end(of: partition, options, environment, .readCommitted)
        let end = try consumer.watermarks(partition, timeoutMilliseconds: 10_000).high
        guard stable < end else { return nil }
        let records = try consumer.records(of: partition)
        try consumer.assign([TopicPartitionOffset(partition, stable)])
        let batch = MessageBatch(capacity: 500)
        let deadline = environment.monotonicClock() + 5_000
        while environment.monotonicClock() < deadline {
            _ = consumer.poll(timeoutMilliseconds: 0)
            if records.fill(batch, timeoutMilliseconds: 20) == 0 {
                environment.pause(10)
                continue
            }
            var isAtEnd = false
            for entry in batch {
                if entry.isEndOfPartition { isAtEnd = isAtEnd || entry.offset >= end }
                guard entry.isRecord, !entry.isTombstone, StateKey(entry.key) == .position,
                    let frame = try? StateFrame.open(Array(entry.value)[...]),
                    let position = try? PositionRecord(frame.payload)
                else { continue }
                // The first: whatever else is written behind it belongs to others.
                return position.owner
            }
            batch.clear()
            if isAtEnd { break }
        }
        return nil
    }
}
