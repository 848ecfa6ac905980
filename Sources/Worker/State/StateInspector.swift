public import Kafka
public import Retraining

/// What a task's state partition says, for a person or a check: read without joining any group and without changing
/// anything.
public struct TaskState: Sendable {
    public struct Input: Sendable {
        public var partition: TopicPartition
        /// The next record to be read.
        public var next: Int64
        /// The first record that a restore reads again.
        public var replayFrom: Int64
    }

    public var task: Int32
    public var checkpoint: UInt64
    /// Transactional id of the worker that wrote last.
    public var owner: String
    public var group: String
    public var applicationID: String
    public var lastBoundary: Milliseconds?
    public var snapshotBoundary: Milliseconds?
    /// Evaluations that a restore does again.
    public var evaluations: Int
    public var bytes: Int
    /// Hash of the configuration that they were made by.
    public var configuration: String?
    public var inputs: [Input]

    /// - Returns: nil where nothing was ever written.
    /// - Throws: `KafkaError`, or in words what is wrong with the state.
    public static func read(
        _ options: WorkerOptions, task: Int32, timeoutMilliseconds: Milliseconds
    ) throws -> TaskState? {
        let state = try load(options, task: task, timeoutMilliseconds: timeoutMilliseconds)
        guard let position = state.position else { return nil }
        return TaskState(
            task: task, checkpoint: position.checkpoint, owner: position.owner, group: position.group,
            applicationID: position.applicationID, lastBoundary: position.lastBoundary,
            snapshotBoundary: position.snapshot?.boundary, evaluations: state.cuts.count, bytes: state.bytes,
            configuration: state.configuration?.fingerprint,
            inputs: position.inputs.map {
                Input(
                    partition: TopicPartition($0.topic, $0.partition), next: $0.next, replayFrom: $0.replayFrom)
            })
    }

    /// A task's engine as of its last snapshot, without the evaluations since: for a look, not to go on with.
    ///
    /// - Returns: nil where there is no snapshot yet.
    /// - Throws: as ``read(_:task:timeoutMilliseconds:)``, or `StateError`.
    public static func engine(
        _ options: WorkerOptions, task: Int32, timeoutMilliseconds: Milliseconds
    ) throws -> Engine? {
        let state = try load(options, task: task, timeoutMilliseconds: timeoutMilliseconds)
        let units = state.units.filter { $0.key != ActiveTask.workerUnitKey }
        return units.isEmpty ? nil : try Engine(configuration: options.engine, restoring: units)
    }

    private static func load(
        _ options: WorkerOptions, task: Int32, timeoutMilliseconds: Milliseconds
    ) throws -> LoadedState {
        let environment = WorkerEnvironment.kafka
        let loader = try StateLoader(options, environment, task: task)
        let deadline = environment.monotonicClock() + timeoutMilliseconds
        while !loader.isDone, environment.monotonicClock() < deadline { try loader.step(deadline: deadline) }
        guard loader.isDone else {
            throw KafkaError(
                code: .timedOut, message: "its end was not reached; a transaction may be open",
                operation: "read the state", topic: options.topics.state, partition: task)
        }
        return try loader.result()
    }
}
