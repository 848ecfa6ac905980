import Kafka
public import Retraining
public import Worker

/// Looks a model up in the state that the workers keep: what is known of it when no decision about it is kept any more.
public struct ModelStateReader {
    private let options: WorkerOptions
    private let partitions: Int

    /// - Parameter options: as the worker runs by.
    public init(_ options: WorkerOptions) throws(CommandError) {
        self.options = options
        guard options.worker.scale == .partitioned else {
            partitions = 1
            return
        }
        do {
            let admin = try Admin(
                bootstrapServers: options.kafka.bootstrapServers, additional: options.kafka.properties)
            let metadata = try admin.metadata(topic: nil, timeoutMilliseconds: 15_000)
            partitions = metadata.partitions(of: options.topics.predictions) ?? 0
        } catch {
            throw CommandError(kind: .notConnected, "\(error)")
        }
    }

    /// The baseline of a model as of the last snapshot of its task, and which evaluation that was; nil where no task
    /// knows the model.
    public func baseline(
        of model: String
    ) throws(CommandError) -> (view: BaselineView, seenAt: Milliseconds?)? {
        for task in 0..<Int32(partitions) {
            do {
                let engine = try TaskState.engine(options, task: task, timeoutMilliseconds: 15_000)
                if let view = engine?.baseline(of: model) { return (view, engine?.lastBoundary) }
            } catch {
                throw CommandError(kind: .notConnected, "cannot read \(options.topics.state) [\(task)]: \(error)")
            }
        }
        return nil
    }
}
