/// Everything that the engine decides by. Plain values: whoever builds one has read and checked the file.
///
/// The names that the source design gives to its settings are kept in the configuration file; here they carry the
/// same meaning in Swift's spelling.
public struct EngineConfiguration: Sendable, Equatable {
    /// Part of every `request_id`, so that two installations on one cluster never collide.
    public var applicationID = "driftgate"
    /// Hash of all settings, told in every decision; decides nothing. Empty where nobody made one.
    public var fingerprint = ""
    public var mode = Mode.act
    /// The model of records that name none.
    public var defaultModel: String?
    public var drift = DriftConfiguration()
    public var join = JoinConfiguration()
    public var quiet = QuietConfiguration()
    public var safeguards = SafeguardConfiguration()
    public var training = TrainingConfiguration()
    public var alerts = AlertConfiguration()
    public var limits = LimitConfiguration()
    /// Settings that differ for single models, by model name.
    public var models: [String: ModelOverrides] = [:]

    public enum Mode: String, Sendable, CaseIterable {
        /// Decide, publish and request.
        case act
        /// Decide and publish, but request nothing.
        case observe
    }

    public init() {}
}

public struct DriftConfiguration: Sendable, Equatable {
    public enum Scoring: String, Sendable, CaseIterable {
        /// The source design's formula to the letter.
        case plain
        /// The same four terms, weights and thresholds, each term as the excess over its own floor.
        case calibrated
    }

    public enum ErrorMeasure: String, Sendable, CaseIterable { case mape, wape, smape, mase }

    public enum Window: String, Sendable, CaseIterable {
        /// The last `windowSize` samples, whatever time they cover.
        case count
        /// At most `windowSize` samples that cover `errorSpan` or `distributionSpan` evenly.
        case span
    }

    /// `drift_check_interval_mins`. Boundaries of stream time at which models are evaluated.
    public var checkInterval: Milliseconds = 5 * .minute
    /// `drift_threshold_critical`: above it the recommendation is `retrain`.
    public var criticalThreshold = 0.10
    /// `drift_threshold_warning`: above it the recommendation is `monitor`.
    public var warningThreshold = 0.08
    /// `prediction_window_size`: samples a window holds at most.
    public var windowSize = 1000
    public var window = Window.span
    public var errorSpan: Milliseconds = 72 * .hour
    public var distributionSpan: Milliseconds = 7 * .day
    public var scoring = Scoring.calibrated
    public var errorMeasure = ErrorMeasure.mape
    /// Weights of PER, DSS, FDS and AR in the score. SOURCE section 2.2.
    public var weights = Weights()
    /// Samples that the error and distribution windows need before a score may trigger anything.
    public var minimumSamples = 100
    /// Calibrated: how long the score must stay above the critical threshold before it may trigger.
    public var persistence: Milliseconds = 6 * .hour
    /// The same for a score that stays above `sla_breach_threshold`: drift is then severe.
    public var severePersistence: Milliseconds = 4 * .hour
    /// Calibrated: the constants of the error term.
    public var skill = SkillConstants()
    /// Calibrated: the stretch of actuals that a baseline is taken from, where there is as much.
    public var referenceSpan: Milliseconds = 28 * .day
    /// Expected range of a metric's predictions, by metric name. Outside it a prediction is anomalous.
    public var expectedRanges: [String: ExpectedRange] = [:]
    /// Upper edges of the horizon buckets of the error windows, ascending; the last bucket is open.
    public var horizonBuckets: [Milliseconds] = [.hour * 3 / 2, 9 * .hour]
    /// Span of the first baseline.
    public var baselineSpan: Milliseconds = 7 * .day
    /// Samples of one metric that a baseline keeps at most.
    public var baselineSize = 4_000

    public struct Weights: Sendable, Equatable {
        public var predictionError = 0.40
        public var distributionShift = 0.30
        public var featureDrift = 0.20
        public var anomalyRate = 0.10
        public init() {}
    }

    public struct ExpectedRange: Sendable, Equatable {
        /// Inclusive bounds; infinite where open.
        public var minimum: Double
        public var maximum: Double
        public init(minimum: Double = -.infinity, maximum: Double = .infinity) {
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    public init() {}
}

public struct JoinConfiguration: Sendable, Equatable {
    /// Both halves wait for each other until stream time passes `at` plus this.
    public var allowedLateness: Milliseconds = 2 * .hour
    /// How far after its record's own time a prediction may aim, and an actual may lie.
    public var maximumHorizon: Milliseconds = 35 * .day

    public init() {}
}

public struct QuietConfiguration: Sendable, Equatable {
    public enum Rule: String, Sendable, CaseIterable {
        /// Quiet is a load score below `loadThreshold`, as the source design has it.
        case absolute
        /// The best-ranked window of the coming 24 h, checked live, with a deadline.
        case adaptive
    }

