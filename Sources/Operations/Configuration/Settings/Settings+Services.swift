import Retraining

extension Settings {
    static let topics = needingRestart([
        .text("topics.predictions", \.topics.predictions, .topic, "In: what models predict."),
        .text("topics.actuals", \.topics.actuals, .topic, "In: what really happened."),
        .text("topics.load", \.topics.load, .topic, "In: how busy the machines are."),
        .text("topics.training_status", \.topics.trainingStatus, .topic, "In: what trainers say about requests."),
        .text("topics.commands", \.topics.commands, .topic, "In and out: what operators ask for."),
        .text("topics.decisions", \.topics.decisions, .topic, "Out: decisions and verdicts."),
        .text("topics.requests", \.topics.requests, .topic, "Out: training requests."),
        .text("topics.alerts", \.topics.alerts, .topic, "Out: alerts."),
        .text("topics.dead_letters", \.topics.deadLetters, .topic, "Out: records that could not be read."),
        .text("topics.state", \.topics.state, .topic, "In and out: the worker's own state; compacted."),
    ])

    static let contracts: [Setting<Configuration>] = [
        fieldMap(
            "contracts.predictions", \.contracts.predictions,
            ["model", "model_version", "entity", "at", "issued_at", "shadow", "values"]),
        fieldMap("contracts.actuals", \.contracts.actuals, ["model", "entity", "at", "values"]),
        fieldMap(
            "contracts.load", \.contracts.load,
            ["pool", "entity", "at", "cpu_pct", "predictions_per_s", "incident"]),
        fieldMap(
            "contracts.training_status", \.contracts.trainingStatus,
            ["request_id", "status", "at", "run_id", "url", "model_version", "metrics", "progress", "errors"]),
    ]

    private static func fieldMap(
        _ key: String, _ path: any SendableKeyPath<Configuration, [String: String]>, _ names: [String]
    ) -> Setting<Configuration> {
        Setting(
            key: key,
            shape: .record(names.map { .init(key: $0, shape: .text(.jsonPointer), summary: "Where `\($0)` is.") }),
            needsRestart: true, summary: "Where the fields of this input are.",
            read: { root in
                .map(root[keyPath: path].sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .text($0.value)) })
            },
            write: { value, root in
                for entry in value.entries { root[keyPath: path][entry.key] = entry.value.text }
            })
    }

    static let limits = needingRestart([
        .integer(
            "limits.record_bytes", \.input.maximumRecordBytes, .from(1_024, to: 67_108_864),
            "A larger record is invalid."),
        .number(
            "limits.reject_share", \.input.rejectShareLimit, .from(0, to: 1),
            "Where more of an input's last 1000 to 2000 records are invalid, the worker alerts."),
        .number(
            "limits.reject_share_stop", \.input.rejectShareStop, .from(0, to: 1),
            "Where more of them are invalid, the worker stops and says why; 1 never stops."),
        .duration(
            "limits.far_future_mins", \.input.farFuture, .from(0, to: 525_600),
            "A record timestamp further past the wall clock is invalid."),
        .integer("limits.models", \.engine.limits.models, .from(1, to: 10_000_000), "Models."),
        .integer(
            "limits.metrics_per_model", \.engine.limits.metricsPerModel, .from(1, to: 65_536), "Metrics of one model."),
        .integer("limits.entities", \.engine.limits.entities, .from(1, to: 100_000_000), "Entities."),
        .integer(
            "limits.retained_halves", \.engine.limits.retainedHalves, .from(1, to: 1_000_000_000),
            "Predictions and actuals that wait for each other, over all models."),
        .integer(
            "limits.name_bytes", \.engine.limits.nameBytes, .from(1, to: 4_096),
            "Length of a model's, entity's or metric's name in UTF-8."),
        .duration(
            "limits.silence_days", \.engine.limits.silence, .from(1, to: 3_650),
            "Models and entities silent for this long are forgotten."),
    ])

    static let worker: [Setting<Configuration>] = [
        .duration(
            "worker.checkpoint_interval_ms", \.worker.checkpointInterval, .from(10, to: 600_000),
            "Outputs, state and offsets are committed together this often, and at once when a decision was made."
        )
        .restart(),
        .duration(
            "worker.snapshot_interval_mins", \.worker.snapshotInterval, .from(0, to: 10_080),
            "How often, in stream time, a snapshot of the state is written. A restore reads that much input again."
        ).restart(),
        .duration(
            "worker.first_start_lookback_days", \.worker.firstStartLookback, .from(0, to: 3_650),
            "How far back the first start reads; later ones restore the state."
        ).restart(),
        .texts(
            "worker.warm_from", \.worker.warmFrom, .path,
            "Files and directories of history, as `driftgate replay` takes them, that a first start begins with; later ones "
                + "restore the state and read none of them."
        ).restart(),
        .duration(
            "worker.shutdown_deadline_secs", \.worker.shutdownDeadline, .from(1, to: 3_600),
            "A clean stop that takes longer is cut short."),
        .integer(
            "worker.log_file_bytes", \.output.logFileBytes, .from(1_024, to: 1_099_511_627_776),
            "A larger file of the decision log is rotated before its day is over."
        ).restart(),
    ]

    static let http = needingRestart([
        .optionalText(
            "http.address", \.http.address, .hostAndPort,
            "Where to listen; empty serves nothing. Anything but loopback needs a token; for TLS put a proxy before it."
        ),
        .optionalText(
            "http.token_file", \.http.tokenFile, .path, "File with the bearer token; without one only GET is served."),
    ])

    static let alerts: [Setting<Configuration>] = [
        .duration(
            "alerts.repeat_interval_hours", \.engine.alerts.repeatInterval, .above(0, upTo: 8_760),
            "An alert that goes on is said again after this long."),
        .optionalText("alerts.webhook_url", \.delivery.webhookURL, .url, "Gets each alert by POST."),
        .optionalText(
            "alerts.webhook_token_file", \.delivery.webhookTokenFile, .path, "File with the webhook's bearer token."),
        .optionalText(
            "alerts.webhook_secret_file", \.delivery.webhookSecretFile, .path,
            "File with the secret that `Driftgate-Signature` is made by (HMAC-SHA256)."),
        .optionalText(
            "alerts.alertmanager_url", \.delivery.alertmanagerURL, .url, "Base address of an Alertmanager."),
        .optionalText("alerts.smtp_url", \.delivery.smtpURL, .smtpURL, "Mail server for `alert_email`."),
        .text("alerts.smtp_from", \.delivery.smtpFrom, .email, "Sender of mails."),
        .optionalText("alerts.smtp_username", \.delivery.smtpUsername, .name, "User at the mail server."),
        .optionalText(
            "alerts.smtp_password_file", \.delivery.smtpPasswordFile, .path, "File with that user's password."),
        .integer(
            "alerts.max_per_minute", \.delivery.maximumPerMinute, .from(1, to: 6_000),
            "Deliveries a minute and channel; what is more waits, and a later alert about the same takes its place."),
    ]
}
