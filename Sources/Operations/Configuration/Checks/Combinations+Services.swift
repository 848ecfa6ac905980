import Retraining
import Worker

extension Combinations {
    static func topics(_ configuration: Configuration) -> [Conflict] {
        var conflicts: [Conflict] = []
        var settings: [String: String] = [:]
        // Kafka makes one metric name of topics that differ in "." and "_" only, and warns of it.
        for (setting, topic) in configuration.topics.all {
            let same = String(topic.map { $0 == "." ? "_" : $0 })
            if let other = settings[same] {
                conflicts.append(
                    Conflict(
                        keys: ["topics.\(setting)", "topics.\(other)"],
                        message: "topics.\(setting) and topics.\(other) are the same topic, \(JSONText.quoted(topic))",
                        hint: "every kind of record needs a topic of its own"))
            } else {
                settings[same] = setting
            }
        }
        return conflicts
    }

    static func kafka(_ configuration: Configuration) -> [Conflict] {
        tls(configuration.kafka.tls) + sasl(configuration.kafka.sasl)
    }

    private static func tls(_ tls: KafkaSettings.TLS) -> [Conflict] {
        var conflicts: [Conflict] = []
        let files = [
            ("ca_file", tls.caFile), ("certificate_file", tls.certificateFile), ("key_file", tls.keyFile),
            ("key_password_file", tls.keyPasswordFile),
        ]
        if !tls.enabled, let (name, _) = files.first(where: { $0.1 != nil }) {
            conflicts.append(
                Conflict(
                    keys: ["kafka.tls.\(name)", "kafka.tls.enabled"],
                    message: "kafka.tls.\(name) is set but kafka.tls.enabled is false",
                    hint: "the connection would not be encrypted: set kafka.tls.enabled to true, or remove the file"))
        }
        if (tls.certificateFile == nil) != (tls.keyFile == nil) {
            conflicts.append(
                Conflict(
                    keys: ["kafka.tls.certificate_file", "kafka.tls.key_file"],
                    message: "kafka.tls.certificate_file and kafka.tls.key_file need each other",
                    hint: "set both for mutual TLS, or neither"))
        }
        return conflicts
    }

    private static func sasl(_ sasl: KafkaSettings.SASL) -> [Conflict] {
        let given = [("username", sasl.username), ("password_file", sasl.passwordFile)]
        if sasl.mechanism == nil, let (name, _) = given.first(where: { $0.1 != nil }) {
            return [
                Conflict(
                    keys: ["kafka.sasl.\(name)", "kafka.sasl.mechanism"],
                    message: "kafka.sasl.\(name) is set but kafka.sasl.mechanism is not",
                    hint: "name the mechanism, such as SCRAM-SHA-512")
            ]
        }
        guard let mechanism = sasl.mechanism else { return [] }
        return given.filter { $0.1 == nil }.map { name, _ in
            Conflict(
                keys: ["kafka.sasl.mechanism", "kafka.sasl.\(name)"],
                message: "kafka.sasl.mechanism \(mechanism.rawValue) needs kafka.sasl.\(name)")
        }
    }

    static func quiet(_ configuration: Configuration) -> [Conflict] {
        let (quiet, settings) = (configuration.engine.quiet, configuration.calendar)
        var conflicts: [Conflict] = []
        if quiet.fallbackHours.isEmpty {
            conflicts.append(
                Conflict(
                    keys: ["quiet.fallback_hours"], message: "quiet.fallback_hours must run forwards within a day",
                    hint: "such as [2, 5]: from two to five in the morning; midnight as an end is 24"))
        } else if Milliseconds(quiet.fallbackHours.count) * .hour < quiet.minimumDuration {
            conflicts.append(
                Conflict(
                    keys: ["quiet.fallback_hours", "min_quiet_duration_hours"],
                    message: "quiet.fallback_hours are shorter than min_quiet_duration_hours",
                    hint: "without load history no training could start"))
        }
        if quiet.rule == .adaptive, quiet.minimumDuration > quiet.deadline {
            conflicts.append(
                Conflict(
                    keys: ["min_quiet_duration_hours", "quiet.deadline_hours"],
                    message: "min_quiet_duration_hours is longer than quiet.deadline_hours",
                    hint: "no window could be found before the deadline"))
        }
        guard !settings.blackouts.isEmpty else { return conflicts }
        let calendar = settings.localCalendar()
        for (index, blackout) in settings.engineBlackouts(in: calendar).enumerated() where blackout.from >= blackout.to
        {
            conflicts.append(
                Conflict(
                    keys: ["quiet.blackouts"],
                    message: "entry \(index + 1) of quiet.blackouts (\(blackout.name)) ends before it begins",
                    hint: "\"to\" is not included: for a whole day give the next one"))
        }
        return conflicts
    }

    static func services(_ configuration: Configuration) -> [Conflict] {
        let (http, delivery) = (configuration.http, configuration.delivery)
        var conflicts: [Conflict] = []
        if let address = http.address.flatMap({ HostAndPort($0) }), !address.isLoopback, http.tokenFile == nil {
            conflicts.append(
                Conflict(
                    keys: ["http.address"],
                    message: "http.address \(http.address!) is open to the network without a token",
                    hint: "set http.token_file, or listen on 127.0.0.1 behind a proxy that encrypts"))
        }
        for (key, file) in [("token", delivery.webhookTokenFile), ("secret", delivery.webhookSecretFile)]
        where file != nil && delivery.webhookURL == nil {
            conflicts.append(
                Conflict(
                    keys: ["alerts.webhook_\(key)_file"],
                    message: "alerts.webhook_\(key)_file is set but alerts.webhook_url is not"))
        }
        if delivery.smtpURL != AlertDelivery().smtpURL, delivery.smtpURL != nil, delivery.email == nil {
            conflicts.append(
                Conflict(
                    keys: ["alerts.smtp_url"], message: "alerts.smtp_url is set but alert_email is not",
                    hint: "name the address that alerts go to"))
        }
        if (delivery.smtpUsername == nil) != (delivery.smtpPasswordFile == nil) {
            conflicts.append(
                Conflict(
                    keys: ["alerts.smtp_username", "alerts.smtp_password_file"],
                    message: "alerts.smtp_username and alerts.smtp_password_file need each other", hint: "set both"))
        }
        return conflicts
    }
}
