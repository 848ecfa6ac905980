import Retraining

extension Settings {
    static let kafka = needingRestart([
        .texts(
            "kafka.bootstrap_servers", \.kafka.bootstrapServers, .hostAndPort,
            "Brokers to begin with: a list, or one text with commas.", count: 1...Int.max),
        .text("kafka.client_id", \.kafka.clientID, .name, "Name in the brokers' logs and quotas."),
        .text(
            "kafka.group_id", \.kafka.groupID, .name,
            "Consumer group; with `group_instance_id` also the transactional id."),
        .optionalText(
            "kafka.group_instance_id", \.kafka.groupInstanceID, .name,
            "Static membership, different for each worker; empty is a dynamic member."),
        .duration(
            "kafka.session_timeout_secs", \.kafka.sessionTimeoutMilliseconds, .from(6, to: 1_800),
            "A worker silent for this long is replaced."),
        .flag(
            "kafka.transactions", \.kafka.transactions,
            "False only where the cluster has no transactions: outputs are then at-least-once."),
        .duration(
            "kafka.transaction_timeout_secs", \.kafka.transactionTimeoutMilliseconds, .from(1, to: 900),
            "A transaction open for longer, as after a crash, is aborted by the broker."),
        .flag("kafka.tls.enabled", \.kafka.tls.enabled, "Encrypt connections to the brokers."),
        .optionalText(
            "kafka.tls.ca_file", \.kafka.tls.caFile, .path, "Authorities to trust; empty takes the system's."),
        .optionalText(
            "kafka.tls.certificate_file", \.kafka.tls.certificateFile, .path, "Own certificate, for mutual TLS."),
        .optionalText("kafka.tls.key_file", \.kafka.tls.keyFile, .path, "Its key."),
        .optionalText(
            "kafka.tls.key_password_file", \.kafka.tls.keyPasswordFile, .path, "File with the key's password."),
        .flag(
            "kafka.tls.verify_hostname", \.kafka.tls.verifyHostname,
            "Check that a broker's certificate names the host that was asked for."),
        .optionalChoice("kafka.sasl.mechanism", \.kafka.sasl.mechanism, "Empty: no SASL."),
        .optionalText("kafka.sasl.username", \.kafka.sasl.username, .name, "User name."),
        .optionalText("kafka.sasl.password_file", \.kafka.sasl.passwordFile, .path, "File with the password."),
        additional,
    ])

    private static let additional = Setting<Configuration>(
        key: "kafka.additional",
        shape: .map(
            of: .text(propertyValue),
            keys: TextRule("librdkafka properties", check: complaint(aboutProperty:))),
        summary: "Further properties, passed to librdkafka as they stand. What would break the worker's guarantees is "
            + "refused.",
        read: { root in
            .map(
                root.kafka.additional.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .text($0.value)) })
        },
        write: { value, root in
            for entry in value.entries { root.kafka.additional[entry.key] = entry.value.text }
        })

    private static let propertyValue: TextRule = {
        var rule = TextRule("a text, number, true or false", accepts: { _ in true })
        rule.allowsTruthWords = true
        return rule
    }()

    private static func complaint(aboutProperty name: String) -> TextRule.Complaint? {
        if let setting = propertiesWithSetting[name] {
            return .init(message: "\(name) has a setting of its own", hint: "use \(setting)")
        }
        if let reason = refusedProperties[name] {
            return .init(message: "\(name) may not be set: \(reason)", hint: "remove it")
        }
        let isProperty =
            !name.isEmpty
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x5F
            }
        return isProperty
            ? nil
            : .init(
                message: "\(JSONText.quoted(name)) is no librdkafka property",
                hint: "lower-case words with dots, such as fetch.min.bytes")
    }

    /// Properties of librdkafka that one of our own settings sets.
    private static let propertiesWithSetting = [
        "bootstrap.servers": "kafka.bootstrap_servers", "metadata.broker.list": "kafka.bootstrap_servers",
        "client.id": "kafka.client_id", "group.id": "kafka.group_id", "group.instance.id": "kafka.group_instance_id",
        "session.timeout.ms": "kafka.session_timeout_secs",
        "transaction.timeout.ms": "kafka.transaction_timeout_secs",
        "security.protocol": "kafka.tls.enabled and kafka.sasl.mechanism",
        "ssl.ca.location": "kafka.tls.ca_file", "ssl.certificate.location": "kafka.tls.certificate_file",
        "ssl.key.location": "kafka.tls.key_file", "ssl.key.password": "kafka.tls.key_password_file",
        "ssl.endpoint.identification.algorithm": "kafka.tls.verify_hostname",
        "sasl.mechanism": "kafka.sasl.mechanism", "sasl.mechanisms": "kafka.sasl.mechanism",
        "sasl.username": "kafka.sasl.username", "sasl.password": "kafka.sasl.password_file",
    ]

    /// Properties that would break what the worker promises, or hold a secret, and why.
    private static let refusedProperties: [String: String] = {
        let offsets = "offsets are committed with the outputs, in one transaction"
        let secret = "secrets are read from files"
        let ordering = "the transactional producer needs its own value"
        return [
            "enable.auto.commit": offsets, "auto.commit.enable": offsets, "enable.auto.offset.store": offsets,
            "auto.commit.interval.ms": offsets, "offset.store.method": offsets, "offset.store.path": offsets,
            "isolation.level": "aborted outputs and state would be read as if they counted",
            "transactional.id": "it is made of kafka.group_id and kafka.group_instance_id, which fencing relies on",
            "auto.offset.reset": "the worker itself looks for the offset to start from",
            "partition.assignment.strategy": "tasks own the same partition number of each input",
            "group.protocol": "tasks own the same partition number of each input",
            "enable.partition.eof": "restoring state waits for the end of each partition",
            "enable.idempotence": ordering, "acks": ordering, "request.required.acks": ordering,
            "max.in.flight": ordering, "max.in.flight.requests.per.connection": ordering,
            "enable.gapless.guarantee": ordering,
            "test.mock.num.brokers": "it replaces the cluster by one in memory",
            "plugin.library.paths": "it loads code into the worker",
            "ssl.keystore.password": secret, "ssl.key.pem": secret, "sasl.oauthbearer.client.secret": secret,
            "sasl.oauthbearer.config": secret,
        ]
    }()
}
