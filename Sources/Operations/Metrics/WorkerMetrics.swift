import Kafka
import Retraining
import Worker

/// A worker's observation as metrics. Labels are bounded: topics, partitions, models, and words of fixed sets.
enum WorkerMetrics {
    private typealias Sample = (labels: [UInt8], value: Double)

    static func write(
        _ observation: WorkerObservation, _ lag: ConsumerLag, _ topics: TopicNames, into text: inout PrometheusText
    ) {
        life(observation, &text)
        records(observation, topics, &text)
        decisions(observation, &text)
        checkpoints(observation, &text)
        text.family(
            "driftgate_consumer_lag_records", .gauge, "Records between the worker's position and the partition's end.",
            lag.lag(at: observation.positions).map { partition, records in
                (
                    PrometheusText.labels([
                        ("topic", partition.topic), ("partition", String(partition.partition)),
                    ]), Double(records)
                )
            })
        models(observation, &text)
    }

    private static func label(_ name: String, _ value: String) -> [UInt8] { PrometheusText.labels([(name, value)]) }

    private static func seconds(_ time: Milliseconds?) -> Double? { time.map { Double($0) / 1000 } }

    private static func life(_ observation: WorkerObservation, _ text: inout PrometheusText) {
        text.family(
            "driftgate_worker_phase", .gauge, "1 for the phase that the worker is in.",
            WorkerObservation.Phase.allCases.map {
                (label("phase", $0.rawValue), observation.phase == $0 ? 1 : 0)
            })
        text.family(
            "driftgate_ready", .gauge, "1 where every task of this worker is restored and at work.",
            observation.isReady ? 1 : 0)
        text.family(
            "driftgate_caught_up", .gauge, "1 where every input has been read to its end once.",
            observation.isCaughtUp ? 1 : 0)
        text.family("driftgate_tasks", .gauge, "Tasks of this worker.", Double(observation.tasks))
        text.family(
            "driftgate_observation_timestamp_seconds", .gauge,
            "When the worker last said how it is, in seconds since 1970; old where its thread hangs.",
            seconds(observation.at))
        text.family(
            "driftgate_stream_time_timestamp_seconds", .gauge,
            "Stream time of the task that is furthest behind, in seconds since 1970.", seconds(observation.streamTime))
        text.family(
            "driftgate_last_evaluation_timestamp_seconds", .gauge,
            "Boundary of the last evaluation, in stream time.", seconds(observation.lastBoundary))
        text.family(
            "driftgate_entities", .gauge, "Entities that the engine knows.",
            observation.tasks > 0 ? Double(observation.entities) : nil)
        text.family(
            "driftgate_retained_halves", .gauge, "Predictions and actuals that wait for each other.",
            observation.tasks > 0 ? Double(observation.retainedHalves) : nil)
    }

    private static func records(_ observation: WorkerObservation, _ topics: TopicNames, _ text: inout PrometheusText) {
        let counters = observation.counters
        text.family(
            "driftgate_records_total", .counter, "Records taken, by what they are.",
            [
                ("prediction", counters.predictions), ("actual", counters.actuals), ("load", counters.load),
                ("training_status", counters.statuses), ("command", counters.commands),
            ].map { (label("kind", $0.0), Double($0.1)) })
        var rejects = observation.rejects
        for role in InputRole.allCases where !rejects.keys.contains(where: { $0.role == role }) {
            rejects[.init(role: role, reason: "invalid_json")] = 0
        }
        text.family(
            "driftgate_rejects_total", .counter, "Records refused, by topic and reason.",
            rejects.sorted { ($0.key.role.rawValue, $0.key.reason) < ($1.key.role.rawValue, $1.key.reason) }.map {
                (
                    PrometheusText.labels([
                        ("topic", topics.name(of: $0.key.role)), ("reason", $0.key.reason),
                    ]), Double($0.value)
                )
            })
        text.family(
            "driftgate_pairs_total", .counter, "Predictions that met their actual.", Double(counters.pairs))
        func half(_ half: String, _ fate: String, _ count: UInt64) -> Sample {
            (PrometheusText.labels([("half", half), ("fate", fate)]), Double(count))
        }
        text.family(
            "driftgate_halves_total", .counter, "Predictions and actuals that came to no pair, by what became of them.",
            [
                half("prediction", "late", counters.latePredictions), half("actual", "late", counters.lateActuals),
                half("prediction", "duplicate", counters.duplicatePredictions),
                half("actual", "duplicate", counters.duplicateActuals),
                half("prediction", "unmatched", counters.unmatchedPredictions),
                half("actual", "unmatched", counters.unmatchedActuals),
                half("either", "evicted", counters.evictedHalves),
            ])
        text.family(
            "driftgate_unknown_requests_total", .counter,
            "Statuses and commands about a request or model that is not known.", Double(counters.unknownRequests))
        text.family(
            "driftgate_repeated_statuses_total", .counter, "Statuses that said what was known.",
            Double(counters.repeatedStatuses))
    }

