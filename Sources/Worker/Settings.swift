public import Retraining

/// How the worker runs.
public struct WorkerSettings: Sendable, Equatable {
    public enum Scale: String, Sendable, CaseIterable {
        /// One task reads all partitions; further workers stand by.
        case single
        /// One task a partition number; records are keyed by model.
        case partitioned
    }

    public var scale = Scale.single
    /// A checkpoint is one transaction: outputs, state and offsets since the last one.
    public var checkpointInterval: Milliseconds = 1_000
    /// A snapshot of the state is taken this often, in stream time. A restore reads that much of the inputs again.
    public var snapshotInterval: Milliseconds = 30 * .minute
    /// How far back the first start reads.
    public var firstStartLookback: Milliseconds = 35 * .day
    /// History that a first start begins with: files and directories, as `driftgate replay` takes them. The worker itself
    /// reads none: whoever starts it makes `WorkerOptions.initialState` of them.
    public var warmFrom: [String] = []
    /// What is collected between two boundaries never grows beyond this, give or take a batch: it is evaluated before.
    public var collectedBytesMax = 512 << 20
    /// A clean stop that takes longer than this is cut short.
    public var shutdownDeadline: Milliseconds = 30_000

    public init() {}
}

/// What the worker makes of the records it reads.
public struct InputSettings: Sendable, Equatable {
    public enum OnInvalid: String, Sendable, CaseIterable {
        /// Write the original bytes to the dead letters with the reason, and go on.
        case deadLetter = "dead_letter"
        /// Count and go on.
        case skip
        /// Stop the worker.
        case fail
    }

    public var onInvalid = OnInvalid.deadLetter
    /// A larger record is invalid.
    public var maximumRecordBytes = 1_048_576
    /// 0 to 1. Where more of an input's recent records are invalid, the worker alerts.
    public var rejectShareLimit = 0.05
    /// 0 to 1. Where more of them are invalid, the worker stops and says why; 1, the default, never stops: a producer
    /// that has gone wrong must not stop the watch over all others.
    public var rejectShareStop = 1.0
    /// A record timestamp further past the wall clock is invalid.
    public var farFuture: Milliseconds = 10 * .minute

    public init() {}
}

/// JSON pointers (RFC 6901) to the fields of the inputs, by field, where they differ from the contracts.
public struct FieldMaps: Sendable, Equatable {
    public var predictions: [String: String] = [:]
    public var actuals: [String: String] = [:]
    public var load: [String: String] = [:]
    public var trainingStatus: [String: String] = [:]

    public init() {}
}

/// What is published and kept.
public struct OutputSettings: Sendable, Equatable {
    public enum Decisions: String, Sendable, CaseIterable {
        /// Every evaluation.
        case all
        /// Triggers, and holds whose reason differs from the model's last one.
        case changes
    }

    public var decisions = Decisions.all
    /// Directory of the decision log; nil writes none.
    public var logDirectory: String? = "./logs/adaptive_retraining"
    public var logRetention: Milliseconds = 90 * .day
    /// A larger file of the decision log is rotated before its day is over.
    public var logFileBytes = 268_435_456

    public init() {}
}

/// The topics that the worker reads and writes. All distinct.
public struct TopicNames: Sendable, Equatable {
    public var predictions = "predictions"
    public var actuals = "actuals"
    public var load = "load"
    public var trainingStatus = "training-status"
    public var commands = "driftgate-commands"
    public var decisions = "retraining-decisions"
    public var requests = "training-requests"
    public var alerts = "retraining-alerts"
    public var deadLetters = "driftgate-dead-letters"
    public var state = "driftgate-state"

    public init() {}

    /// Name of the setting and of the topic, in the order of the documentation.
    public var all: [(setting: String, topic: String)] {
        [
            ("predictions", predictions), ("actuals", actuals), ("load", load), ("training_status", trainingStatus),
            ("commands", commands), ("decisions", decisions), ("requests", requests), ("alerts", alerts),
            ("dead_letters", deadLetters), ("state", state),
        ]
    }
}
