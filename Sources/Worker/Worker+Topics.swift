import Kafka
import Retraining

// Which partitions there are, and whether they fit.
extension Worker {
    /// Everything that a task reads, with its role.
    func inputs(of number: Int32, _ consumer: any ConsumerClient) throws(KafkaError) -> [(TopicPartition, InputRole)] {
        let topics = options.topics
        var inputs: [(TopicPartition, InputRole)] = []
        for (topic, role) in [
            (topics.predictions, InputRole.predictions), (topics.actuals, .actuals), (topics.load, .load),
            (topics.trainingStatus, .trainingStatus), (topics.commands, .commands),
        ] {
            if options.worker.scale == .partitioned, !role.isBroadcast {
                _ = try partitions(of: topic, consumer)
                inputs.append((TopicPartition(topic, number), role))
                continue
            }
            let partitions = try partitions(of: topic, consumer)
            inputs += partitions.map { (TopicPartition(topic, $0), role) }
        }
        return inputs
    }

    /// A topic that a broker does not know at the moment is asked for again: an input must never be left out silently.
    func partitions(of topic: String, _ consumer: any ConsumerClient) throws(KafkaError) -> [Int32] {
        let metadata = try consumer.metadata(topic: topic, timeoutMilliseconds: 15_000)
        guard let found = metadata[topic], found.error == nil, !found.partitions.isEmpty else {
            throw KafkaError(code: .leaderNotAvailable, operation: "read metadata", topic: topic)
        }
        partitionCounts[topic] = found.partitions.count
        return found.partitions.map(\.id)
    }

    /// Those whose offsets the group commits.
    func groupInputs(of number: Int32, _ consumer: any ConsumerClient) throws(KafkaError) -> [TopicPartition] {
        try inputs(of: number, consumer)
            .filter { options.worker.scale == .single || !$0.1.isBroadcast }.map(\.0)
    }

    /// Partitions that were added to an input are taken up by a new start; leaving them unread would lose records.
    func checkPartitions() throws {
        let now = environment.monotonicClock()
        guard let consumer, now - lastPartitionCheck >= 60_000 else { return }
        lastPartitionCheck = now
        for (topic, known) in partitionCounts.sorted(by: { $0.key < $1.key }) {
            guard let found = try? consumer.metadata(topic: topic, timeoutMilliseconds: 2_000)[topic]?.partitions.count,
                found > known
            else { continue }
            failure = "topic \(topic) now has \(found) partitions instead of \(known): start again to read them all"
        }
    }

    func sayWhatIsPromised() {
        if options.kafka.transactions {
            logger.info("transactional, with detectable duplicates: outputs, state and offsets are committed together")
        } else {
            logger.notice(
                """
                at-least-once (kafka.transactions: false): outputs and state are flushed before they count, and what a \
                crash cuts off is published again under the same ids
                """)
        }
        if options.engine.mode == .observe {
            logger.notice("mode: observe — decisions are published, nothing is requested")
        }
    }

    func checkTopics(_ consumer: any ConsumerClient) throws {
        let metadata = try consumer.metadata(topic: nil, timeoutMilliseconds: 15_000)
        let names = options.topics
        let missing = names.all.map(\.topic).filter { name in
            metadata[name].map { $0.error != nil || $0.partitions.isEmpty } ?? true
        }
        guard missing.isEmpty else { throw WorkerError.missingTopics(missing) }
        guard options.worker.scale == .partitioned else { return }
        func count(_ topic: String) -> Int { metadata[topic]?.partitions.count ?? 0 }
        let (predictions, actuals, state) = (count(names.predictions), count(names.actuals), count(names.state))
        guard predictions == actuals else {
            throw WorkerError.partitions(
                "\(names.predictions) has \(predictions) partitions and \(names.actuals) has \(actuals): scale: "
                    + "partitioned needs the same number")
        }
        guard state >= predictions else {
            throw WorkerError.partitions(
                "\(names.state) has \(state) partitions and \(names.predictions) has \(predictions): every task writes "
                    + "to its own")
        }
    }
}
