import Kafka
import Retraining

// What the group grants and takes away.
extension Worker {
    func consumerConfiguration() -> ConsumerConfiguration {
        var configuration = ConsumerConfiguration(
            bootstrapServers: options.kafka.bootstrapServers, groupID: options.kafka.groupID)
        configuration.groupInstanceID = options.kafka.groupInstanceID
        configuration.clientID = options.kafka.clientID
        configuration.sessionTimeoutMilliseconds = options.kafka.sessionTimeoutMilliseconds
        // Every partition is assigned with its offset; one that is gone is said, and never skipped silently.
        configuration.offsetReset = .error
        configuration.statisticsIntervalMilliseconds =
            listeners.onStatistics == nil ? 0 : Int(Self.statisticsInterval)
        configuration.additional = options.kafka.properties
        return configuration
    }

    /// Takes part in the group; again, to be granted partitions anew.
    func join(_ consumer: any ConsumerClient) throws(KafkaError) {
        let subscribed =
            options.worker.scale == .single
            ? [options.topics.commands] : [options.topics.predictions, options.topics.actuals]
        try consumer.subscribe(subscribed, rebalance: rebalanceHandler())
    }

    func rebalanceHandler() -> RebalanceHandler {
        RebalanceHandler(
            assigned: { [unowned self] consumer, partitions in
                granted = partitions
                group = try? groupMetadata(consumer)
                return .nothingYet
            },
            revoked: { [unowned self] _, _ in
                // What is decided is published before somebody else takes over.
                if case .working = phase, awaitsGroup == nil { checkpoint() }
                park()
            },
            lost: { [unowned self] _, _ in
                logger.warning("the group took the partitions away; waiting to be granted them again")
                park()
            })
    }

    func groupMetadata(_ consumer: any ConsumerClient) throws(KafkaError) -> GroupMetadata {
        guard options.sabotage.contains(.groupMetadataOfNonMember) else { return try consumer.groupMetadata() }
        return GroupMetadata(.init(group: options.kafka.groupID, generation: -1, id: ""))
    }

    func park() {
        if case .working = phase {
            closeTasks(parked.values)
            parked = tasks.filter { $0.value.isLive }
            closeTasks(tasks.values.filter { !$0.isLive })
        }
        tasks = [:]
        granted = nil
        phase = .standingBy
    }

    func followGrant(_ consumer: any ConsumerClient) throws(KafkaError) {
        guard let partitions = granted else { return }
        let numbers = self.numbers(of: partitions)
        guard !numbers.isEmpty else {
            granted = nil
            awaitsGroup = nil
            drop(parked: Array(parked.keys))
            logger.notice("another worker is active; standing by")
            return
        }
        // Only who is active claims the transactional id.
        try checkpointer.prepare()
        drop(parked: parked.keys.filter { !numbers.contains($0) })
        for number in parked.keys.sorted() {
            let isUnchanged = try isUnchanged(parked[number]!, consumer)
            if !isUnchanged { drop(parked: [number]) }
        }
        granted = nil
        awaitsGroup = nil
        logger.notice("active: \(options.worker.scale == .single ? "all inputs" : "tasks \(numbers)")")
        tally.restoringSince = environment.monotonicClock()
        phase = .restoring(Restoration(self, consumer, numbers.filter { parked[$0] == nil }))
    }

    /// The numbers of the tasks that these partitions make.
    func numbers(of partitions: [TopicPartition]) -> [Int32] {
        if options.worker.scale == .single {
            return partitions.contains(TopicPartition(options.topics.commands, 0)) ? [0] : []
        }
        func numbers(_ topic: String) -> Set<Int32> {
            Set(partitions.filter { $0.topic == topic }.map(\.partition))
        }
        let predictions = numbers(options.topics.predictions)
        guard predictions == numbers(options.topics.actuals) else {
            // Two workers would share a task.
            failure = "\(options.topics.predictions) and \(options.topics.actuals) no longer have the same partitions"
            return []
        }
        return predictions.sorted()
    }

    /// Whether nobody has written a checkpoint since this task did.
    func isUnchanged(_ task: ActiveTask, _ consumer: any ConsumerClient) throws(KafkaError) -> Bool {
        if options.sabotage.contains(.ignoreCommittedToken) { return true }
        guard options.kafka.transactions, let token = task.checkpoints.token?.text else { return false }
        // Models of other partitions than before belong to this task now.
        if let count = task.keyPartitions, try self.partitions(of: options.topics.predictions, consumer).count != count
        {
            return false
        }
        let partitions = try groupInputs(of: task.number, consumer)
        return try consumer.committed(partitions, timeoutMilliseconds: 5_000).allSatisfy { $0.metadata == token }
    }

    func drop(parked numbers: [Int32]) {
        closeTasks(numbers.compactMap { parked.removeValue(forKey: $0) })
    }

    /// Starts restored tasks, and those that go on from memory, with one assignment.
    func begin(_ restored: [ActiveTask], _ consumer: any ConsumerClient) throws {
        var starts: [TopicPartitionOffset] = []
        for task in restored {
            tasks[task.number] = task
            var own: [TopicPartitionOffset] = []
            for input in task.inputs {
                let isRewound = !options.sabotage.contains(.skipRewind)
                let start = TopicPartitionOffset(
                    input.partition, isRewound ? input.replayFrom : max(input.replayFrom, input.committed))
                if task.broadcast != nil, input.role.isBroadcast { own.append(start) } else { starts.append(start) }
            }
            try task.broadcast?.assign(own)
        }
        let now = environment.monotonicClock()
        for (number, task) in parked {
            tasks[number] = task
            for input in task.inputs where task.broadcast == nil || !input.role.isBroadcast {
                input.reopen(try consumer.records(of: input.partition), now: now)
                starts.append(TopicPartitionOffset(input.partition, task.engine.nextOffset(lane: input.lane)))
            }
            logger.notice("\(task.name)nothing has changed: going on from memory")
        }
        parked = [:]
        try consumer.assign(starts)
        phase = .working
    }

    func serveEvents(_ consumer: any ConsumerClient) {
        while true {
            switch consumer.poll(timeoutMilliseconds: 0) {
            case .none:
                if let fatal = consumer.fatalError { failure = failure ?? "\(fatal)" }
                return
            case .statistics(let json): listeners.onStatistics?(json, consumer === self.consumer)
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
}
