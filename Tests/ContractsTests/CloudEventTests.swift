import Retraining
import Testing

@testable import Contracts

/// Protects: CloudEvents in both modes give the same records as plain JSON, and their time stands in where it may.
@Suite struct CloudEventTests {
    private let plain = #"{"entity":"srv-042","at":1729180800000,"values":{"cpu_user_pct":41.2}}"#
    private let time: Milliseconds = 1_729_177_200_000

    private func structured(_ data: String, attributes: String = #""specversion":"1.0""#) -> String {
        #"{\#(attributes),"id":"1","source":"x","type":"prediction","time":"2024-10-17T15:00:00Z",\#(data)}"#
    }

    @Test func structured() {
        let decoder = RecordDecoder()
        #expect(decoder.owned(.prediction, structured(#""data":\#(plain)"#)) == .prediction(.init(issuedAt: time)))
        // Attributes may stand behind the data, and the record's own time goes before the event's.
        let issued = #"{"data":{"entity":"srv-042","at":1729180800000,"issued_at":1729170000000,"#
        let json = issued + #""values":{"cpu_user_pct":41.2}},"time":"2024-10-17T15:00:00Z","specversion":"1.0"}"#
        #expect(decoder.owned(.prediction, json) == .prediction(.init(issuedAt: 1_729_170_000_000)))
    }

    @Test("fields of the envelope are not fields of the record")
    func separation() {
        let json = structured(#""entity":"wrong","data":{"at":1729180800000,"values":{"a":1}}"#)
        let rejection = RecordDecoder().owned(.prediction, json).rejection
        #expect(rejection?.reason == .missingField)
        #expect(rejection?.field == "entity")
    }

    @Test func base64() {
        let text = Base64Text.encode(Array(plain.utf8))
        let decoder = RecordDecoder()
        for padded in [text, String(text.prefix { $0 != "=" })] {
            let json = structured(#""data_base64":"\#(padded)""#)
            #expect(decoder.owned(.prediction, json) == .prediction(.init(issuedAt: time)))
        }
        let broken = decoder.owned(.prediction, structured(#""data_base64":"\#(Base64Text.encode([1, 2, 3]))""#))
        #expect(broken.rejection?.reason == .notJSON)
    }

    @Test func binary() {
        let decoder = RecordDecoder()
        let headers = [
            ("ce_specversion", "1.0"), ("ce_time", "2024-10-17T15:00:00Z"), ("content-type", "application/json"),
        ]
        #expect(decoder.owned(.prediction, plain, headers) == .prediction(.init(issuedAt: time)))
        // The time of one record is not that of the next.
        #expect(decoder.owned(.prediction, plain) == .prediction(.init()))
        // In binary mode the payload is the record, whatever it holds.
        let odd = #"{"specversion":"9","entity":"srv-042","at":1729180800000,"values":{"cpu_user_pct":41.2}}"#
        #expect(decoder.owned(.prediction, odd, headers) == .prediction(.init(issuedAt: time)))
    }

    @Test("the content type tells structured mode from binary mode")
    func structuredWithHeaders() {
        let headers = [("ce_specversion", "1.0"), ("content-type", "Application/CloudEvents+json; charset=UTF-8")]
        let json = structured(#""data":\#(plain)"#)
        #expect(RecordDecoder().owned(.prediction, json, headers) == .prediction(.init(issuedAt: time)))
    }

    @Test("other headers change nothing")
    func foreignHeaders() {
        let headers = [("content-type", "application/avro"), ("trace", "x"), ("ce_time", "no time")]
        #expect(RecordDecoder().owned(.prediction, plain, headers) == .prediction(.init()))
    }

    @Test("the event's time stands in for `at`, but never for the time predicted for")
    func standIn() {
        let decoder = RecordDecoder()
        let actual = structured(#""data":{"entity":"srv-042","values":{"cpu_user_pct":44}}"#)
        #expect(decoder.owned(.actual, actual) == .actual(.init(at: time)))
        let load = structured(#""data":{"entity":"srv-042","cpu_pct":5}"#)
        #expect(decoder.owned(.load, load) == .load(.init(at: time, cpu: 5)))
        let status = structured(#""data":{"request_id":"r","status":"started"}"#)
        #expect(
            decoder.owned(.trainingStatus, status)
                == .trainingStatus(.init(requestID: "r", status: .started, at: time)))
        let command = structured(#""data":{"command":"pause"}"#)
        #expect(decoder.owned(.command, command) == .command(.init(kind: .pause, at: time)))
        let prediction = structured(#""data":{"entity":"srv-042","values":{"a":1}}"#)
        #expect(decoder.owned(.prediction, prediction).rejection?.field == "at")
    }

    static let broken: [(data: String, attributes: String, reason: RejectReason)] = [
        (#""data":{}"#, #""specversion":"0.3""#, .cloudEventVersion),
        (#""data":{}"#, #""specversion":"1.""#, .cloudEventVersion),
        (#""data":{}"#, #""specversion":"2.0""#, .cloudEventVersion),
        (#""data":"{}""#, #""specversion":"1.0""#, .cloudEventData),
        (#""data":[]"#, #""specversion":"1.0""#, .cloudEventData),
        (#""datas":{}"#, #""specversion":"1.0""#, .cloudEventData),
        (#""data_base64":"?""#, #""specversion":"1.0""#, .cloudEventData),
        (#""data_base64":"""#, #""specversion":"1.0""#, .cloudEventData),
        (#""data_base64":7"#, #""specversion":"1.0""#, .cloudEventData),
        (#""data":{}"#, #""specversion":"1.0","datacontenttype":"application/avro""#, .cloudEventContentType),
        (#""data":{},"time":"yesterday""#, #""specversion":"1.0""#, .cloudEventTime),
        (#""data":{},"time":7"#, #""specversion":"1.0""#, .cloudEventTime),
        (
            #""data":{"entity":"e","values":{"a":1}},"time":"1970-01-01T00:00:00Z""#, #""specversion":"1.0""#,
            .timeOutOfRange
        ),
    ]

    @Test(arguments: broken.indices)
    func brokenEnvelope(_ index: Int) {
        let (data, attributes, reason) = Self.broken[index]
        let rejection = RecordDecoder().owned(.actual, structured(data, attributes: attributes)).rejection
        #expect(rejection?.reason == reason, "\(rejection?.detail ?? "was taken")")
    }

    @Test func brokenHeaders() {
        let decoder = RecordDecoder()
        let version = decoder.owned(.prediction, plain, [("ce_specversion", "0.3")])
        #expect(version.rejection?.reason == .cloudEventVersion)
        #expect(version.rejection?.field == "ce_specversion")
        let type = decoder.owned(.prediction, plain, [("ce_specversion", "1.0"), ("content-type", "text/csv")])
        #expect(type.rejection?.reason == .cloudEventContentType)
        let time = decoder.owned(.prediction, plain, [("ce_specversion", "1.0"), ("ce_time", "now")])
        #expect(time.rejection?.reason == .cloudEventTime)
    }
}

/// Base64 as a sender writes it; the library only reads it.
enum Base64Text {
    static func encode(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : "=")
            }
        }
        return text
    }
}
