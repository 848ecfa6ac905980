/// What became of the records, counted since start.
public struct EngineCounters: Sendable, Equatable {
    public var predictions: UInt64 = 0
    public var actuals: UInt64 = 0
    public var load: UInt64 = 0
    public var statuses: UInt64 = 0
    public var commands: UInt64 = 0
    public var pairs: UInt64 = 0
    public var latePredictions: UInt64 = 0
    public var lateActuals: UInt64 = 0
    public var duplicatePredictions: UInt64 = 0
    public var duplicateActuals: UInt64 = 0
    public var unmatchedPredictions: UInt64 = 0
    public var unmatchedActuals: UInt64 = 0
    public var evictedHalves: UInt64 = 0
    public var unknownRequests: UInt64 = 0
    public var repeatedStatuses: UInt64 = 0
    public var evaluations: UInt64 = 0
    public var decisions: UInt64 = 0

    public init() {}
}

/// Why the engine would not take a record that was well formed.
public enum EngineRejection: String, Sendable, CaseIterable {
    case noModel = "no_model"
    case tooManyModels = "too_many_models"
    case tooManyEntities = "too_many_entities"
    case tooManyMetrics = "too_many_metrics"
    case tooManyVersions = "too_many_versions"
    case beyondHorizon = "beyond_horizon"

    /// What to do about it.
    public var hint: String {
        switch self {
        case .noModel: "The record names no model and no default_model is configured: add the field `model`."
        case .tooManyModels: "There are as many models as limits.models allows: check the producer, or raise the limit."
        case .tooManyEntities:
            "There are as many entities as limits.entities allows: check the producer, or raise the limit."
        case .tooManyMetrics:
            "The model has as many metrics as limits.metrics_per_model allows: check the producer, or raise the limit."
        case .tooManyVersions: "There are too many model versions: is a time or a run number sent as the version?"
        case .beyondHorizon: "`at` lies further after the record's own time than join.maximum_horizon allows."
        }
    }
}
