import Kafka
import Retraining
import Worker

/// Whether the brokers let the worker write. A client cannot ask that: it can only try.
///
/// With a transactional id of its own nobody is fenced, and with nothing written no log changes. Whether single topics may
/// be written shows only to who writes: one record each, in a transaction that is aborted, so that readers of committed
/// records never see it.
struct WriteCheck {
    private static let timeout = 10_000

    let options: WorkerOptions
    let topics: TopicOptions

    /// Begins with the worker's transactional ids, so that what allows those allows this.
    var transactionalID: String { options.kafka.groupID + "-doctor" }

    func findings(tryingTopics: Bool) -> [DoctorFinding] {
        guard options.kafka.transactions else {
            return [
                DoctorFinding(
                    .good, "writing", "not tried: without transactions a record could not be taken back")
            ]
        }
        var configuration = ProducerConfiguration(bootstrapServers: options.kafka.bootstrapServers)
        configuration.clientID = options.kafka.clientID + "-doctor"
        configuration.transactionalID = transactionalID
        configuration.additional = options.kafka.properties
        configuration.additional["log_level"] = configuration.additional["log_level"] ?? "2"
        configuration.additional["message.timeout.ms"] = String(Self.timeout)
        do throws(KafkaError) {
            let producer = try Producer(configuration)
            defer { try? producer.close(flushTimeoutMilliseconds: 0) }
            try producer.initTransactions(timeoutMilliseconds: Self.timeout)
            var found = [DoctorFinding(.good, "transactions", "granted to \(transactionalID)")]
            guard tryingTopics else {
                let text = "whether topics may be written is tried with --write only"
                return found + [DoctorFinding(.good, "writing", text)]
            }
            for topic in topics.outputs + [topics.names.state] { found.append(attempt(producer, topic)) }
            return found
        } catch {
            return [explain(error)]
        }
    }

    private func attempt(_ producer: Producer, _ topic: String) -> DoctorFinding {
        producer.resetFirstFailure()
        let before = producer.deliveries.delivered
        var failure: KafkaError?
        do throws(KafkaError) {
            try producer.beginTransaction()
            // A key of its own: where a topic is compacted, it takes no other's place.
            try producer.produce(topic: topic, partition: 0, key: Array("driftgate-doctor".utf8), value: nil)
            failure = outcome(producer, deliveredBefore: before)
        } catch {
            failure = error
        }
        do throws(KafkaError) { try producer.abortTransaction(timeoutMilliseconds: Self.timeout) } catch {
            failure = failure ?? error
        }
        guard let failure else { return DoctorFinding(.good, topic, "may be written") }
        return Self.denied(failure)
            ? DoctorFinding(
                .error, topic, "may not be written by \(topics.principal): \(failure.message)",
                remedy: AccessPlan.write(topic, topics))
            : DoctorFinding(.error, topic, "cannot be written: \(failure.message)")
    }

    /// Why the record was not written; nil once it is.
    private func outcome(_ producer: Producer, deliveredBefore: UInt64) -> KafkaError? {
        var last: KafkaError?
        for _ in 0..<(Self.timeout / Self.step) {
            do throws(KafkaError) { try producer.flush(timeoutMilliseconds: Self.step) } catch { last = error }
            if producer.deliveries.delivered > deliveredBefore { return nil }
            // Nobody says why a transaction has failed but who is asked to begin another one in it.
            do throws(KafkaError) { try producer.beginTransaction() } catch {
                if error.requiresAbort { return error }
            }
            if let failure = producer.deliveries.firstFailure { return failure }
        }
        return last
            ?? KafkaError(
                code: .timedOut, message: "no broker acknowledged it within \(Self.timeout) ms", operation: "write")
    }

    private static let step = 250

    private func explain(_ error: KafkaError) -> DoctorFinding {
        switch error.code {
        case .transactionalIDAuthorizationFailed:
            DoctorFinding(
                .error, "transactions", "\(topics.principal) may not use \(transactionalID): \(error.message)",
                remedy: AccessPlan.transactions(topics, groupID: options.kafka.groupID))
        case .clusterAuthorizationFailed:
            DoctorFinding(
                .error, "transactions", "\(topics.principal) may not write idempotently: \(error.message)",
                remedy: AccessPlan.idempotence(topics))
        default:
            DoctorFinding(
                .error, "transactions", "\(error.message)",
                remedy: "kafka-transactions.sh --bootstrap-server \(topics.bootstrapServers) list    # is there a "
                    + "coordinator?")
        }
    }

    static func denied(_ error: KafkaError) -> Bool {
        [
            .topicAuthorizationFailed, .groupAuthorizationFailed, .clusterAuthorizationFailed,
            .transactionalIDAuthorizationFailed,
        ].contains(error.code)
    }
}
