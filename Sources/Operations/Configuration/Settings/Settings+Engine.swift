import Retraining

extension Settings {
    static let drift: [Setting<Configuration>] = [
        .duration(
            "drift.error_span_hours", \.engine.drift.errorSpan, .above(0, upTo: 8_760),
            "With `window: span`, the time that an error window covers."
        ).restart(),
        .duration(
            "drift.distribution_span_days", \.engine.drift.distributionSpan, .above(0, upTo: 365),
            "With `window: span`, the time that a distribution window covers."
        ).restart(),
        .number(
            "drift.weights.prediction_error", \.engine.drift.weights.predictionError, .from(0, to: 1),
            "Weight of PER in the score."),
        .number(
            "drift.weights.distribution_shift", \.engine.drift.weights.distributionShift, .from(0, to: 1),
            "Weight of DSS in the score."),
        .number(
            "drift.weights.feature_drift", \.engine.drift.weights.featureDrift, .from(0, to: 1),
            "Weight of FDS in the score."),
        .number(
            "drift.weights.anomaly_rate", \.engine.drift.weights.anomalyRate, .from(0, to: 1),
            "Weight of AR in the score."),
        .integer(
            "drift.min_samples", \.engine.drift.minimumSamples, .atLeast(1),
            "With `scoring: plain`, pairs that the windows need before a score may trigger anything."),
        .duration(
            "drift.persistence_hours", \.engine.drift.persistence, .from(0, to: 720),
            "With `scoring: calibrated`, how long the score must stay above the critical threshold before it may trigger."
        ),
        .duration(
            "drift.severe_persistence_hours", \.engine.drift.severePersistence, .from(0, to: 720),
            "The same for a score above `safeguards.sla_breach_threshold`: drift is then severe."),
        horizonBuckets,
        .duration(
            "drift.baseline_span_days", \.engine.drift.baselineSpan, .above(0, upTo: 365),
            "Time that the first baseline covers."
        ).restart(),
        .integer(
            "drift.baseline_size", \.engine.drift.baselineSize, .from(8, to: 1_000_000),
            "Samples of one metric that a baseline keeps at most; 24 bytes each."
        ).restart(),
        .duration(
            "join.allowed_lateness_mins", \.engine.join.allowedLateness, .from(0, to: 10_080),
            "How long predictions and actuals wait for each other after the time that they are about."
        ).restart(),
        .duration(
            "join.max_horizon_days", \.engine.join.maximumHorizon, .above(0, upTo: 3_650),
            "How far after its own time a prediction may aim."
        ).restart(),
    ]

    private static let horizonBuckets = Setting<Configuration>(
        key: "drift.horizon_bucket_hours", shape: .list(of: .number(.above(0, upTo: 87_600)), count: 0...32),
        needsRestart: true,
        summary: "Upper edges of the horizon buckets of the error windows, ascending; the last bucket is open.",
        read: { .list($0.engine.drift.horizonBuckets.map { .number(Double($0) / Double(Milliseconds.hour)) }) },
        write: { value, root in
            root.engine.drift.horizonBuckets = value.list.map {
                Milliseconds(($0.number! * Double(Milliseconds.hour)).rounded())
            }
        })

    static let quiet: [Setting<Configuration>] = [
        .choice(
            "quiet.rule", \.engine.quiet.rule,
            "`absolute`: below `quiet_load_threshold`; `adaptive`: the best window of the coming hours, with a deadline."
        ),
        .text(
            "quiet.time_zone", \.calendar.timeZone, .timeZone,
            "Local time of hours, weekdays, holidays and blackouts. A name of the tz database."),
        .texts("quiet.holidays", \.calendar.holidays, .date, "Days that behave like Sundays."),
        .texts("quiet.busy_days", \.calendar.busyDays, .date, "Days on which no quiet is to be expected."),
        .flag(
            "quiet.quarter_ends", \.calendar.quarterEnds,
            "Count the last day and the last Monday-to-Friday of each quarter as busy days."),
        blackouts,
        fallbackHours,
        .duration(
            "quiet.deadline_hours", \.engine.quiet.deadline, .above(0, upTo: 720),
            "With `rule: adaptive`: after this long any hour will do that is not high, after twice as long any hour at all."
        ),
        .optionalText(
            "quiet.pool", \.engine.quiet.pool, .name, "Pool of machines whose load is asked; empty takes all together."),
    ]

