import Glibc
import Kafka
import Retraining
public import Worker

/// Looks at everything that a worker needs, and names for each finding the command that mends it. Changes nothing.
public struct Doctor {
    private static let timeout = 10_000

    private let configuration: Configuration
    private let options: WorkerOptions
    private let topics: TopicOptions
    private let triesWriting: Bool
    private let report: (DoctorFinding) -> Void

    /// - Parameters:
    ///   - options: as the worker would run by.
    ///   - tryWriting: whether a record is written to each output, in a transaction that is aborted.
    ///   - report: gets each finding as soon as it is there.
    public init(
        _ configuration: Configuration, _ options: WorkerOptions, file: String?, tryWriting: Bool = false,
        report: @escaping (DoctorFinding) -> Void
    ) {
        self.configuration = configuration
        self.options = options
        topics = TopicOptions(configuration, file: file)
        triesWriting = tryWriting
        self.report = report
    }

    public func examine() {
        MachineCheck.findings(configuration).forEach(report)
        guard let (admin, metadata) = brokers() else { return }
        let findings = topicFindings(admin, metadata)
        findings.forEach(report)
        if findings.isEmpty { report(DoctorFinding(.good, "topics", "all as they should be")) }
        // Without its topics nothing more can be asked.
        guard topics.topicNames.allSatisfy({ metadata.partitions(of: $0) != nil }) else { return }
        do throws(KafkaError) {
            let consumer = try Consumer(consumerConfiguration)
            defer { try? consumer.close() }
            let marks = try groupAndMarks(consumer, metadata)
            newestRecords(consumer, marks)
            restores(consumer, metadata)
        } catch {
            report(explain(error, "group \(options.kafka.groupID)"))
        }
        WriteCheck(options: options, topics: topics).findings(tryingTopics: triesWriting)
            .forEach(report)
    }

    // MARK: Brokers and topics

    private func brokers() -> (Admin, Metadata)? {
        do throws(KafkaError) {
            var properties = options.kafka.properties
            properties["log_level"] = properties["log_level"] ?? "2"
            let admin = try Admin(bootstrapServers: options.kafka.bootstrapServers, additional: properties)
            let metadata = try admin.metadata(topic: nil, timeoutMilliseconds: Self.timeout)
            let count = metadata.brokers.count
            report(DoctorFinding(.good, "brokers", "\(count) \(count == 1 ? "answers" : "answer")"))
            return (admin, metadata)
        } catch {
            report(
                DoctorFinding(
                    .error, "brokers", "\(options.kafka.bootstrapServers) cannot be used: \(error.message)",
                    remedy:
                        "kcat -L -b \(options.kafka.bootstrapServers)    # then kafka.bootstrap_servers, kafka.tls, "
                        + "kafka.sasl"))
            return nil
        }
    }

    private func topicFindings(_ admin: Admin, _ metadata: Metadata) -> [DoctorFinding] {
        let known = topics.topicNames.filter { metadata.partitions(of: $0) != nil }
        var settings: [TopicConfiguration] = []
        if !known.isEmpty {
            settings = (try? admin.describeTopics(known, timeoutMilliseconds: Self.timeout)) ?? []
        }
        return TopicCheck.findings(metadata, settings, topics).map(DoctorFinding.init)
    }

    // MARK: Group, records, state

    private var consumerConfiguration: ConsumerConfiguration {
        var configuration = ConsumerConfiguration(
            bootstrapServers: options.kafka.bootstrapServers, groupID: options.kafka.groupID)
        configuration.clientID = options.kafka.clientID + "-doctor"
        configuration.offsetReset = .earliest
        configuration.additional = options.kafka.properties
        return configuration
    }

