import Kafka
import Retraining
import StateRecords

// What becomes of a checkpoint.
extension Worker {
    /// Publishes what all tasks have, in one transaction.
    func checkpoint() {
        guard let consumer, let group else { return }
        lastCheckpoint = environment.monotonicClock()
        var records: [OutputRecord] = []
        var offsets: [TopicPartitionOffset] = []
        var prepared: [(task: ActiveTask, checkpoints: TaskCheckpoints, position: PositionRecord)] = []
        for (_, task) in tasks.sorted(by: { $0.key < $1.key }) where task.hasAnythingToCommit {
            var checkpoints = task.checkpoints
            let (state, position) = checkpoints.prepare(task, now: lastCheckpoint)
            records += task.pending + state
            for input in position.inputs where isOfGroup(input) {
                offsets.append(
                    TopicPartitionOffset(
                        TopicPartition(input.topic, input.partition), input.next, metadata: position.token.text))
            }
            prepared.append((task, checkpoints, position))
        }
        guard !prepared.isEmpty else { return }
        let outcome = checkpointer.commit(records, offsets, consumer: consumer, group: group)
        tally.checkpoints.note(
            .init(outcome), took: environment.monotonicClock() - lastCheckpoint,
            bytes: records.reduce(0) { $0 + $1.byteCount }, at: environment.wallClock())
        switch outcome {
        case .committed:
            lastCommit = environment.wallClock()
            commits += 1
            for entry in prepared {
                entry.task.didCommit(entry.checkpoints, entry.position)
                for decision in entry.task.takeDecisions() { onDecision(decision.json, decision.at) }
                for alert in entry.task.takeAlerts() { listeners.onAlert?(alert) }
            }
        case .groupMoved(let error):
            logger.notice("waiting for the group: \(error)")
            awaitsGroup = environment.monotonicClock()
            hasRejoined = false
            if options.sabotage.contains(.dropBatchAfterAbort) { for entry in prepared { entry.task.dropPending() } }
        case .unknown(let error):
            logger.warning("nobody knows what became of a checkpoint; restoring from the log: \(error)")
            restore(Array(tasks.keys), consumer)
        case .failed(let error):
            failure = "\(error)"
        }
    }

    func isOfGroup(_ input: PositionRecord.Input) -> Bool {
        options.worker.scale == .single || !(InputRole(rawValue: input.role)?.isBroadcast ?? true)
    }

    /// Throws away what is in memory and reads the state again.
    func restore(_ numbers: [Int32], _ consumer: any ConsumerClient) {
        closeTasks(tasks.values)
        tasks = [:]
        do throws(KafkaError) {
            try consumer.assign([])
            try checkpointer.prepare()
            tally.restoringSince = environment.monotonicClock()
            phase = .restoring(Restoration(self, consumer, numbers))
        } catch {
            // A new process restores as well, and its supervisor waits longer and longer.
            failure = failure ?? "\(error)"
        }
    }
}