    private static let fallbackHours = Setting<Configuration>(
        key: "quiet.fallback_hours", shape: .list(of: .integer(.from(0, to: 24)), count: 2...2),
        summary: "Local hours that count as quiet while there is no load history: from, to (not included).",
        read: {
            .list([
                .integer($0.engine.quiet.fallbackHours.lowerBound), .integer($0.engine.quiet.fallbackHours.upperBound),
            ])
        },
        write: { value, root in
            let (from, to) = (value.list[0].integer!, value.list[1].integer!)
            // A range that runs backwards is reported by the checks; it must not trap here.
            root.engine.quiet.fallbackHours = from..<max(from, to)
        })

    private static let blackouts = Setting<Configuration>(
        key: "quiet.blackouts",
        shape: .list(
            of: .record([
                .init(
                    key: "from", shape: .text(.localTime), isRequired: true, summary: "Start, local or with an offset."),
                .init(key: "to", shape: .text(.localTime), isRequired: true, summary: "End, not included."),
                .init(key: "name", shape: .text(.name), isRequired: true, summary: "What people call it."),
            ])),
        summary: "Times in which no training starts.",
        read: { root in
            .list(
                root.calendar.blackouts.map {
                    .map([
                        .init(key: "from", value: .text($0.from)), .init(key: "to", value: .text($0.to)),
                        .init(key: "name", value: .text($0.name)),
                    ])
                })
        },
        write: { value, root in
            root.calendar.blackouts = value.list.map {
                CalendarSettings.Blackout(from: $0["from"]!.text!, to: $0["to"]!.text!, name: $0["name"]!.text!)
            }
        })

    static let safeguards: [Setting<Configuration>] = [
        .number(
            "safeguards.sla_breach_threshold", \.engine.safeguards.breachThreshold, .above(0, upTo: 1),
            "Above this score a training may start in spite of load."),
        .duration(
            "safeguards.refresh_lead_hours", \.engine.safeguards.refreshLead, .from(0, to: 720),
            "In this last stretch before a forced refresh the quietest hour is taken."),
        .optionalDuration(
            "safeguards.max_trigger_lag_mins", \.engine.safeguards.maximumTriggerLag, .above(0, upTo: 10_080),
            "Triggers are held while the records lag the wall clock by more than this; empty never holds."),
        .duration(
            "safeguards.first_backoff_hours", \.engine.safeguards.firstBackoff, .from(0, to: 720),
            "Wait after a failed training; doubled with each further failure."),
        .duration(
            "safeguards.longest_backoff_hours", \.engine.safeguards.longestBackoff, .from(0, to: 720),
            "The longest such wait."),
        .duration(
            "safeguards.prediction_silence_hours", \.engine.safeguards.predictionSilence, .above(0, upTo: 8_760),
            "A model without predictions for this long is held."),
        .duration(
            "safeguards.actual_silence_hours", \.engine.safeguards.actualSilence, .above(0, upTo: 8_760),
            "A model with predictions but without actuals for this long is held as stalled."),
        .integer(
            "safeguards.max_open_requests", \.engine.safeguards.maximumOpenRequests, .from(1, to: 1_000_000),
            "Requests that may be open at once over all models."),
    ]

    static let training: [Setting<Configuration>] = [
        .text("training.mode", \.engine.training.mode, .name, "Said in every request."),
        .choice(
            "training.status", \.engine.training.status,
            "`topic`: trainers answer; `none`: a request counts as trained after `assumed_duration_hours`."),
        .duration(
            "training.assumed_duration_hours", \.engine.training.assumedDuration, .above(0, upTo: 720),
            "With `status: none`, how long a training takes."),
        .duration(
            "training.accept_timeout_mins", \.engine.training.acceptTimeout, .above(0, upTo: 10_080),
            "A request that nobody accepted in this time is sent again."),
        .integer(
            "training.max_attempts", \.engine.training.maximumAttempts, .from(1, to: 100),
            "How often a request is sent at most."),
        .duration(
            "training.deadline_hours", \.engine.training.deadline, .above(0, upTo: 8_760),
            "A request that did not end in this time has expired."),
        .duration(
            "training.keep_shadow_hours", \.engine.training.keepShadow, .from(0, to: 8_760),
            "For how long the trainer is asked to keep the replaced version predicting."),
        .duration(
            "training.deployment_timeout_hours", \.engine.training.deploymentTimeout, .above(0, upTo: 8_760),
            "No prediction of the new version for this long after a training: an alert."),
    ]
}
