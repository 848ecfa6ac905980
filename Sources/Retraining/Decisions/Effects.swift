/// What leaves the engine. The shell publishes effects in the order in which they come.
public enum Effect: Sendable, Equatable {
    case decision(Decision)
    case request(TrainingRequest)
    case alert(Alert)
    case verdict(Verdict)
}

/// All that a trainer needs to train, and to answer. DESIGN section 6.
public struct TrainingRequest: Sendable, Equatable {
    /// A lower-case DNS-1123 label, the same on every re-send.
    public var requestID: String
    /// 1 for the first sending.
    public var attempt: Int
    public var model: String
    public var modelVersion: String?
    public var requestedAt: Milliseconds
    public var mode: String
    public var epochs: Int
    /// The stretch of time to train on, [from, to).
    public var trainingFrom: Milliseconds
    public var trainingTo: Milliseconds
    /// The same stretch as offsets by topic and partition, [from, to).
    public var offsets: [OffsetRange]
    /// False where the log no longer holds all of the stretch, or it is not known to.
    public var offsetsComplete: Bool
    public var keepShadow: Milliseconds
    /// When the drift is thought to have begun; a hint, never a reason to cut the window.
    public var driftOnset: Milliseconds?
    public var reason: Reason
    public var text: String
    public var priority: Priority
    public var confidence: Double
    public var signal: DriftSignal?
    /// The decision that asked.
    public var decisionID: String
    public var deadline: Milliseconds
    public var replyTopic: String

    public struct OffsetRange: Sendable, Equatable {
        public var topic: String
        public var partition: Int32
        public var from: Int64
        public var to: Int64
        public init(topic: String, partition: Int32, from: Int64, to: Int64) {
            self.topic = topic
            self.partition = partition
            self.from = from
            self.to = to
        }
    }
}

/// Something that a person should know.
public struct Alert: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case slaBreach = "sla_breach"
        case trainingTriggered = "training_triggered"
        case trainingSucceeded = "training_succeeded"
        case trainingFailed = "training_failed"
        case trainingOverdue = "training_overdue"
        case notDeployed = "not_deployed"
        case stalledInput = "stalled_input"
        case modelRegressed = "model_regressed"
        case deadLettersRising = "dead_letters_rising"
        case misKeyedProducer = "mis_keyed_producer"
        case inputTrimmed = "input_trimmed"
    }

    public enum Severity: String, Sendable, CaseIterable { case info, warning, critical }
    public enum State: String, Sendable, CaseIterable { case raised, resolved }

    public var kind: Kind
    public var severity: Severity
    public var state: State
    /// Nil for what concerns the worker as a whole.
    public var model: String?
    public var requestID: String?
    public var at: Milliseconds
    public var text: String

    public init(
        kind: Kind, severity: Severity, state: State = .raised, model: String? = nil, requestID: String? = nil,
        at: Milliseconds, text: String
    ) {
        self.kind = kind
        self.severity = severity
        self.state = state
        self.model = model
        self.requestID = requestID
        self.at = at
        self.text = text
    }

    /// The same on every replay.
    public var id: String { "\(kind.rawValue)/\(model ?? "-")/\(requestID ?? "-")/\(state.rawValue)@\(at)" }
}

/// Whether a training helped.
public struct Verdict: Sendable, Equatable {
    public enum Outcome: String, Sendable, CaseIterable {
        case improved, neutral, regressed
        /// Another version took the place of the one on trial before it could be judged.
        case superseded
    }

    public var model: String
    public var requestID: String?
    public var newVersion: String
    public var oldVersion: String?
    public var outcome: Outcome
    /// New version's error over what it was held against; below 1 is better. Nil where nothing was compared.
    public var ratio: Double?
    /// Whether it was held against the old version's shadow predictions, or the shadow forecaster's.
    public var againstShadowForecaster: Bool
    public var pairs: Int
    public var at: Milliseconds
    public var recommendsRollback: Bool
    public var text: String

    public init(
        model: String, requestID: String?, newVersion: String, oldVersion: String?, outcome: Outcome, ratio: Double?,
        againstShadowForecaster: Bool, pairs: Int, at: Milliseconds, recommendsRollback: Bool, text: String
    ) {
        self.model = model
        self.requestID = requestID
        self.newVersion = newVersion
        self.oldVersion = oldVersion
        self.outcome = outcome
        self.ratio = ratio
        self.againstShadowForecaster = againstShadowForecaster
        self.pairs = pairs
        self.at = at
        self.recommendsRollback = recommendsRollback
        self.text = text
    }

    public var id: String { "\(model)/\(newVersion)@\(at)" }
}
