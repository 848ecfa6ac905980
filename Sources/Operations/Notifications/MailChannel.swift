import Foundation
import Retraining

/// Mails alerts to one address; those that wait together go in one mail.
struct MailChannel: NotificationChannel {
    let name = "mail"
    let batchMax = 50
    /// `smtp://host:port`, encrypted where the server offers it (always where a user is named and the server is not on
    /// this machine), or `smtps://host:port`.
    var url: String
    var from: String
    var to: String
    var username: String?
    var password: String?
    var applicationID: String
    var now: @Sendable () -> Date = { Date() }

    func request(_ alerts: [Alert]) -> CurlRequest {
        let host = url.components(separatedBy: "://").last.flatMap { HostAndPort($0) }
        return CurlRequest(
            url: url, body: Array(message(alerts).utf8),
            mail: .init(
                from: from, to: to, username: username, password: password,
                requiresEncryption: username != nil && host?.isLoopback != true),
            timeoutMilliseconds: 30_000)
    }

    func deliver(_ alerts: [Alert]) throws(DeliveryFailure) { try request(alerts).send() }

    /// RFC 5322. The text is Base64: names come from Kafka, and nothing in it can end a line or a mail.
    func message(_ alerts: [Alert]) -> String {
        let text = alerts.map(Self.paragraph).joined(separator: "\r\n")
        let lines = [
            "From: driftgate <\(from)>", "To: <\(to)>", "Subject: \(Self.encodedWord(subject(alerts)))",
            "Date: \(Self.date(now()))", "Message-ID: <\(UUID().uuidString)@driftgate>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "",
            Data(text.utf8).base64EncodedString(options: [
                .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
            ]),
        ]
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    private func subject(_ alerts: [Alert]) -> String {
        guard alerts.count == 1, let alert = alerts.first else {
            let worst = alerts.contains { $0.severity == .critical && $0.state == .raised } ? "critical: " : ""
            return "[\(applicationID)] \(worst)\(alerts.count) alerts"
        }
        let state = alert.state == .resolved ? "resolved" : alert.severity.rawValue
        return "[\(applicationID)] \(state): \(alert.kind.rawValue)" + (alert.model.map { " of \($0)" } ?? "")
    }

    private static func paragraph(_ alert: Alert) -> String {
        let state = alert.state == .resolved ? "resolved" : alert.severity.rawValue
        var lines = ["\(state): \(alert.kind.rawValue)", alert.text]
        if let model = alert.model { lines.append("model: \(model)") }
        if let request = alert.requestID { lines.append("request: \(request)") }
        lines.append("at: \(ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double(alert.at) / 1000)))")
        if let model = alert.model { lines.append("more: driftgate status --model '\(model)'") }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// RFC 2047: a line of its own bytes, cut into words of at most 75 characters.
    private static func encodedWord(_ text: String) -> String {
        var words: [String] = []
        var piece = ""
        for character in text {
            if piece.utf8.count + String(character).utf8.count > 42 {
                words.append(piece)
                piece = ""
            }
            // A character of many bytes is cut nowhere; longer ones than a word do not occur in print.
            piece.append(character)
        }
        words.append(piece)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss Z"
        return formatter.string(from: date)
    }
}
