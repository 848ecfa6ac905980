/// The four drift metrics of one model, their weighted sum and what it recommends. SOURCE.md section 2.2.
public struct DriftSignal: Sendable, Equatable {
    public enum Recommendation: String, Sendable, CaseIterable { case retrain, monitor, healthy }

    /// The score that decides, by the configured scoring.
    public var score: Double
    public var scoring: DriftConfiguration.Scoring
    /// The weighted sum of the terms. `score` is the same, or the critical threshold where this is above it while skill
    /// is intact.
    public var weightedScore: Double
    public var weights: DriftConfiguration.Weights
    public var recommendation: Recommendation
    /// 0 to 1.
    public var confidence: Double
    /// The four terms as they enter the score that decides.
    public var terms: Terms
    /// The terms to the letter of the source; the same as `terms` where `scoring` is plain.
    public var plain: Terms
    public var plainScore: Double
    /// What calibration subtracted; nil where there is no baseline.
    public var floors: Floors?
    public var errors: ErrorMeasures
    public var metrics: [MetricDrift]
    /// Pairs, actuals and predictions in the windows.
    public var pairs: Int
    public var actuals: Int
    public var predictions: Int
    /// Since when the score has been above the critical threshold without a break; nil while it is not.
    public var aboveSince: Milliseconds?

    /// 1 − PER of the selected measure, never below 0. Nil while there are no pairs.
    public var accuracy: Double? { errors.selected.map { max(0, 1 - $0) } }

    public struct Terms: Sendable, Equatable {
        /// PER: error of the predictions.
        public var predictionError: Double
        /// DSS: shift of the actuals' distributions.
        public var distributionShift: Double
        /// FDS: shift of the actuals' means.
        public var featureDrift: Double
        /// AR: share of predictions outside the expected range.
        public var anomalyRate: Double

        public init(
            predictionError: Double = 0, distributionShift: Double = 0, featureDrift: Double = 0,
            anomalyRate: Double = 0
        ) {
            self.predictionError = predictionError
            self.distributionShift = distributionShift
            self.featureDrift = featureDrift
            self.anomalyRate = anomalyRate
        }

        public func score(_ weights: DriftConfiguration.Weights) -> Double {
            weights.predictionError * predictionError + weights.distributionShift * distributionShift
                + weights.featureDrift * featureDrift + weights.anomalyRate * anomalyRate
        }
    }

    public struct Floors: Sendable, Equatable {
        /// G: the model's error against the shadow forecaster's; G₀, what it is when all is well; and what it is held
        /// against: G₀, kept from falling too low, and raised after a roll-back. The last is nil while G does not count.
        public var skillRatio: Double?
        public var skillReference: Double?
        public var skillLimit: Double?
        /// F: the same over a day, against the best of the shadow's inputs.
        public var fastRatio: Double?
        public var fastReference: Double?
        public var fastLimit: Double?
        /// What a loss by F counts for: the error term is the greater of G / limit − 1 and this times (F / limit − 1).
        public var fastGain: Double
        /// Mean over metrics, and largest.
        public var distributionShift: Double
        public var featureDrift: Double
        public var anomalyRate: Double

        public init(
            skillRatio: Double? = nil, skillReference: Double? = nil, skillLimit: Double? = nil,
            fastRatio: Double? = nil, fastReference: Double? = nil, fastLimit: Double? = nil, fastGain: Double = 0,
            distributionShift: Double = 0, featureDrift: Double = 0, anomalyRate: Double = 0
        ) {
            self.skillRatio = skillRatio
            self.skillReference = skillReference
            self.skillLimit = skillLimit
            self.fastRatio = fastRatio
            self.fastReference = fastReference
            self.fastLimit = fastLimit
            self.fastGain = fastGain
            self.distributionShift = distributionShift
            self.featureDrift = featureDrift
            self.anomalyRate = anomalyRate
        }
    }

    /// Error over the pairs in the windows, by every measure; nil where it is not defined.
    public struct ErrorMeasures: Sendable, Equatable {
        public var measure: DriftConfiguration.ErrorMeasure
        public var mape: Double?
        public var wape: Double?
        public var smape: Double?
        public var mase: Double?
        /// Pairs that MAPE left out since the actual was at or below 0.
        public var skippedPairs: Int

        public init(
            measure: DriftConfiguration.ErrorMeasure = .mape, mape: Double? = nil, wape: Double? = nil,
            smape: Double? = nil, mase: Double? = nil, skippedPairs: Int = 0
        ) {
            self.measure = measure
            self.mape = mape
            self.wape = wape
            self.smape = smape
            self.mase = mase
            self.skippedPairs = skippedPairs
        }

        public var selected: Double? {
            switch measure {
            case .mape: mape
            case .wape: wape
            case .smape: smape
            case .mase: mase
            }
        }
    }
}

/// How far one metric of a model has moved.
public struct MetricDrift: Sendable, Equatable {
    public var metric: String
    /// Two-sample Kolmogorov–Smirnov statistic of window against baseline, and its p-value; nil without a baseline.
    public var statistic: Double?
    public var pValue: Double?
    /// After Benjamini–Hochberg over the model's metrics at 0.05.
    public var isDrifted: Bool
    /// |mean − baseline mean| / baseline standard deviation, capped.
    public var meanShift: Double?
    /// The same two about the hours of the week: what the calibrated terms go by where the metric follows them. Else nil.
    public var seasonalStatistic: Double?
    public var seasonalMeanShift: Double?
    /// What windows of the baseline itself reach: the floors of both. Nil with `scoring: plain`.
    public var statisticFloor: Double?
    public var meanShiftFloor: Double?
    /// Mean error by the selected measure.
    public var error: Double?
    public var samples: Int

    public init(
        metric: String, statistic: Double? = nil, pValue: Double? = nil, isDrifted: Bool = false,
        meanShift: Double? = nil, statisticFloor: Double? = nil, meanShiftFloor: Double? = nil, error: Double? = nil,
        samples: Int = 0
    ) {
        self.metric = metric
        self.statistic = statistic
        self.pValue = pValue
        self.isDrifted = isDrifted
        self.meanShift = meanShift
        self.statisticFloor = statisticFloor
        self.meanShiftFloor = meanShiftFloor
        self.error = error
        self.samples = samples
    }
}
