import Contracts
import Foundation
import Retraining

/// POSTs each alert as the CloudEvent that is on the alerts topic.
///
/// With a secret, `Driftgate-Signature: t=SECONDS,v1=HEX` signs `SECONDS.BODY` by HMAC-SHA256 (RFC 2104), so that a
/// receiver can tell both who sent it and that it is not a copy of an old one.
struct WebhookChannel: NotificationChannel {
    let name = "webhook"
    let batchMax = 1
    var url: String
    var token: String?
    var secret: String?
    var applicationID: String
    var now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }

    func request(_ alert: Alert) -> CurlRequest {
        let body = EventEncoder(applicationID: applicationID).encode(alert).value
        // `Expect:` stops libcurl from asking first, which some receivers answer late or not at all.
        var headers = ["Content-Type: application/cloudevents+json; charset=UTF-8", "Expect:"]
        if let token { headers.append("Authorization: Bearer \(token)") }
        if let secret {
            let seconds = now()
            let sum = HMAC.sha256(Array("\(seconds).".utf8) + body, key: Array(secret.utf8))
            headers.append("Driftgate-Signature: t=\(seconds),v1=\(HMAC.hexadecimal(sum))")
        }
        return CurlRequest(url: url, body: body, headers: headers)
    }

    func deliver(_ alerts: [Alert]) throws(DeliveryFailure) {
        for alert in alerts { try request(alert).send() }
    }
}

enum HMAC {
    /// RFC 2104 with SHA-256.
    static func sha256(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var block = key.count > 64 ? SHA256.digest(key) : key
        block += [UInt8](repeating: 0, count: 64 - block.count)
        return SHA256.digest(block.map { $0 ^ 0x5c } + SHA256.digest(block.map { $0 ^ 0x36 } + message))
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
