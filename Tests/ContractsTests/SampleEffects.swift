@testable import Retraining

/// Effects in which every field is filled, and ones in which every optional field is not.
enum SampleEffects {
    static let requestID = "rt-4t5qk7bw3ge2uxj6mzc7n2yfrl"
    static let time: Milliseconds = 1_729_180_800_000

    static let signal = DriftSignal(
        score: 0.1375, scoring: .calibrated, weightedScore: 0.1375, weights: .init(),
        recommendation: .retrain, confidence: 0.9166666666666666,
        terms: .init(predictionError: 0.25, distributionShift: 0.1, featureDrift: 0.0375, anomalyRate: 0),
        plain: .init(predictionError: 0.21, distributionShift: 0.18, featureDrift: 0.3, anomalyRate: 0.001),
        plainScore: 0.1981,
        floors: .init(
            skillRatio: 1.375, skillReference: 1.1, skillLimit: 1.1, fastRatio: 1.5, fastReference: 2, fastLimit: 2,
            fastGain: 0.2, distributionShift: 0.08, featureDrift: 0.2, anomalyRate: 0.001),
        errors: .init(measure: .mape, mape: 0.21, wape: 0.19, smape: 0.2, mase: 1.4, skippedPairs: 3),
        metrics: [
            MetricDrift(
                metric: "cpu_user_pct", statistic: 0.18, pValue: 1.5e-7, isDrifted: true, meanShift: 0.3,
                statisticFloor: 0.08,
                meanShiftFloor: 0.2, error: 0.21, samples: 1000),
            MetricDrift(metric: "mem_used_pct", samples: 12),
        ],
        pairs: 860, actuals: 2000, predictions: 2000, aboveSince: time - 7 * .hour)

    static let decision = Decision(
        model: "tft-prod", modelVersion: "2025-10-17", evaluatedAt: time, outcome: .trigger, reason: .driftQuiet,
        text: "Drift for 7 h, and the load is quiet: training requested.", confidence: 0.9166666666666666,
        priority: .normal, waitUntil: nil, requestID: requestID,
        checks: [
            Check(.trainingInProgress, .pass, value: 0, limit: 0, unit: "requests"),
            Check(.minimumInterval, .pass, value: 100, limit: 6, unit: "hours"),
            Check(.driftQuiet, .trigger, value: 0.21, limit: 0.3, unit: "load score"),
            Check(.slaBreach, .unknown),
        ],
        signal: signal,
        load: LoadEvidence(
            score: 0.21, form: .cpuAndRate, meanCPUPercent: 20.5, ratePerSecond: 12, rateP95: 55, machines: 40,
            isQuiet: true, incident: false, blackout: nil,
            nextWindow: QuietWindow(from: time, to: time + 2 * .hour, expectedLoad: 0.2),
            plannedWindow: QuietWindow(from: time, to: time + 3 * .hour / 2), hourScore: 0.21, lowLimit: 0.24,
            highLimit: 0.5,
            profileHours: 720),
        history: HistoryEvidence(
            lastTraining: time - 100 * .hour, isAssumed: false, trainingsInWeek: 1, openRequestID: nil,
            baselineVersion: 3),
        cut: Cut(
            positions: [
                .init(topic: "predictions", partition: 10, nextOffset: 7),
                .init(topic: "actuals", partition: 0, nextOffset: 9),
                .init(topic: "predictions", partition: 2, nextOffset: 5),
            ], wallClock: time + 250, configuration: "9f3c0a1b5d7e2468"))

    static let bareDecision = Decision(
        model: "a \"b\"", modelVersion: nil, evaluatedAt: time, outcome: .hold, reason: .noBaseline,
        text: "No baseline yet.",
        confidence: 0, priority: .normal, waitUntil: time + .hour, requestID: nil, checks: [], signal: nil,
        load: LoadEvidence(
            score: nil, form: .none, meanCPUPercent: nil, ratePerSecond: nil, rateP95: nil, machines: 0, isQuiet: false,
            incident: false, blackout: nil, nextWindow: nil, plannedWindow: nil, profileHours: 0),
        history: HistoryEvidence(), cut: Cut())

    static let request = TrainingRequest(
        requestID: requestID, attempt: 2, model: "tft-prod", modelVersion: "2025-10-17", requestedAt: time,
        mode: "incremental", epochs: 1, trainingFrom: time - 30 * .day, trainingTo: time,
        offsets: [
            .init(topic: "predictions", partition: 10, from: 5, to: 50),
            .init(topic: "actuals", partition: 0, from: 0, to: 9),
            .init(topic: "predictions", partition: 2, from: 0, to: 40),
        ],
        offsetsComplete: true, keepShadow: 48 * .hour, driftOnset: time - 50 * .hour, reason: .driftQuiet,
        text: "Drift for 7 h, and the load is quiet.", priority: .normal, confidence: 0.9166666666666666,
        signal: signal,
        decisionID: decision.id, deadline: time + .day, replyTopic: "training-status")

    static let bareRequest = TrainingRequest(
        requestID: "rt-a", attempt: 1, model: "m", modelVersion: nil, requestedAt: time, mode: "incremental", epochs: 1,
        trainingFrom: time - .day, trainingTo: time, offsets: [], offsetsComplete: false, keepShadow: .hour / 2,
        driftOnset: nil, reason: .manual, text: "Asked for by ada.", priority: .high, confidence: 1, signal: nil,
        decisionID: "m@1", deadline: time + .day, replyTopic: "training-status")

    static let alert = Alert(
        kind: .slaBreach, severity: .critical, model: "tft-prod", requestID: requestID, at: time,
        text: "Accuracy 79 % is below the agreed 88 %.")

    static let bareAlert = Alert(
        kind: .deadLettersRising, severity: .warning, state: .resolved, at: time, text: "No more dead letters.")

    static let verdict = Verdict(
        model: "tft-prod", requestID: requestID, newVersion: "2025-10-18", oldVersion: "2025-10-17", outcome: .improved,
        ratio: 0.875, againstShadowForecaster: false, pairs: 1200, at: time, recommendsRollback: false,
        text: "The new version's error is 12 % below the old one's.")

    static let bareVerdict = Verdict(
        model: "tft-prod", requestID: nil, newVersion: "v2", oldVersion: nil, outcome: .regressed, ratio: 1.25,
        againstShadowForecaster: true, pairs: 300, at: time, recommendsRollback: true, text: "Roll back.")

    static let supersededVerdict = Verdict(
        model: "tft-prod", requestID: requestID, newVersion: "2025-10-18", oldVersion: "2025-10-17",
        outcome: .superseded, ratio: nil, againstShadowForecaster: false, pairs: 0, at: time, recommendsRollback: false,
        text: "Version 2025-10-19 took the place of 2025-10-18 before its trial was over.")

    static let all: [(name: String, effect: Effect)] = [
        ("decision", .decision(decision)), ("decision-hold", .decision(bareDecision)), ("request", .request(request)),
        ("request-bare", .request(bareRequest)), ("alert", .alert(alert)), ("alert-resolved", .alert(bareAlert)),
        ("verdict", .verdict(verdict)), ("verdict-regressed", .verdict(bareVerdict)),
        ("verdict-superseded", .verdict(supersededVerdict)),
    ]
}
