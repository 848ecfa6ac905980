public import Retraining
import Glibc
import Synchronization

/// Tells people about alerts, beside their topic: by webhook, Alertmanager and mail.
///
/// `put` never blocks: each channel has a bounded queue and a thread of its own. An alert that is published again, as
/// after a restore, is told once: its id is the same.
///
/// ```swift
/// let notifications = Notifications { logger.warning("\($0)") }
/// try notifications.use(configuration)
/// worker.listeners.onAlert = notifications.put
/// ```
public final class Notifications: Sendable {
    private struct State {
        var couriers: [Courier] = []
        /// What couriers that are no more had counted, by channel.
        var past: [String: [Courier.Outcome: UInt64]] = [:]
        var known: Set<String> = []
        var order: [String] = []
        var duplicates: UInt64 = 0
    }

    /// Ids that are remembered.
    private static let knownMax = 4_096

    private let state = Mutex(State())
    private let report: @Sendable (String) -> Void

    /// - Parameter report: told what could not be delivered, in words; from any thread.
    public init(report: @escaping @Sendable (String) -> Void) { self.report = report }

    deinit { for courier in state.withLock({ $0.couriers }) { courier.startClosing() } }

    /// Begins to deliver as the configuration says; what waited for the channels before is tried once more.
    ///
    /// - Throws: where a secret cannot be read; then nothing has changed.
    public func use(_ configuration: Configuration) throws(SecretError) {
        let delivery = configuration.delivery
        var pace = Courier.Pace()
        pace.perMinute = delivery.maximumPerMinute
        use(try delivery.channels(configuration), pace)
    }

    func use(_ channels: [any NotificationChannel], _ pace: Courier.Pace) {
        let couriers = channels.map { Courier($0, pace, report: report) }
        let gone = state.withLock { state in
            defer { state.couriers = couriers }
            for courier in state.couriers {
                state.past[courier.channel.name, default: [:]].merge(courier.counts.outcomes, uniquingKeysWith: +)
            }
            return state.couriers
        }
        for courier in gone { courier.startClosing() }
    }

    /// Hands an alert to every channel.
    public func put(_ alert: Alert) {
        let couriers: [Courier] = state.withLock { state in
            guard state.known.insert(alert.id).inserted else {
                state.duplicates += 1
                return []
            }
            state.order.append(alert.id)
            if state.order.count > Self.knownMax { state.known.remove(state.order.removeFirst()) }
            return state.couriers
        }
        for courier in couriers { courier.put(alert) }
    }

    /// Tries once more what waits, within so many seconds.
    public func close(within seconds: Double) {
        let couriers = state.withLock { $0.couriers }
        for courier in couriers { courier.startClosing() }
        for courier in couriers { courier.close(within: seconds / Double(couriers.count)) }
    }

    /// For ``MetricsPage/add(_:)``.
    public func write(into text: inout PrometheusText) {
        let (couriers, past, duplicates) = state.withLock { ($0.couriers, $0.past, $0.duplicates) }
        guard !couriers.isEmpty else { return }
        let counted = couriers.map { ($0.channel.name, $0.counts) }
        text.family(
            "driftgate_notifications_total", .counter, "Notifications, by channel and what became of them.",
            counted.flatMap { name, counts in
                Courier.Outcome.allCases.map { outcome in
                    (
                        PrometheusText.labels([("channel", name), ("outcome", outcome.rawValue)]),
                        Double((counts.outcomes[outcome] ?? 0) + (past[name]?[outcome] ?? 0))
                    )
                }
            })
        text.family(
            "driftgate_notification_retries_total", .counter, "Deliveries that were tried again.",
            counted.map { (PrometheusText.labels([("channel", $0.0)]), Double($0.1.retries)) })
        text.family(
            "driftgate_notification_queue_length", .gauge, "Notifications that wait.",
            counted.map { (PrometheusText.labels([("channel", $0.0)]), Double($0.1.waiting)) })
        text.family(
            "driftgate_repeated_alerts_total", .counter, "Alerts that were published again and told once.",
            Double(duplicates))
    }
}

extension AlertDelivery {
    /// The channels that are configured. Reads their secrets.
    func channels(_ configuration: Configuration) throws(SecretError) -> [any NotificationChannel] {
        let applicationID = configuration.engine.applicationID
        var channels: [any NotificationChannel] = []
        if let webhookURL {
            var channel = WebhookChannel(url: webhookURL, applicationID: applicationID)
            if let file = webhookTokenFile { channel.token = try Secret.read(file: file) }
            if let file = webhookSecretFile { channel.secret = try Secret.read(file: file) }
            channels.append(channel)
        }
        if let alertmanagerURL {
            channels.append(
                AlertmanagerChannel(
                    url: alertmanagerURL, applicationID: applicationID,
                    repeatInterval: configuration.engine.alerts.repeatInterval))
        }
        if let smtpURL, let email {
            var channel = MailChannel(url: smtpURL, from: smtpFrom, to: email, applicationID: applicationID)
            channel.username = smtpUsername
            if let file = smtpPasswordFile { channel.password = try Secret.read(file: file) }
            channels.append(channel)
        }
        return channels
    }
}

extension Notifications {
    /// Sends one test alert by every channel, at once and without a second attempt.
    public static func test(_ configuration: Configuration) -> [DoctorFinding] {
        let channels: [any NotificationChannel]
        do throws(SecretError) { channels = try configuration.delivery.channels(configuration) } catch {
            return [DoctorFinding(.error, "notifications", "\(error)")]
        }
        guard !channels.isEmpty else {
            return [
                DoctorFinding(
                    .warning, "notifications", "no channel is configured: alerts go to their topic only",
                    remedy: "set alerts.webhook_url, alerts.alertmanager_url or alert_email")
            ]
        }
        let alert = Alert(
            kind: .trainingTriggered, severity: .info, at: Milliseconds(time(nil)) * 1000,
            text: "A test by `driftgate doctor --notify`. Nothing is wrong, and nothing was requested.")
        return channels.map { channel in
            do throws(DeliveryFailure) {
                try channel.deliver([alert])
                return DoctorFinding(.good, channel.name, "a test was delivered")
            } catch {
                return DoctorFinding(.error, channel.name, error.message)
            }
        }
    }
}
