/// UTF-8 bytes that somebody else owns, valid only during the call that hands them over.
///
/// Names travel from the scanner to the engine in this form so that a known model, entity or metric costs a hash and
/// a comparison, and no allocation.
public struct BorrowedText {
    public let base: UnsafePointer<UInt8>?
    public let count: Int

    @inlinable
    public init(base: UnsafePointer<UInt8>?, count: Int) {
        self.base = count == 0 ? nil : base
        self.count = count
    }

    /// No bytes: the field was absent.
    @inlinable public static var absent: BorrowedText { BorrowedText(base: nil, count: 0) }

    @inlinable public var isAbsent: Bool { count == 0 }

    @inlinable public var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

    /// An owned copy; allocates.
    public var string: String { String(decoding: bytes, as: UTF8.self) }
}

/// Milliseconds since 1970-01-01T00:00:00Z.
public typealias Milliseconds = Int64

extension Milliseconds {
    /// Stands for "the record named no time".
    public static var unknownTime: Milliseconds { .min }
    public static var minute: Milliseconds { 60_000 }
    public static var hour: Milliseconds { 3_600_000 }
    public static var day: Milliseconds { 86_400_000 }
}

/// One metric's value within a prediction or an actual. Always finite.
public struct MetricValue {
    public let name: BorrowedText
    public let value: Double

    @inlinable
    public init(name: BorrowedText, value: Double) {
        self.name = name
        self.value = value
    }
}

/// What a model predicted for one entity and one time. For a quantile forecast, `value` is the median.
public struct PredictionRecord {
    /// Absent where the record names none; the engine then uses the configured default model.
    public var model: BorrowedText
    public var version: BorrowedText
    public var entity: BorrowedText
    /// The time predicted for.
    public var at: Milliseconds
    /// The time at which the forecast was made; `.unknownTime` where the record does not say.
    public var issuedAt: Milliseconds
    /// A replaced version that goes on predicting for comparison. Enters verification only.
    public var isShadow: Bool
    public var values: UnsafeBufferPointer<MetricValue>

    @inlinable
    public init(
        model: BorrowedText, version: BorrowedText, entity: BorrowedText, at: Milliseconds, issuedAt: Milliseconds,
        isShadow: Bool, values: UnsafeBufferPointer<MetricValue>
    ) {
        self.model = model
        self.version = version
        self.entity = entity
        self.at = at
        self.issuedAt = issuedAt
        self.isShadow = isShadow
        self.values = values
    }
}

/// What really happened. Without `model` it serves every model that predicted this entity.
public struct ActualRecord {
    public var model: BorrowedText
    public var entity: BorrowedText
    public var at: Milliseconds
    public var values: UnsafeBufferPointer<MetricValue>

    @inlinable
    public init(model: BorrowedText, entity: BorrowedText, at: Milliseconds, values: UnsafeBufferPointer<MetricValue>) {
        self.model = model
        self.entity = entity
        self.at = at
        self.values = values
    }
}

/// How busy one machine of a pool is.
public struct LoadRecord {
    /// Absent where the record names none: the pool called `default`.
    public var pool: BorrowedText
    public var entity: BorrowedText
    public var at: Milliseconds
    /// 0 to 100; nil where the record carries none.
    public var cpuPercent: Double?
    /// Predictions a second served by this machine, >= 0; nil where the record carries none.
    public var predictionsPerSecond: Double?
    /// Whether an incident is open on this machine; nil leaves the last word unchanged.
    public var incident: Bool?

    @inlinable
    public init(
        pool: BorrowedText, entity: BorrowedText, at: Milliseconds, cpuPercent: Double?,
        predictionsPerSecond: Double?, incident: Bool?
    ) {
        self.pool = pool
        self.entity = entity
        self.at = at
        self.cpuPercent = cpuPercent
        self.predictionsPerSecond = predictionsPerSecond
        self.incident = incident
    }
}

/// What a trainer says about a request. Rare, so it owns its text.
public struct TrainingStatusRecord: Sendable, Equatable {
    public enum Status: String, Sendable, CaseIterable {
        case accepted, rejected, started, progress, succeeded, failed, cancelled
    }

    public var requestID: String
    public var status: Status
    /// The trainer's own time; `.unknownTime` where it does not say.
    public var at: Milliseconds
    public var runID: String?
    public var url: String?
    public var modelVersion: String?
    /// 0 to 1.
    public var progress: Double?
    /// Whatever figures the trainer reports, by name.
    public var metrics: [String: Double]
    public var errors: [String]
    /// What the data of the training looked like, by metric: the model's baseline from now on.
    public var baseline: [String: QuantileSummary]

    public init(
        requestID: String, status: Status, at: Milliseconds = .unknownTime, runID: String? = nil, url: String? = nil,
        modelVersion: String? = nil, progress: Double? = nil, metrics: [String: Double] = [:], errors: [String] = [],
        baseline: [String: QuantileSummary] = [:]
    ) {
        self.requestID = requestID
        self.status = status
        self.at = at
        self.runID = runID
        self.url = url
        self.modelVersion = modelVersion
        self.progress = progress
        self.metrics = metrics
        self.errors = errors
        self.baseline = baseline
    }
}

/// What an operator asks of the worker through the commands topic.
public struct CommandRecord: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Stop and start triggering, for one model or, without `model`, for all.
        case pause, resume
        /// Ask for a training by hand; call an open request off.
        case request, cancel
        /// Keep the baseline as it is through trainings; capture a new one now.
        case baselineFreeze = "baseline-freeze"
        case baselineReset = "baseline-reset"
    }

    public var kind: Kind
    public var model: String?
    public var requestID: String?
    public var reason: String?
    /// Who asked, as the sender says.
    public var by: String?
    public var at: Milliseconds

    public init(
        kind: Kind, model: String? = nil, requestID: String? = nil, reason: String? = nil, by: String? = nil,
        at: Milliseconds = .unknownTime
    ) {
        self.kind = kind
        self.model = model
        self.requestID = requestID
        self.reason = reason
        self.by = by
        self.at = at
    }
}
