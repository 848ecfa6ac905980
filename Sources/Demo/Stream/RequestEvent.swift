import Retraining

/// The part of a training request that a trainer needs.
struct RequestEvent: Decodable, Equatable {
    var requestID: String
    var attempt: Int
    var model: String
    var reason: ReasonText
    var priority: String
    var requestedAt: Milliseconds
    var window: Window
    /// For how many hours the replaced version is to go on predicting.
    var keepShadowHours: Double

    /// The data to train on, [from, to).
    struct Window: Decodable, Equatable {
        var from: Milliseconds
        var to: Milliseconds
        /// By topic, then partition: [from, to).
        var offsets: [String: [String: [Int64]]]
        /// Whether the offsets cover all of the window.
        var complete: Bool

        private enum CodingKeys: String, CodingKey {
            case offsets, complete
            case from = "from_ms"
            case to = "to_ms"
        }
    }

    private enum CodingKeys: String, CodingKey {
        case attempt, model, reason, priority
        case requestID = "request_id"
        case requestedAt = "requested_at_ms"
        case window = "training_window"
        case keepShadowHours = "keep_shadow_hours"
    }
}
