import Contracts
import Foundation
import Retraining

/// Posts alerts to an Alertmanager by its API v2.
///
/// Alertmanager ends an alert that is not repeated by `endsAt`; driftgate repeats one after `repeatInterval`, so it is
/// said to end after two of them. What is told once, such as a training that was requested, ends after an hour.
struct AlertmanagerChannel: NotificationChannel {
    let name = "alertmanager"
    let batchMax = 100
    var url: String
    var applicationID: String
    var repeatInterval: Milliseconds
    var now: @Sendable () -> Milliseconds = { Milliseconds(Date().timeIntervalSince1970 * 1000) }

    private struct Posted: Encodable {
        var labels: [String: String]
        var annotations: [String: String]
        var startsAt: String?
        var endsAt: String?
    }

    func request(_ alerts: [Alert]) -> CurlRequest {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts only: nothing here can fail to encode.
        let body = (try? encoder.encode(alerts.flatMap(posted))) ?? Data("[]".utf8)
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        return CurlRequest(
            url: base + "/api/v2/alerts", body: Array(body), headers: ["Content-Type: application/json", "Expect:"])
    }

    func deliver(_ alerts: [Alert]) throws(DeliveryFailure) { try request(alerts).send() }

    private func posted(_ alert: Alert) -> [Posted] {
        let now = now()
        // An alert is known by its labels, and the one that ends says no more how severe it was.
        let severities: [Alert.Severity] = alert.state == .resolved ? [.warning, .critical] : [alert.severity]
        let end =
            alert.state == .resolved ? now : now + (alert.kind.isCondition ? 2 * repeatInterval : Milliseconds.hour)
        return severities.map { severity in
            var labels = [
                "alertname": Self.name(of: alert.kind), "severity": severity.rawValue, "application": applicationID,
                "job": "driftgate",
            ]
            labels["model"] = alert.model
            if !alert.kind.isCondition { labels["request_id"] = alert.requestID }
            return Posted(
                labels: labels, annotations: ["summary": alert.text, "alert_id": alert.id],
                startsAt: alert.state == .raised ? Timestamp.text(min(alert.at, now)) : nil,
                endsAt: Timestamp.text(end))
        }
    }

    /// `sla_breach` as `DriftgateSlaBreach`.
    static func name(of kind: Alert.Kind) -> String {
        "Driftgate" + kind.rawValue.split(separator: "_").map(\.capitalized).joined()
    }
}
