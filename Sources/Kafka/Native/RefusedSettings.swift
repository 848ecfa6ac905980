/// Settings that an operator may not pass through, because a guarantee or a typed property depends on them.
struct RefusedSettings {
    /// Setting → what to do instead.
    let advice: [String: String]

    /// - Throws: `_INVALID_ARG` naming the first refused key (in alphabetical order) and what to do instead.
    func check(_ settings: [String: String]) throws(KafkaError) {
        for key in settings.keys.sorted() {
            guard let advice = advice[key] else { continue }
            throw KafkaError(
                code: .invalidArgument, message: "setting '\(key)' may not be passed through: \(advice)",
                operation: "configure the client")
        }
    }

    private static let common = [
        "bootstrap.servers": "set the bootstrap servers instead",
        "metadata.broker.list": "set the bootstrap servers instead",
        "client.id": "set the client id instead",
        "statistics.interval.ms": "set the statistics interval instead",
        "log.queue": "log lines are delivered as events",
        "test.mock.num.brokers": "use the embedded broker instead",
    ]

    static let consumer = RefusedSettings(
        advice: common.merging([
            "enable.auto.commit": "offsets are committed together with the state that they belong to",
            "auto.commit.enable": "offsets are committed together with the state that they belong to",
            "auto.commit.interval.ms": "offsets are committed together with the state that they belong to",
            "enable.auto.offset.store": "offsets are committed together with the state that they belong to",
            "isolation.level": "set the isolation of the consumer instead",
            "auto.offset.reset": "set the offset reset of the consumer instead",
            "partition.assignment.strategy": "partitions of the inputs with equal numbers must stay together (range)",
            "group.protocol": "only the classic group protocol is supported",
            "enable.partition.eof": "restoring state depends on the end-of-partition events",
            "group.id": "set the group id instead",
            "group.instance.id": "set the group instance id instead",
            "session.timeout.ms": "set the session timeout of the consumer instead",
            "max.poll.interval.ms": "set the poll interval of the consumer instead",
            "transactional.id": "it belongs to the producer",
        ]) { _, own in own })

    static let producer = RefusedSettings(
        advice: common.merging([
            "enable.idempotence": "every producer is idempotent",
            "enable.gapless.guarantee": "every producer is idempotent, which suffices",
            "acks": "every producer waits for all in-sync replicas",
            "request.required.acks": "every producer waits for all in-sync replicas",
            "transactional.id": "set the transactional id of the producer instead",
            "transaction.timeout.ms": "set the transaction timeout of the producer instead",
            "partitioner": "keys must land where the Java clients put them (murmur2_random)",
            "delivery.report.only.error": "every delivery is counted",
            "queue.buffering.max.messages": "set the number of queued messages instead",
            "linger.ms": "set the linger time instead",
            "queue.buffering.max.ms": "set the linger time instead",
            "compression.type": "set the compression instead",
            "compression.codec": "set the compression instead",
        ]) { _, own in own })
}