    private func groupAndMarks(_ consumer: Consumer, _ metadata: Metadata) throws(KafkaError) -> RestoreCheck.Marks {
        var marks: RestoreCheck.Marks = [:]
        for topic in topics.inputs {
            for partition in 0..<(metadata.partitions(of: topic) ?? 0) {
                let partition = TopicPartition(topic, Int32(partition))
                let found = try consumer.watermarks(partition, timeoutMilliseconds: Self.timeout)
                marks[partition] = (found.low, found.high)
            }
        }
        // Asks for Read on the group without joining it.
        let committed = try consumer.committed(Array(marks.keys), timeoutMilliseconds: Self.timeout)
        let count = committed.count { $0.offset.value != nil }
        report(
            DoctorFinding(
                .good, "group \(options.kafka.groupID)",
                count == 0 ? "has committed nothing yet" : "has committed offsets of \(count) partitions"))
        return marks
    }

    /// The newest record of each input tells about clocks.
    private func newestRecords(_ consumer: Consumer, _ marks: RestoreCheck.Marks) {
        for topic in [topics.names.predictions, topics.names.actuals, topics.names.load] {
            let last = marks.filter { $0.key.topic == topic && $0.value.high > $0.value.low }
            guard !last.isEmpty else {
                report(
                    DoctorFinding(
                        .warning, topic, "holds no record",
                        remedy: "kcat -P -b \(options.kafka.bootstrapServers) -t \(topic) contracts/examples/…"))
                continue
            }
            guard let newest = newestTimestamp(consumer, last.mapValues { $0.high - 1 }) else { continue }
            let now = Milliseconds(time(nil)) * 1000
            report(MachineCheck.newest(topic, at: newest, now: now, farFuture: options.input.farFuture))
        }
    }

    private func newestTimestamp(_ consumer: Consumer, _ offsets: [TopicPartition: Int64]) -> Milliseconds? {
        do throws(KafkaError) {
            let queues = try offsets.keys.map { (partition) throws(KafkaError) in
                try consumer.partitionQueue(for: partition)
            }
            try consumer.assign(offsets.map { TopicPartitionOffset($0.key, $0.value) })
            defer { try? consumer.assign([]) }
            var newest: Milliseconds?
            let batch = MessageBatch(capacity: 10)
            for queue in queues {
                _ = consumer.poll(timeoutMilliseconds: 0)
                // A transaction's marker may be the last entry: then there is nothing to see.
                _ = queue.fill(batch, timeoutMilliseconds: 2_000)
                for entry in batch where entry.isRecord { newest = max(newest ?? .min, entry.timestamp) }
                batch.clear()
            }
            return newest
        } catch {
            report(explain(error, "records"))
            return nil
        }
    }

    private func restores(_ consumer: Consumer, _ metadata: Metadata) {
        let tasks = options.worker.scale == .single ? 1 : metadata.partitions(of: topics.names.predictions) ?? 1
        for task in 0..<tasks {
            do {
                let state = try TaskState.read(options, task: Int32(task), timeoutMilliseconds: 30_000)
                // Asked after the state was read: a worker that runs meanwhile goes on.
                var marks: RestoreCheck.Marks = [:]
                for input in state?.inputs ?? [] {
                    let found = try consumer.watermarks(input.partition, timeoutMilliseconds: Self.timeout)
                    marks[input.partition] = (found.low, found.high)
                }
                RestoreCheck.findings(
                    state, marks, topics, group: options.kafka.groupID, applicationID: options.engine.applicationID
                ).forEach(report)
            } catch let error as KafkaError {
                report(explain(error, topics.names.state))
            } catch {
                report(DoctorFinding(.error, topics.names.state, "\(error)"))
            }
        }
    }

    private func explain(_ error: KafkaError, _ subject: String) -> DoctorFinding {
        let remedy: String? =
            switch error.code {
            case .groupAuthorizationFailed:
                AccessPlan.group(topics, groupID: options.kafka.groupID)
            case .topicAuthorizationFailed where error.topic != nil:
                AccessPlan.read(error.topic!, topics)
            default:
                WriteCheck.denied(error)
                    ? "driftgate topics acls --principal \(topics.principal)    # prints the commands" : nil
            }
        return DoctorFinding(.error, subject, error.message, remedy: remedy)
    }
}
