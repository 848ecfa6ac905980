public import Retraining
public import Worker

/// What of the configuration decides how topics have to be.
public struct TopicOptions: Sendable {
    public var names = TopicNames()
    public var scale = WorkerSettings.Scale.single
    /// How far back a first start reads its inputs.
    public var lookback: Milliseconds = 35 * .day
    /// How far back a restart may have to read its inputs, because predictions and actuals from then still wait for
    /// each other.
    public var restoreReach: Milliseconds = 2 * .hour
    /// The stretch of data that a training request points at.
    public var trainingWindow: Milliseconds = 30 * .day
    /// How long outputs are worth keeping.
    public var outputRetention: Milliseconds = 90 * .day
    /// For the commands that findings name.
    public var bootstrapServers = "localhost:9092"
    public var configurationFile: String?
    /// Who the brokers take the worker for, as far as the configuration says: with mutual TLS it is the certificate's
    /// name, by the brokers' rules.
    public var principal = "User:NAME"

    public init() {}

    public init(_ configuration: Configuration, file: String?) {
        names = configuration.topics
        scale = configuration.worker.scale
        lookback = configuration.worker.firstStartLookback
        restoreReach = configuration.engine.join.allowedLateness + configuration.worker.checkpointInterval
        trainingWindow = configuration.engine.training.window
        outputRetention = configuration.output.logRetention
        bootstrapServers = configuration.kafka.bootstrapServers.joined(separator: ",")
        configurationFile = file
        if let name = configuration.kafka.sasl.username { principal = "User:\(name)" }
    }

    /// Records are at most this large in the state topic, before compression.
    static let stateRecordBytes = 512 * 1024
    /// What the state topic must take at least: such a record with its key, its headers and the batch around it.
    static let stateMessageBytes = stateRecordBytes + 64 * 1024
    /// Dead letters keep the original bytes up to about this size.
    static let deadLetterBytes = 1_000_000

    /// Read in step by partition number where `scale: partitioned`.
    var paired: [String] { [names.predictions, names.actuals] }
    /// Read from the lookback on.
    var inputs: [String] { paired + [names.load, names.trainingStatus, names.commands] }
    var outputs: [String] { [names.decisions, names.requests, names.alerts, names.deadLetters] }
    /// All topics, in the order of the configuration.
    public var topicNames: [String] { inputs + outputs + [names.state] }
}
