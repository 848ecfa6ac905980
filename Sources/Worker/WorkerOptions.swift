public import Retraining

/// All that a worker needs to run.
public struct WorkerOptions: Sendable {
    public var engine = EngineConfiguration()
    public var kafka = KafkaAccess()
    public var topics = TopicNames()
    public var input = InputSettings()
    public var fields = FieldMaps()
    public var output = OutputSettings()
    public var worker = WorkerSettings()
    /// What tasks begin with where the log holds no snapshot: the units of an engine that has been through a history. Nil
    /// as long as they are not there yet; then it is asked again. Asked at every start until there is a snapshot; it must
    /// give the same.
    public var initialState: (@Sendable (InitialStateRequest) throws -> [(key: String, bytes: [UInt8])]?)?
    /// All settings as text, kept in the state: what evaluations before a restore were made by.
    public var settings = ""
    /// Makes an engine's configuration of such a text; throws where this version does not understand it.
    public var readSettings: (@Sendable (_ settings: String) throws -> EngineConfiguration)?
    /// Mechanisms that a test takes out.
    var sabotage: Set<Sabotage> = []

    public init() {}
}

/// Which task's state is asked for.
public struct InitialStateRequest: Sendable, Equatable {
    /// The task, and so its partition.
    public var task: Int32
    /// Those that are restored with it: what one read of a history may serve.
    public var tasks: [Int32]
    /// Partitions over which models are spread by their names, as Java clients do it; nil where one task has all.
    public var partitions: Int?

    public init(task: Int32, tasks: [Int32], partitions: Int?) {
        (self.task, self.tasks, self.partitions) = (task, tasks, partitions)
    }
}

/// How to reach the brokers.
public struct KafkaAccess: Sendable, Equatable {
    /// `host:port`, comma-separated.
    public var bootstrapServers = "localhost:9092"
    public var clientID = "driftgate"
    public var groupID = "driftgate"
    /// Names a static member of the group; nil is a dynamic one.
    public var groupInstanceID: String?
    public var sessionTimeoutMilliseconds = 45_000
    /// False only where the cluster has no transactions: everything is then at-least-once.
    public var transactions = true
    /// A transaction that is open for longer, as after a crash, is aborted by the broker.
    public var transactionTimeoutMilliseconds = 10_000
    /// TLS, SASL and whatever else goes to librdkafka as it is. For consumers and producers alike.
    public var properties: [String: String] = [:]

    public init() {}
}
