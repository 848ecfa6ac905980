public import Retraining

/// What the last decision about a model knew, as far as it is a number or one of a few words.
public struct ModelObservation: Sendable, Equatable {
    /// The boundary of stream time.
    public var evaluatedAt: Milliseconds
    public var version: String?
    public var outcome: Decision.Outcome
    public var reason: Reason
    /// One sentence for a person.
    public var text: String
    /// By the configured scoring, and to the letter of the source; nil where there was nothing to score.
    public var score: Double?
    public var plainScore: Double?
    /// 0 to 1.
    public var accuracy: Double?
    /// Whether the error is above the agreed limit, where there is enough data to say so.
    public var isBelowAgreement: Bool
    /// The load score, and whether it is quiet now.
    public var load: Double?
    public var isQuiet: Bool
    public var waitUntil: Milliseconds?
    public var openRequestID: String?
    public var trainingsInWeek: Int
    /// The last succeeded training, or the first prediction where `isTrainingAssumed`.
    public var lastTraining: Milliseconds?
    public var isTrainingAssumed: Bool

    init(_ decision: Decision, _ configuration: EngineConfiguration) {
        evaluatedAt = decision.evaluatedAt
        version = decision.modelVersion
        outcome = decision.outcome
        reason = decision.reason
        text = decision.text
        score = decision.signal?.score
        plainScore = decision.signal?.plainScore
        accuracy = decision.signal?.accuracy
        let limit =
            configuration.models[decision.model]?.breachThreshold ?? configuration.safeguards.breachThreshold
        let isKnown = decision.reason != .insufficientData && decision.reason != .noBaseline
        isBelowAgreement = isKnown && decision.signal?.errors.selected.map { $0 > limit } ?? false
        load = decision.load.score
        isQuiet = decision.load.isQuiet
        waitUntil = decision.waitUntil
        openRequestID = decision.history.openRequestID ?? decision.requestID
        trainingsInWeek = decision.history.trainingsInWeek
        lastTraining = decision.history.lastTraining
        isTrainingAssumed = decision.history.isAssumed
    }
}
