import Contracts
import Foundation
import Retraining

/// The limits that hold for one model.
struct Thresholds: Sendable {
    var warning: Double
    var critical: Double
    /// Of the error: accuracy must stay above 1 less this.
    var breach: Double
    var trainingsPerWeek: Int
    var maximumAge: Milliseconds

    init(_ configuration: EngineConfiguration, model: String) {
        let own = configuration.models[model] ?? ModelOverrides()
        warning = own.warningThreshold ?? configuration.drift.warningThreshold
        critical = own.criticalThreshold ?? configuration.drift.criticalThreshold
        breach = own.breachThreshold ?? configuration.safeguards.breachThreshold
        trainingsPerWeek = own.maximumPerWeek ?? configuration.safeguards.maximumPerWeek
        maximumAge = own.maximumAge ?? configuration.safeguards.maximumAge
    }

    /// The lowest accuracy that was agreed on.
    var target: Double { 1 - breach }
}

/// A model at a glance: everything that section 8 of the source design lists, under its names.
struct ModelSummary {
    /// The last decisions of a week, counted.
    struct Week {
        var decisions = 0
        var triggered = 0
        /// The score wanted a training, and something held it.
        var skipped = 0
        /// Stretches below the agreed accuracy.
        var breaches = 0
        var scores = Mean()
        var accuracies = Mean()
    }

    struct Mean {
        private var sum = 0.0
        private var count = 0.0
        mutating func add(_ value: Float) {
            guard !value.isNaN else { return }
            sum += Double(value)
            count += 1
        }
        var value: Double? { count > 0 ? sum / count : nil }
    }

    static let sparkBins = 42

    let model: ModelHistory
    let thresholds: Thresholds
    let point: HistoryPoint?
    let openAlerts: Int
    private(set) var week = Week()
    /// The highest score of each four hours of the last week; NaN where there is none.
    private(set) var spark = [Float](repeating: .nan, count: sparkBins)

    init(_ model: ModelHistory, _ thresholds: Thresholds, openAlerts: Int) {
        self.model = model
        self.thresholds = thresholds
        self.openAlerts = openAlerts
        point = model.lastPoint
        guard let point else { return }
        let from = point.at - 7 * .day
        var wasBreached = false
        for point in model.points(from: from + 1, to: point.at) {
            week.decisions += 1
            if point.isTrigger { week.triggered += 1 }
            if point.wantsTraining, !point.isTrigger { week.skipped += 1 }
            week.scores.add(point.score)
            week.accuracies.add(point.accuracy)
            if !point.accuracy.isNaN {
                let isBreached = Double(point.accuracy) < thresholds.target
                if isBreached, !wasBreached { week.breaches += 1 }
                wasBreached = isBreached
            }
            let bin = min(Self.sparkBins - 1, Int((point.at - from - 1) * Int64(Self.sparkBins) / (7 * .day)))
            if !point.score.isNaN { spark[bin] = spark[bin].isNaN ? point.score : max(spark[bin], point.score) }
        }
    }

    var score: Double? { known(point?.score) }
    var accuracy: Double? { known(point?.accuracy) }

    private func known(_ value: Float?) -> Double? { value.flatMap { $0.isNaN ? nil : Double($0) } }

    /// A score of windows that hold too little says nothing.
    private static let blind: Set<Reason> = [.insufficientData, .noBaseline, .noPredictions, .stalledInput]

    var alertLevel: String {
        guard score != nil, let point, point.reason.map({ !Self.blind.contains($0) }) ?? true else {
            return "unknown"
        }
        return point.wantsTraining ? "critical" : point.isWarning ? "warning" : "healthy"
    }

    var isAboveTarget: Bool? { accuracy.map { $0 >= thresholds.target } }

    /// When a training is to be expected, and for what reason.
    var nextTraining: (at: Milliseconds, why: String)? {
        guard let latest = model.latest, let point else { return nil }
        if latest.history?.openRequestID != nil || point.isTrigger { return nil }
        if point.reason == .waitingForQuiet {
            if let planned = latest.load?.plannedWindow { return (planned.from, "planned_window") }
            if let next = latest.load?.nextWindow { return (next.from, "next_quiet_window") }
        }
        if let wait = latest.waitUntil, point.wantsTraining { return (wait, point.reason?.rawValue ?? "wait") }
        return latest.history?.lastTraining.map { ($0 + thresholds.maximumAge, "forced_refresh") }
    }

    func write(to writer: inout JSONWriter) {
        let latest = model.latest
        writer.field("model", model.name)
        writer.field("model_version", model.versions.last?.version)
        writer.field("decided_at_ms", point?.at)
        writer.field("received_at_ms", model.latestArrival)
        writer.field("decision_id", latest?.decisionID)
        writer.field("outcome", point.map { $0.isTrigger ? "trigger" : "hold" })
        writer.object("reason") {
            $0.field("code", latest?.reason.code ?? point?.reason?.rawValue)
            $0.field("text", latest?.reason.text)
        }
        writer.field("confidence", latest?.confidence)
        writer.field("wait_until_ms", latest?.waitUntil)
        writer.field("open_request_id", latest?.history?.openRequestID)
        writer.field("open_alerts", openAlerts)
        writer.key("current_drift_score")
        writer.write(Table.Cell.figure(score))
        writer.key("current_accuracy")
        writer.write(Table.Cell.figure(accuracy))
        writer.field("sla_status", isAboveTarget.map { $0 ? "above" : "below" } ?? "unknown")
        writer.key("sla_target")
        writer.write(Table.Cell.figure(thresholds.target))
        writer.key("buffer_above_sla")
        writer.write(Table.Cell.figure(accuracy.map { $0 - thresholds.target }))
        writer.field("last_training_at_ms", latest?.history?.lastTraining)
        writer.field("last_training_is_assumed", latest?.history?.assumed)
        writer.key("days_since_last_training")
        writer.write(
            Table.Cell.figure(
                point.flatMap { point in latest?.history?.lastTraining.map { Double(point.at - $0) / 86_400_000 } }))
        writer.field("trainings_this_week", latest?.history?.trainingsInWeek)
        writer.field("trainings_per_week_max", thresholds.trainingsPerWeek)
        writer.field("next_scheduled_training_ms", nextTraining?.at)
        writer.field("next_scheduled_training_why", nextTraining?.why)
        writer.field("current_load", figure: point?.load ?? .nan)
        writer.field("is_quiet", point.flatMap { $0.load.isNaN ? nil : $0.isQuiet })
        writer.field("alert_level", alertLevel)
        writer.object("thresholds") { writer in
            writer.field("warning", thresholds.warning)
            writer.field("critical", thresholds.critical)
            writer.field("sla_breach", thresholds.breach)
        }
        writer.object("drift_breakdown") { writer in
            writer.field("prediction_error_rate", figure: point?.predictionError ?? .nan)
            writer.field("distribution_shift", figure: point?.distributionShift ?? .nan)
            writer.field("feature_drift", figure: point?.featureDrift ?? .nan)
            writer.field("anomaly_rate", figure: point?.anomalyRate ?? .nan)
        }
        writer.object("last_7_days") { writer in
            writer.field("decisions", week.decisions)
            writer.field("trainings_triggered", week.triggered)
            writer.field("trainings_skipped", week.skipped)
            writer.key("avg_drift_score")
            writer.write(Table.Cell.figure(week.scores.value))
            writer.key("avg_accuracy")
            writer.write(Table.Cell.figure(week.accuracies.value))
            writer.field("sla_breaches", week.breaches)
        }
        writer.array("spark", spark) { $0.write(Table.Cell.figure($1)) }
    }
}
