import Retraining

/// The data of `driftgate.decision.v1`: the answer, and all evidence for it.
extension JSONWriter {
    mutating func decision(_ decision: Decision) {
        beginObject()
        field("decision_id", decision.id)
        field("model", decision.model)
        field("model_version", decision.modelVersion)
        time("evaluated_at", decision.evaluatedAt)
        field("outcome", decision.outcome.rawValue)
        reason(decision.reason, decision.text)
        field("confidence", decision.confidence)
        field("priority", decision.priority.rawValue)
        time("wait_until", decision.waitUntil)
        field("request_id", decision.requestID)
        field("accuracy", decision.signal?.accuracy)
        array("checks", decision.checks) { $0.check($1) }
        signal(decision.signal)
        load(decision.load)
        history(decision.history)
        cut(decision.cut)
        endObject()
    }

    private mutating func check(_ check: Check) {
        beginObject()
        field("check", check.reason.rawValue)
        field("answer", check.answer.rawValue)
        field("value", check.value)
        field("limit", check.limit)
        field("unit", check.unit)
        endObject()
    }

    /// Under `signal`; null where nothing could be measured.
    mutating func signal(_ signal: DriftSignal?) {
        guard let signal else {
            key("signal")
            return writeNull()
        }
        object("signal") { writer in
            writer.field("score", signal.score)
            writer.field("weighted_score", signal.weightedScore)
            writer.field("scoring", signal.scoring.rawValue)
            writer.field("recommendation", signal.recommendation.rawValue)
            writer.field("confidence", signal.confidence)
            writer.weights(signal.weights)
            writer.terms("terms", signal.terms)
            writer.field("plain_score", signal.plainScore)
            writer.terms("plain_terms", signal.plain)
            writer.floors(signal.floors)
            writer.errors(signal.errors)
            writer.array("metrics", signal.metrics) { $0.metric($1) }
            writer.field("pairs", signal.pairs)
            writer.field("actuals", signal.actuals)
            writer.field("predictions", signal.predictions)
            writer.time("above_since", signal.aboveSince)
        }
    }

    private mutating func terms(_ name: String, _ terms: DriftSignal.Terms) {
        object(name) { writer in
            writer.field("prediction_error", terms.predictionError)
            writer.field("distribution_shift", terms.distributionShift)
            writer.field("feature_drift", terms.featureDrift)
            writer.field("anomaly_rate", terms.anomalyRate)
        }
    }

    private mutating func weights(_ weights: DriftConfiguration.Weights) {
        object("weights") { writer in
            writer.field("prediction_error", weights.predictionError)
            writer.field("distribution_shift", weights.distributionShift)
            writer.field("feature_drift", weights.featureDrift)
            writer.field("anomaly_rate", weights.anomalyRate)
        }
    }

    private mutating func floors(_ floors: DriftSignal.Floors?) {
        guard let floors else {
            key("floors")
            return writeNull()
        }
        object("floors") { writer in
            writer.field("skill_ratio", floors.skillRatio)
            writer.field("skill_reference", floors.skillReference)
            writer.field("skill_limit", floors.skillLimit)
            writer.field("fast_skill_ratio", floors.fastRatio)
            writer.field("fast_skill_reference", floors.fastReference)
            writer.field("fast_skill_limit", floors.fastLimit)
            writer.field("fast_skill_gain", floors.fastGain)
            writer.field("distribution_shift", floors.distributionShift)
            writer.field("feature_drift", floors.featureDrift)
            writer.field("anomaly_rate", floors.anomalyRate)
        }
    }

    private mutating func errors(_ errors: DriftSignal.ErrorMeasures) {
        object("errors") { writer in
            writer.field("measure", errors.measure.rawValue)
            writer.field("mape", errors.mape)
            writer.field("wape", errors.wape)
            writer.field("smape", errors.smape)
            writer.field("mase", errors.mase)
            writer.field("skipped_pairs", errors.skippedPairs)
        }
    }

    private mutating func metric(_ metric: MetricDrift) {
        beginObject()
        field("metric", metric.metric)
        field("ks_statistic", metric.statistic)
        field("p_value", metric.pValue)
        field("drifted", metric.isDrifted)
        field("mean_shift", metric.meanShift)
        field("seasonal_ks_statistic", metric.seasonalStatistic)
        field("seasonal_mean_shift", metric.seasonalMeanShift)
        field("ks_floor", metric.statisticFloor)
        field("mean_shift_floor", metric.meanShiftFloor)
        field("error", metric.error)
        field("samples", metric.samples)
        endObject()
    }

    private mutating func load(_ load: LoadEvidence) {
        object("load") { writer in
            writer.field("score", load.score)
            writer.field("form", load.form.rawValue)
            writer.field("mean_cpu_pct", load.meanCPUPercent)
            writer.field("predictions_per_s", load.ratePerSecond)
            writer.field("predictions_per_s_p95", load.rateP95)
            writer.field("machines", load.machines)
            writer.field("quiet", load.isQuiet)
            writer.field("incident", load.incident)
            writer.field("blackout", load.blackout)
            writer.window("next_window", load.nextWindow)
            writer.window("planned_window", load.plannedWindow)
            writer.field("hour_score", load.hourScore)
            writer.field("low_limit", load.lowLimit)
            writer.field("high_limit", load.highLimit)
            writer.field("profile_hours", load.profileHours)
        }
    }

    private mutating func window(_ name: String, _ window: QuietWindow?) {
        guard let window else {
            key(name)
            return writeNull()
        }
        object(name) { writer in
            writer.time("from", window.from)
            writer.time("to", window.to)
            writer.field("expected_load", window.expectedLoad)
        }
    }

    private mutating func history(_ history: HistoryEvidence) {
        object("history") { writer in
            writer.time("last_training", history.lastTraining)
            writer.field("assumed", history.isAssumed)
            writer.field("trainings_in_week", history.trainingsInWeek)
            writer.field("open_request_id", history.openRequestID)
            writer.field("baseline_version", history.baselineVersion)
            writer.field("baseline_origin", history.baselineOrigin?.rawValue)
            writer.time("baseline_captured_at", history.baselineCapturedAt)
            writer.field("baseline_frozen", history.isBaselineFrozen)
        }
    }

    private mutating func cut(_ cut: Cut) {
        object("cut") { writer in
            writer.offsets("positions", cut.positions.map { ($0.topic, $0.partition, $0) }) { writer, position in
                writer.write(position.nextOffset)
            }
            writer.time("wall_clock", cut.wallClock)
            writer.field("configuration", cut.configuration)
        }
    }
}