    public var rule = Rule.adaptive
    /// `quiet_load_threshold`.
    public var loadThreshold = 0.3
    /// `min_quiet_duration_hours`.
    public var minimumDuration: Milliseconds = .hour * 3 / 2
    /// `load_prediction_lookback_days`.
    public var lookback: Milliseconds = 30 * .day
    /// Local hours that count as quiet while there is no load history: [from, to).
    public var fallbackHours = 2..<5
    /// Adaptive: a load at or below this quantile of the last 14 days is low, above the other one it is high.
    public var lowQuantile = 0.25
    public var highQuantile = 0.75
    /// Adaptive: so long after drift was found any hour that is not high will do, after twice as long any hour.
    public var deadline: Milliseconds = 24 * .hour
    /// Pool of machines whose load is asked; nil means all load records together.
    public var pool: String?
    public var calendar = LocalCalendar()
    /// Times in which nothing starts.
    public var blackouts: [Blackout] = []

    public struct Blackout: Sendable, Equatable {
        public var from: Milliseconds
        public var to: Milliseconds
        public var name: String
        public init(from: Milliseconds, to: Milliseconds, name: String) {
            self.from = from
            self.to = to
            self.name = name
        }
    }

    public init() {}
}

public struct SafeguardConfiguration: Sendable, Equatable {
    /// `min_hours_between_training`.
    public var minimumInterval: Milliseconds = 6 * .hour
    /// `max_days_without_training`.
    public var maximumAge: Milliseconds = 30 * .day
    /// The quietest hour of this last stretch before `maximumAge` is taken for a forced refresh.
    public var refreshLead: Milliseconds = 48 * .hour
    /// `max_trainings_per_week`, in a rolling 7 days.
    public var maximumPerWeek = 3
    /// Above this score a training may start in spite of load.
    public var breachThreshold = 0.12
    /// Triggers are held while stream time lags the wall clock by more than this; nil never holds.
    public var maximumTriggerLag: Milliseconds? = 15 * .minute
    /// Back-off after a failed training: the first wait, doubled up to the second.
    public var firstBackoff: Milliseconds = .hour
    public var longestBackoff: Milliseconds = 6 * .hour
    /// A model without predictions for this long is never refreshed.
    public var predictionSilence: Milliseconds = 24 * .hour
    /// No actuals for this long while predictions go on: `stalled_input`.
    public var actualSilence: Milliseconds = 6 * .hour
    /// Requests that may be open at once over all models.
    public var maximumOpenRequests = 100

    public init() {}
}

public struct TrainingConfiguration: Sendable, Equatable {
    /// `none` treats a request as trained after `assumedDuration`.
    public enum StatusSource: String, Sendable, CaseIterable { case topic, none }

    /// `training_window_days`.
    public var window: Milliseconds = 30 * .day
    /// `epochs_per_training`.
    public var epochs = 1
    public var mode = "incremental"
    public var status = StatusSource.topic
    public var assumedDuration: Milliseconds = .hour * 3 / 2
    /// A request that nobody accepted in this time is sent again, under the same id, this many times at most.
    public var acceptTimeout: Milliseconds = 15 * .minute
    public var maximumAttempts = 3
    /// A request that did not end in this time has expired.
    public var deadline: Milliseconds = 24 * .hour
    /// For how long a trainer is asked to keep the replaced version predicting: as long as a verification lasts.
    public var keepShadow: Milliseconds = 72 * .hour
    /// No prediction of the new version for this long after `succeeded`: an alert.
    public var deploymentTimeout: Milliseconds = 24 * .hour
    /// Named in every request: where to answer.
    public var replyTopic = "training-status"

    public init() {}
}

public struct AlertConfiguration: Sendable, Equatable {
    /// An alert that goes on is said again after this long.
    public var repeatInterval: Milliseconds = 24 * .hour
    public init() {}
}

/// Bounds on whatever an input may grow.
public struct LimitConfiguration: Sendable, Equatable {
    public var models = 10_000
    public var metricsPerModel = 256
    public var entities = 200_000
    /// Predictions and actuals retained for the join, each counted as one half, over all models.
    public var retainedHalves = 5_000_000
    public var nameBytes = 256
    /// Models and entities silent for this long are forgotten.
    public var silence: Milliseconds = 30 * .day

    public init() {}
}

/// Settings of one model; nil leaves the general one.
public struct ModelOverrides: Sendable, Equatable {
    public var criticalThreshold: Double?
    public var warningThreshold: Double?
    public var breachThreshold: Double?
    public var minimumInterval: Milliseconds?
    public var maximumAge: Milliseconds?
    public var maximumPerWeek: Int?
    public var errorMeasure: DriftConfiguration.ErrorMeasure?
    public var mode: EngineConfiguration.Mode?
    public var pool: String?
    public var expectedRanges: [String: DriftConfiguration.ExpectedRange]?

    public init() {}
}

/// Local time without a clock and without a file: offsets from UTC by date, worked out beforehand.
public struct LocalCalendar: Sendable, Equatable {
    /// Name for people, such as `Europe/Berlin`.
    public var timeZone = "UTC"
    /// Starts of the stretches of constant offset, ascending; the first one holds for all time before the second.
    public var offsets: [Offset] = [Offset(from: .min, seconds: 0)]
    /// Days since 1970-01-01 (local) that are holidays: they behave like Sundays.
    public var holidays: Set<Int> = []
    /// Days since 1970-01-01 (local) on which no quiet is to be expected, such as quarter ends.
    public var busyDays: Set<Int> = []

    public struct Offset: Sendable, Equatable {
        public var from: Milliseconds
        public var seconds: Int
        public init(from: Milliseconds, seconds: Int) {
            self.from = from
            self.seconds = seconds
        }
    }

    public init() {}
}
