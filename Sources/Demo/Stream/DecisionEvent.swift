import Retraining

/// A reason code and the same in words.
struct ReasonText: Decodable, Equatable {
    var code: String
    var text: String
}

/// The part of a published decision that the demo shows.
struct DecisionEvent: Decodable {
    var model: String
    var modelVersion: String?
    var evaluatedAt: Milliseconds
    var outcome: String
    var reason: ReasonText
    var waitUntil: Milliseconds?
    /// Of a trigger: the request that it opened.
    var requestID: String?
    /// 1 − PER of the selected measure.
    var accuracy: Double?
    var signal: Signal?
    var load: Load?

    struct Signal: Decodable {
        var score: Double
        var recommendation: String
    }

    struct Load: Decodable {
        var score: Double?
    }

    private enum CodingKeys: String, CodingKey {
        case model, outcome, reason, accuracy, signal, load
        case modelVersion = "model_version"
        case evaluatedAt = "evaluated_at_ms"
        case waitUntil = "wait_until_ms"
        case requestID = "request_id"
    }
}

/// The part of a published alert that the demo shows.
struct AlertEvent: Decodable {
    var kind: String
    var severity: String
    var state: String
    var model: String?
    var text: String
}

/// The part of a published verdict that the demo shows and acts on.
struct VerdictEvent: Decodable {
    var model: String
    var newVersion: String
    var outcome: String
    var at: Milliseconds
    var recommendsRollback: Bool
    var text: String

    private enum CodingKeys: String, CodingKey {
        case model, outcome, text
        case at = "at_ms"
        case newVersion = "new_version"
        case recommendsRollback = "recommends_rollback"
    }
}
