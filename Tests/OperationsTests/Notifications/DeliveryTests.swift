import Foundation
import Retraining
import Testing

@testable import Operations

/// Protects that what leaves is taken by real servers, and says what happened.
@Suite struct DeliveryTests {
    static let breach = Alert(
        kind: .slaBreach, severity: .critical, model: "tft-\"prod\"\r\nBcc: x@y", at: 1_729_180_800_000,
        text: "Accuracy 79 % is below the agreed 88 %.\r\n.\r\nÄ")

    static func resolved() -> Alert {
        var alert = breach
        alert.state = .resolved
        alert.severity = .info
        return alert
    }

    // MARK: Webhook

    @Test func aWebhookGetsTheEventSigned() throws {
        let server = try RealServer(python: RealServer.webhook)
        let channel = WebhookChannel(
            url: "http://127.0.0.1:\(server.port)/hook?x=1", token: "t0ken", secret: "s3cret",
            applicationID: "driftgate",
            now: { 1_700_000_000 })
        try channel.deliver([Self.breach])
        let taken = try server.next()
        let headers = try #require(taken["headers"] as? [String: String])
        let body = try #require(taken["body"] as? String)
        #expect(taken["path"] as? String == "/hook?x=1")
        #expect(headers["authorization"] == "Bearer t0ken")
        #expect(headers["content-type"] == "application/cloudevents+json; charset=UTF-8")
        let event = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        #expect(event["type"] as? String == "driftgate.alert.v1")
        #expect((event["data"] as? [String: Any])?["model"] as? String == Self.breach.model)
        // By a program that is not ours.
        let (_, sum) = try Shell.run(
            ["openssl", "dgst", "-sha256", "-hmac", "s3cret", "-r"], input: Array("1700000000.\(body)".utf8))
        #expect(headers["driftgate-signature"] == "t=1700000000,v1=\(sum.prefix(64))")
    }

    /// RFC 4231, cases 2 and 6.
    @Test func theSumIsTheStandards() {
        #expect(
            HMAC.hexadecimal(HMAC.sha256(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            HMAC.hexadecimal(
                HMAC.sha256(
                    Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                    key: [UInt8](repeating: 0xaa, count: 131)))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test func refusalsAreTold() throws {
        let server = try RealServer(python: RealServer.webhook, arguments: ["503", "429", "404", "302"])
        let channel = WebhookChannel(url: "http://127.0.0.1:\(server.port)/", applicationID: "driftgate")
        // Of the four only the one that will stay as it is ends all attempts.
        for isFinal in [false, false, true, false] {
            do {
                try channel.deliver([Self.breach])
                Issue.record("a refusal counted as delivered")
            } catch { #expect(error.isFinal == isFinal, "\(error.message)") }
        }
        let nobody = WebhookChannel(url: "http://127.0.0.1:\(try FreePort.find())/", applicationID: "driftgate")
        do {
            try nobody.deliver([Self.breach])
            Issue.record("nobody listens")
        } catch { #expect(!error.isFinal) }
    }

    /// Neither a file nor anything else that libcurl could read is sent or fetched.
    @Test func otherProtocolsAreNotSpoken() {
        for url in ["file:///etc/passwd", "gopher://127.0.0.1/", "smtp://127.0.0.1/"] {
            do {
                try CurlRequest(url: url, body: [1]).send()
                Issue.record("\(url) was used")
            } catch { #expect(error.message.lowercased().contains("protocol"), "\(error.message)") }
        }
    }

    // MARK: Alertmanager

    @Test(.enabled(if: Alertmanager.isInstalled, "prometheus-alertmanager is not installed (scripts/test-tools)"))
    func alertmanagerHoldsWhatIsRaisedAndEndsIt() throws {
        let server = try Alertmanager()
        let channel = AlertmanagerChannel(
            url: "http://127.0.0.1:\(server.port)/", applicationID: "driftgate", repeatInterval: .day)
        let triggered = Alert(
            kind: .trainingTriggered, severity: .info, model: "m", requestID: "rt-x", at: 1_729_180_800_000, text: "t")
        try channel.deliver([Self.breach, triggered])
        try Eventually.become { try server.alerts().count == 2 }
        let held = try server.alerts()
        let labels = held.compactMap { $0["labels"] as? [String: String] }
        #expect(
            labels.contains([
                "alertname": "DriftgateSlaBreach", "severity": "critical", "application": "driftgate",
                "job": "driftgate", "model": Self.breach.model!,
            ]))
        #expect(labels.contains { $0["request_id"] == "rt-x" })
        // Otherwise it would be ended after five minutes.
        let ends = held.compactMap { $0["endsAt"] as? String }.compactMap(Self.date)
        #expect(ends.count == 2 && ends.allSatisfy { $0.timeIntervalSinceNow > 3_000 })
        try channel.deliver([Self.resolved()])
        try Eventually.become {
            try server.alerts().allSatisfy {
                ($0["labels"] as? [String: String])?["alertname"] != "DriftgateSlaBreach"
            }
        }
    }

    private static func date(_ text: String) -> Date? {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter.date(from: text)
    }

    // MARK: Mail

    @Test(.enabled(if: RealServer.hasMailServer, "aiosmtpd is not installed (scripts/test-tools)"))
    func aMailServerTakesTheMail() throws {
        let server = try RealServer(python: RealServer.mail, by: RealServer.python)
        let channel = MailChannel(
            url: "smtp://127.0.0.1:\(server.port)", from: "driftgate@example.com", to: "ops@example.com",
            username: "ops", password: "secret", applicationID: "driftgate")
        try channel.deliver([Self.breach])
        let mail = try server.next()
        #expect(mail["from"] as? String == "driftgate@example.com")
        #expect(mail["to"] as? [String] == ["ops@example.com"])
        let content = try #require(mail["content"] as? String)
        let parts = content.components(separatedBy: "\r\n\r\n")
        #expect(parts.count == 2, "what came from Kafka ends neither the header nor the mail")
        #expect(!parts[0].contains("Bcc"))
        #expect(parts[0].contains("Content-Transfer-Encoding: base64"))
        let text = try #require(
            Data(base64Encoded: parts[1], options: .ignoreUnknownCharacters).map { String(decoding: $0, as: UTF8.self) }
        )
        #expect(text.contains("Accuracy 79 % is below the agreed 88 %.\r\n.\r\nÄ"))

        try channel.deliver([Self.breach, Self.resolved()])
        #expect(try server.next()["content"] != nil, "the connection is good for another")

        var wrong = channel
        wrong.password = "guess"
        do {
            try wrong.deliver([Self.breach])
            Issue.record("the wrong password was taken")
        } catch { #expect(error.isFinal || error.message.contains("denied"), "\(error.message)") }
    }

    /// A password is never sent in the clear to another machine, and one's own is where the tests are.
    @Test func aUserNeedsEncryptionButOnThisMachine() {
        func requires(_ url: String, _ user: String?) -> Bool? {
            MailChannel(url: url, from: "a@b", to: "c@d", username: user, applicationID: "x").request([]).mail?
                .requiresEncryption
        }
        #expect(requires("smtp://mail.example.com:587", "u") == true)
        #expect(requires("smtp://mail.example.com:25", nil) == false)
        #expect(requires("smtp://127.0.0.1:25", "u") == false)
    }
}

/// A program of the system, with input and output.
enum Shell {
    static func run(_ arguments: [String], input: [UInt8] = []) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let (output, given) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardInput = given
        try process.run()
        given.fileHandleForWriting.write(Data(input))
        try given.fileHandleForWriting.close()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
