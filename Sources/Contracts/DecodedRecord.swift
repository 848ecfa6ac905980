public import Retraining

/// One input record, read and checked; or why it could not be.
///
/// The borrowed text and values of predictions, actuals and load are valid until the decoder's next call.
public enum DecodedRecord {
    case prediction(PredictionRecord)
    case actual(ActualRecord)
    case load(LoadRecord)
    case trainingStatus(TrainingStatusRecord)
    case command(CommandRecord)
    case rejected(Rejection)
}

/// Why a record was not taken, for the dead letters and for the person who reads them.
public struct Rejection: Sendable, Equatable, Error {
    /// Bounded: safe as a label of a metric.
    public var reason: RejectReason
    /// The field at fault, as a person would look for it; nil where the record as a whole is.
    public var field: String?
    /// One or two sentences: what is wrong, and what to do about it. At most about 400 bytes.
    public var detail: String

    public init(_ reason: RejectReason, field: String? = nil, detail: String) {
        self.reason = reason
        self.field = field
        self.detail = detail
    }
}

extension Rejection {
    /// A record that was well formed, and refused by the engine.
    public init(_ refusal: EngineRejection) {
        let reason: RejectReason =
            switch refusal {
            case .noModel: .noModel
            case .beyondHorizon: .beyondHorizon
            case .tooManyModels: .tooManyModels
            case .tooManyEntities: .tooManyEntities
            case .tooManyMetrics: .tooManyMetrics
            case .tooManyVersions: .tooManyVersions
            }
        self.init(reason, field: nil, detail: refusal.hint)
    }
}
