import Glibc
import Kafka
import Testing

/// Generous, because it is only ever reached by a failing test.
let patience = Duration.seconds(60)

/// A cluster with one topic `t`.
func makeBroker(topic: String = "t", partitions: Int) throws -> EmbeddedBroker {
    let broker = try EmbeddedBroker()
    try broker.createTopic(topic, partitions: partitions)
    return broker
}

func makeConsumer(
    _ broker: EmbeddedBroker, group: String = "g", _ change: (inout ConsumerConfiguration) -> Void = { _ in }
) throws -> Consumer {
    var configuration = ConsumerConfiguration(bootstrapServers: broker.bootstrapServers, groupID: group)
    change(&configuration)
    return try Consumer(configuration)
}

func makeProducer(
    _ broker: EmbeddedBroker, _ change: (inout ProducerConfiguration) -> Void = { _ in }
) throws -> Producer {
    var configuration = ProducerConfiguration(bootstrapServers: broker.bootstrapServers)
    change(&configuration)
    return try Producer(configuration)
}

/// Produces values "0" … to one partition and waits for their delivery.
func produce(_ count: Int, to partition: TopicPartition, on broker: EmbeddedBroker) throws {
    let producer = try makeProducer(broker)
    for number in 0..<count {
        try producer.produce(
            topic: partition.topic, partition: partition.partition, key: nil, value: Array("\(number)".utf8))
    }
    try producer.flush(timeoutMilliseconds: 30_000)
    #expect(producer.deliveries.delivered == UInt64(count))
    try producer.close(flushTimeoutMilliseconds: 0)
}

func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes, as: UTF8.self)
}

/// Serves the consumer until `isDone`; returns the errors met on the way. Fails the test when patience runs out.
@discardableResult
func serve(_ consumers: Consumer..., until isDone: () throws -> Bool) rethrows -> [KafkaError] {
    var errors: [KafkaError] = []
    let end = ContinuousClock.now + patience
    while try !isDone() {
        guard ContinuousClock.now < end else {
            Issue.record("nothing more came; errors so far: \(errors)")
            break
        }
        for consumer in consumers {
            if case .error(let error) = consumer.poll(timeoutMilliseconds: 2) { errors.append(error) }
        }
    }
    return errors
}

/// Polls until an error that satisfies `condition` comes; nil, and a failed test, when patience runs out.
func firstError(of consumer: Consumer, where condition: (KafkaError) -> Bool) -> KafkaError? {
    let end = ContinuousClock.now + patience
    while ContinuousClock.now < end {
        if case .error(let error) = consumer.poll(timeoutMilliseconds: 10), condition(error) { return error }
    }
    Issue.record("the error did not come")
    return nil
}

/// Runs `body` on a thread of its own, so that a test that blocks cannot starve it.
func onNewThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}
