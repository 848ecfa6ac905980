public import Retraining

/// Who is told what a worker does. All closures are called on the worker's thread and must not block it.
public struct WorkerListeners {
    /// Once a second.
    public var onObservation: ((WorkerObservation) -> Void)?
    /// An alert that has been published.
    public var onAlert: ((Alert) -> Void)?
    /// Changed options, from when they are in force.
    public var onConfiguration: ((WorkerOptions) -> Void)?
    /// librdkafka's statistics (JSON), and whether they are of the group's consumer or of one that reads broadcast topics.
    public var onStatistics: ((_ json: [UInt8], _ isOfGroup: Bool) -> Void)?

    public init() {}
}

extension CheckpointTally.Outcome {
    init(_ outcome: Checkpointer.Outcome) {
        switch outcome {
        case .committed: self = .committed
        case .groupMoved: self = .deferred
        case .unknown: self = .unknown
        case .failed: self = .failed
        }
    }
}
