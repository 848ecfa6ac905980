import Retraining

/// A request for training and what became of it, put together from three topics.
struct Training: Sendable {
    var requestID: String
    var model: String
    var requestedAt: Milliseconds
    var reason: String
    var text: String
    var priority: String
    var attempt: Int
    var oldVersion: String?
    var decisionID: String
    var deadline: Milliseconds?
    /// `requested` until a trainer says something.
    var status = "requested"
    /// The statuses that came, with their times.
    var steps: [(status: String, at: Milliseconds)] = []
    var newVersion: String?
    var runID: String?
    var url: String?
    var errors: [String] = []
    var metrics: [String: Double] = [:]
    var verdict: VerdictEntry?

    /// Statuses kept of one request: a trainer that reports progress all day must not grow memory.
    private static let stepsMax = 16
    private static let endings: Set<String> = ["succeeded", "failed", "cancelled", "rejected"]

    var succeededAt: Milliseconds? { steps.last { $0.status == "succeeded" }?.at }
    var isOver: Bool { Self.endings.contains(status) }

    mutating func take(_ record: TrainingStatusRecord, at time: Milliseconds) {
        let name = record.status.rawValue
        // What ended stays ended, as in the worker.
        guard !isOver else { return }
        runID = record.runID ?? runID
        url = record.url ?? url
        newVersion = record.modelVersion ?? newVersion
        if !record.errors.isEmpty { errors = Array(record.errors.prefix(8)) }
        if !record.metrics.isEmpty { metrics = record.metrics }
        guard record.status != .progress else { return }
        status = name
        if steps.count < Self.stepsMax { steps.append((name, time)) }
    }
}

struct VerdictEntry: Sendable, Decodable {
    var verdictID: String
    var model: String
    var requestID: String?
    var newVersion: String
    var oldVersion: String?
    var outcome: String
    var errorRatio: Double?
    var against: String?
    var pairs: Int?
    var at: Milliseconds
    var recommendsRollback: Bool
    var text: String

    private enum CodingKeys: String, CodingKey {
        case model, outcome, against, pairs, text
        case verdictID = "verdict_id"
        case requestID = "request_id"
        case newVersion = "new_version"
        case oldVersion = "old_version"
        case errorRatio = "error_ratio"
        case at = "at_ms"
        case recommendsRollback = "recommends_rollback"
    }
}

struct AlertEntry: Sendable, Decodable {
    var alertID: String
    var kind: String
    var severity: String
    var state: String
    var model: String?
    var requestID: String?
    var at: Milliseconds
    var text: String

    private enum CodingKeys: String, CodingKey {
        case kind, severity, state, model, text
        case alertID = "alert_id"
        case requestID = "request_id"
        case at = "at_ms"
    }

    /// Equal for an alert and for what resolves it.
    var subject: String { "\(kind)/\(model ?? "")/\(requestID ?? "")" }
    /// Says that something happened, and has no end.
    var isNews: Bool { kind == "training_triggered" || kind == "training_succeeded" || kind == "training_failed" }
}

/// Of a published request, what the dashboard shows.
struct RequestEntry: Decodable {
    struct Why: Decodable {
        var code: String
        var text: String
    }
    var requestID: String
    var attempt: Int
    var model: String
    var modelVersion: String?
    var requestedAt: Milliseconds
    var reason: Why
    var priority: String
    var deadline: Milliseconds?
    var decisionID: String

    private enum CodingKeys: String, CodingKey {
        case attempt, model, reason, priority
        case requestID = "request_id"
        case modelVersion = "model_version"
        case requestedAt = "requested_at_ms"
        case deadline = "deadline_ms"
        case decisionID = "decision_id"
    }
}

/// Of a model's latest decision, what its summary needs besides the figures.
struct LatestFacts: Sendable, Decodable {
    struct Why: Sendable, Decodable {
        var code: String
        var text: String
    }
    struct Load: Sendable, Decodable {
        var plannedWindow: Window?
        var nextWindow: Window?
        private enum CodingKeys: String, CodingKey {
            case plannedWindow = "planned_window"
            case nextWindow = "next_window"
        }
    }
    struct Window: Sendable, Decodable {
        var from: Milliseconds
        var to: Milliseconds
        private enum CodingKeys: String, CodingKey {
            case from = "from_ms"
            case to = "to_ms"
        }
    }
    struct Past: Sendable, Decodable {
        var lastTraining: Milliseconds?
        var assumed: Bool
        var trainingsInWeek: Int
        var openRequestID: String?
        private enum CodingKeys: String, CodingKey {
            case assumed
            case lastTraining = "last_training_ms"
            case trainingsInWeek = "trainings_in_week"
            case openRequestID = "open_request_id"
        }
    }
    var decisionID: String
    var outcome: String
    var reason: Why
    var confidence: Double
    var waitUntil: Milliseconds?
    var load: Load?
    var history: Past?

    private enum CodingKeys: String, CodingKey {
        case outcome, reason, confidence, load, history
        case decisionID = "decision_id"
        case waitUntil = "wait_until_ms"
    }
}

/// A CloudEvent around what is decoded.
struct Enveloped<Payload: Decodable>: Decodable {
    var data: Payload
}
