/// What the engine decided about one model at one boundary of stream time, with all that it knew.
public struct Decision: Sendable, Equatable {
    public enum Outcome: String, Sendable, CaseIterable { case trigger, hold }

    public var model: String
    /// The version in service; nil before the first prediction named one.
    public var modelVersion: String?
    /// The boundary of stream time.
    public var evaluatedAt: Milliseconds
    public var outcome: Outcome
    public var reason: Reason
    /// One sentence for a person.
    public var text: String
    /// 0 to 1. Safeguard holds have 0.
    public var confidence: Double
    public var priority: Priority
    /// When the same question may come out differently; nil where time alone changes nothing.
    public var waitUntil: Milliseconds?
    /// The request that this decision opened, or that is open.
    public var requestID: String?
    /// Every check in the order of asking, also those behind the one that decided.
    public var checks: [Check]
    public var signal: DriftSignal?
    public var load: LoadEvidence
    public var history: HistoryEvidence
    /// What the evaluation had seen; a replay that is given it comes to the same bytes.
    public var cut: Cut

    /// The same on every replay: model and boundary name a decision.
    public var id: String { "\(model)@\(evaluatedAt)" }
}

public enum Priority: String, Sendable, CaseIterable { case normal, high, critical }

/// One question of a decision, its answer, and the figures behind it.
public struct Check: Sendable, Equatable {
    public enum Answer: String, Sendable, CaseIterable {
        /// Nothing against going on.
        case pass
        /// Would hold.
        case hold
        /// Would trigger.
        case trigger
        /// Could not be asked.
        case unknown
    }

    /// Bounded: the reason code that this check stands for.
    public var reason: Reason
    public var answer: Answer
    /// The measured value and what it is held against, both in `unit`.
    public var value: Double?
    public var limit: Double?
    public var unit: String

    public init(_ reason: Reason, _ answer: Answer, value: Double? = nil, limit: Double? = nil, unit: String = "") {
        self.reason = reason
        self.answer = answer
        self.value = value
        self.limit = limit
        self.unit = unit
    }
}

/// What one evaluation had read: enough to make a replay come to the same bytes.
public struct Cut: Sendable, Equatable {
    public struct Position: Sendable, Equatable {
        public var topic: String
        public var partition: Int32
        /// The offset that would have been read next.
        public var nextOffset: Int64
        public init(topic: String, partition: Int32, nextOffset: Int64) {
            self.topic = topic
            self.partition = partition
            self.nextOffset = nextOffset
        }
    }

    /// By topic, then partition.
    public var positions: [Position]
    /// The wall clock as the evaluation was told; nil in a replay that was told none.
    public var wallClock: Milliseconds?
    /// Hash of the configuration that decided; nil where nobody named it.
    public var configuration: String?

    public init(positions: [Position] = [], wallClock: Milliseconds? = nil, configuration: String? = nil) {
        self.positions = positions
        self.wallClock = wallClock
        self.configuration = configuration
    }
}

/// The load as a decision saw it.
public struct LoadEvidence: Sendable, Equatable {
    public enum Form: String, Sendable, CaseIterable {
        /// 0.6 · mean CPU / 100 + 0.4 · rate / p95 of the rate.
        case cpuAndRate = "cpu_and_rate"
        /// Mean CPU / 100, since the rate hardly varies.
        case cpuOnly = "cpu_only"
        /// No load is known.
        case none
    }

    /// 0 to 1 and above; nil where no load is known.
    public var score: Double?
    public var form: Form
    /// Mean over machines, 0 to 100.
    public var meanCPUPercent: Double?
    public var ratePerSecond: Double?
    public var rateP95: Double?
    public var machines: Int
    public var isQuiet: Bool
    public var incident: Bool
    public var blackout: String?
    /// The next quiet window that the profile forecasts within 24 h.
    public var nextWindow: QuietWindow?
    /// Where `rule` is adaptive: the window that this model's training is planned for.
    public var plannedWindow: QuietWindow?
    /// The score of this hour, and of the last 14 days the quantile up to which a load is low, and the one above which
    /// it is high: what the adaptive rule goes by. Nil where not known.
    public var hourScore: Double?
    public var lowLimit: Double?
    public var highLimit: Double?
    /// Hours of load history that the profile rests on.
    public var profileHours: Int
}

/// A stretch of time [from, to) that is expected to be quiet.
public struct QuietWindow: Sendable, Equatable {
    public var from: Milliseconds
    public var to: Milliseconds
    /// Mean of the forecast load over the window; nil where there is no history and the fallback hours were used.
    public var expectedLoad: Double?

    public init(from: Milliseconds, to: Milliseconds, expectedLoad: Double? = nil) {
        self.from = from
        self.to = to
        self.expectedLoad = expectedLoad
    }
}

/// The trainings as a decision saw them.
public struct HistoryEvidence: Sendable, Equatable {
    /// The last succeeded training, or the first prediction seen where `isAssumed`.
    public var lastTraining: Milliseconds?
    public var isAssumed: Bool
    public var trainingsInWeek: Int
    public var openRequestID: String?
    public var baselineVersion: Int?
    public var baselineOrigin: Baseline.Origin?
    public var baselineCapturedAt: Milliseconds?
    /// Whether trainings leave the baseline as it is.
    public var isBaselineFrozen: Bool

    public init(
        lastTraining: Milliseconds? = nil, isAssumed: Bool = false, trainingsInWeek: Int = 0,
        openRequestID: String? = nil, baselineVersion: Int? = nil, baselineOrigin: Baseline.Origin? = nil,
        baselineCapturedAt: Milliseconds? = nil, isBaselineFrozen: Bool = false
    ) {
        self.lastTraining = lastTraining
        self.isAssumed = isAssumed
        self.trainingsInWeek = trainingsInWeek
        self.openRequestID = openRequestID
        self.baselineVersion = baselineVersion
        self.baselineOrigin = baselineOrigin
        self.baselineCapturedAt = baselineCapturedAt
        self.isBaselineFrozen = isBaselineFrozen
    }
}
