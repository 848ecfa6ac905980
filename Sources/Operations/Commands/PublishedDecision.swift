public import Retraining

/// The part of a published decision that commands of the command line show and act on.
public struct PublishedDecision: Decodable, Sendable, Equatable {
    public var model: String
    public var modelVersion: String?
    public var evaluatedAt: Milliseconds
    public var outcome: String
    public var reason: Reason
    public var requestID: String?
    public var signal: Signal?
    public var history: History

    public struct Reason: Decodable, Sendable, Equatable {
        public var code: String
        public var text: String
    }

    public struct Signal: Decodable, Sendable, Equatable {
        public var score: Double?
        public var metrics: [Metric]
    }

    /// How one metric's window lies against the baseline.
    public struct Metric: Decodable, Sendable, Equatable {
        public var metric: String
        public var samples: Int
        public var statistic: Double?
        public var pValue: Double?
        public var meanShift: Double?
        public var statisticFloor: Double?
        public var meanShiftFloor: Double?
        public var isDrifted: Bool

        private enum CodingKeys: String, CodingKey {
            case metric, samples
            case statistic = "ks_statistic"
            case pValue = "p_value"
            case meanShift = "mean_shift"
            case statisticFloor = "ks_floor"
            case meanShiftFloor = "mean_shift_floor"
            case isDrifted = "drifted"
        }
    }

    public struct History: Decodable, Sendable, Equatable {
        public var openRequestID: String?
        public var baselineVersion: Int?
        public var baselineOrigin: String?
        public var baselineCapturedAt: Milliseconds?
        /// Nil in decisions of versions that did not say.
        public var isBaselineFrozen: Bool?

        private enum CodingKeys: String, CodingKey {
            case openRequestID = "open_request_id"
            case baselineVersion = "baseline_version"
            case baselineOrigin = "baseline_origin"
            case baselineCapturedAt = "baseline_captured_at_ms"
            case isBaselineFrozen = "baseline_frozen"
        }
    }

    private enum CodingKeys: String, CodingKey {
        case model, outcome, reason, signal, history
        case modelVersion = "model_version"
        case evaluatedAt = "evaluated_at_ms"
        case requestID = "request_id"
    }
}