    private static func decisions(_ observation: WorkerObservation, _ text: inout PrometheusText) {
        text.family(
            "driftgate_evaluations_total", .counter, "Evaluations of all models of a task.",
            Double(observation.counters.evaluations))
        text.family(
            "driftgate_decisions_total", .counter, "Decisions, by reason.",
            Reason.allCases.map { (label("reason", $0.rawValue), Double(observation.decisions[$0] ?? 0)) })
        let triggers: [Reason] = [.forcedRefresh, .driftQuiet, .slaBreach, .quietDeadline, .manual]
        text.family(
            "driftgate_requests_total", .counter, "Training requests published, by reason; each once.",
            triggers.map { (label("reason", $0.rawValue), Double(observation.requests[$0] ?? 0)) })
        text.family(
            "driftgate_resent_requests_total", .counter, "Training requests that were published again.",
            Double(observation.resentRequests))
        text.family(
            "driftgate_alerts_total", .counter, "Alerts published, by kind and state.",
            Alert.Kind.allCases.flatMap { kind in
                [Alert.State.raised, .resolved].map { state in
                    (
                        PrometheusText.labels([("kind", kind.rawValue), ("state", state.rawValue)]),
                        Double(observation.alerts[.init(kind: kind, state: state)] ?? 0)
                    )
                }
            })
        text.family(
            "driftgate_verdicts_total", .counter, "Verdicts on new versions, by outcome.",
            Verdict.Outcome.allCases.map {
                (label("outcome", $0.rawValue), Double(observation.verdicts[$0] ?? 0))
            })
    }

    private static func checkpoints(_ observation: WorkerObservation, _ text: inout PrometheusText) {
        let tally = observation.checkpoints
        text.family(
            "driftgate_checkpoints_total", .counter, "Checkpoints, by what became of them.",
            CheckpointTally.Outcome.allCases.map { (label("outcome", $0.rawValue), Double(tally.outcomes[$0] ?? 0)) })
        text.histogram(
            "driftgate_checkpoint_duration_seconds", "Time that a committed checkpoint took.",
            edges: CheckpointTally.edges.map { Double($0) / 1000 }, counts: tally.buckets,
            sum: Double(tally.duration) / 1000)
        text.family(
            "driftgate_checkpoint_bytes_total", .counter, "Bytes published by checkpoints.", Double(tally.bytes))
        text.family(
            "driftgate_last_checkpoint_timestamp_seconds", .gauge,
            "When a checkpoint was last committed, in seconds since 1970.", seconds(tally.lastCommitted))
        text.family("driftgate_restores_total", .counter, "Restores from the log.", Double(observation.restores.count))
        text.family(
            "driftgate_last_restore_duration_seconds", .gauge, "Time that the last restore took.",
            seconds(observation.restores.lastDuration))
    }

    private static func models(_ observation: WorkerObservation, _ text: inout PrometheusText) {
        let models = observation.models.flatMap { $0 }.sorted { $0.key < $1.key }.map {
            (labels: label("model", $0.key), model: $0.value)
        }
        text.family(
            "driftgate_models", .gauge, "Models that are decided about.",
            observation.tasks > 0 ? Double(models.count) : nil)
        func family(_ name: String, _ help: String, _ value: (ModelObservation) -> Double?) {
            text.family(
                name, .gauge, help, models.compactMap { entry in value(entry.model).map { (entry.labels, $0) } })
        }
        family("driftgate_drift_score", "Drift score by the configured scoring.") { $0.score }
        family("driftgate_plain_drift_score", "Drift score by the plain formula.") { $0.plainScore }
        family("driftgate_accuracy_ratio", "Accuracy: 1 less the error, 0 to 1.") { $0.accuracy }
        family("driftgate_sla_breached", "1 where accuracy is below the agreed one.") { $0.isBelowAgreement ? 1 : 0 }
        family("driftgate_load_score", "Load score of the model's machines.") { $0.load }
        family("driftgate_quiet", "1 where the load is quiet now.") { $0.isQuiet ? 1 : 0 }
        family("driftgate_training_open", "1 where a training request is open.") { $0.openRequestID == nil ? 0 : 1 }
        family("driftgate_trainings_in_week", "Trainings in the last 7 days.") { Double($0.trainingsInWeek) }
        family("driftgate_last_training_timestamp_seconds", "When the model was last trained, or first seen.") {
            seconds($0.lastTraining)
        }
        family("driftgate_paused", "1 where triggering is paused.") { $0.reason == .paused ? 1 : 0 }
    }
}

extension TopicNames {
    func name(of role: InputRole) -> String {
        switch role {
        case .predictions: predictions
        case .actuals: actuals
        case .load: load
        case .trainingStatus: trainingStatus
        case .commands: commands
        }
    }
}
