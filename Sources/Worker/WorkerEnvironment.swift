import Glibc
public import Kafka
public import Retraining

/// Where a worker runs: how it reaches the log, and its clocks. A simulation puts its own in the place of each.
public struct WorkerEnvironment {
    public var makeConsumer: (ConsumerConfiguration) throws(KafkaError) -> any ConsumerClient
    public var makeProducer: (ProducerConfiguration) throws(KafkaError) -> any ProducerClient
    /// Milliseconds since 1970.
    public var wallClock: () -> Milliseconds
    /// Milliseconds since some fixed moment; never goes back.
    public var monotonicClock: () -> Milliseconds
    /// Tells this process from all others: part of the transactional id of a worker without a static membership.
    public var identity: String
    /// Waits this many milliseconds before something is tried again.
    public var pause: (Int) -> Void

    public init(
        makeConsumer: @escaping (ConsumerConfiguration) throws(KafkaError) -> any ConsumerClient,
        makeProducer: @escaping (ProducerConfiguration) throws(KafkaError) -> any ProducerClient,
        wallClock: @escaping () -> Milliseconds, monotonicClock: @escaping () -> Milliseconds,
        identity: String, pause: @escaping (Int) -> Void
    ) {
        self.makeConsumer = makeConsumer
        self.makeProducer = makeProducer
        self.wallClock = wallClock
        self.monotonicClock = monotonicClock
        self.identity = identity
        self.pause = pause
    }

    private static var hostAndProcess: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        // Containers that share a host's name and begin to count processes anew must not fence each other.
        return "\(host)-\(getpid())-\(String(UInt32.random(in: .min ... .max), radix: 16))"
    }

    /// A cluster reached by librdkafka, and the clocks of this machine.
    public static var kafka: WorkerEnvironment {
        WorkerEnvironment(
            makeConsumer: { (configuration) throws(KafkaError) in try Consumer(configuration) },
            makeProducer: { (configuration) throws(KafkaError) in try Producer(configuration) },
            wallClock: Clock.wall, monotonicClock: Clock.monotonic, identity: hostAndProcess,
            pause: { usleep(UInt32(clamping: $0) * 1000) })
    }
}
