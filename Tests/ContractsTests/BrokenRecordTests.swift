import Testing

@testable import Contracts

/// Protects: whatever is wrong with a record, it is named by a bounded reason and a text that helps its sender.
@Suite struct BrokenRecordTests {
    private static func prediction(_ change: String) -> String {
        #"{"entity":"e","at":1729180800000,"values":{"a":1},\#(change)}"#
    }

    private static func values(_ values: String) -> String { #"{"entity":"e","at":1729180800000,"values":\#(values)}"# }

    private static func at(_ at: String) -> String { #"{"entity":"e","values":{"a":1},"at":\#(at)}"# }

    static let predictions: [(json: String, reason: RejectReason, field: String?)] = [
        // JSON.
        ("", .emptyPayload, nil),
        (" \n\t", .emptyPayload, nil),
        (#"{"entity":"e","at":1729180800000,"values":{"a":1}"#, .truncatedJSON, nil),
        (#"{"entity":"e","at":1729180800000,"values":{"a":1."#, .truncatedJSON, "values.a"),
        (#"{"entity":"e"#, .truncatedJSON, nil),
        (#"{"entity":"e\"#, .truncatedJSON, nil),
        (#"{"a":tr"#, .truncatedJSON, "a"),
        ("{", .truncatedJSON, nil),
        (values(#"{"a":1}"#) + "x", .trailingBytes, nil),
        (values(#"{"a":1}"#) + values(#"{"a":1}"#), .trailingBytes, nil),
        (values(#"{"a":1}"#) + ",", .trailingBytes, nil),
        (#"{"entity":"e",}"#, .malformedJSON, nil),
        (#"{'entity':'e'}"#, .malformedJSON, nil),
        (#"{entity:"e"}"#, .malformedJSON, nil),
        (#"{"entity" "e"}"#, .malformedJSON, nil),
        (#"{"a":1 "b":2}"#, .malformedJSON, nil),
        ("{\"entity\":\"a\nb\"}", .malformedJSON, nil),
        (#"{"entity":"\q"}"#, .malformedJSON, nil),
        (#"{"entity":"\ud800"}"#, .malformedJSON, nil),
        (#"{"entity":"\u12G4"}"#, .malformedJSON, nil),
        (values(#"{"a":01}"#), .malformedJSON, "values.a"),
        (values(#"{"a":1.}"#), .malformedJSON, "values.a"),
        (values(#"{"a":+1}"#), .malformedJSON, "values.a"),
        (values(#"{"a":0x10}"#), .malformedJSON, "values"),
        (values(#"{"a":NaN}"#), .notANumber, "values.a"),
        (values(#"{"a":-Infinity}"#), .notANumber, "values.a"),
        (values(#"{"a":1e400}"#), .numberOutOfRange, "values.a"),
        (at("123456789012345678901234567890"), .numberOutOfRange, "at"),
        // The same inside of what nobody reads.
        (prediction(#""x":nul"#), .malformedJSON, "x"),
        (prediction(#""x":[1,2"#), .malformedJSON, nil),
        (prediction(#""x":{"y":1.2.3}"#), .malformedJSON, "x"),
        (prediction(#""x":"\q""#), .malformedJSON, nil),
        (prediction(#""x":1e400"#), .numberOutOfRange, "x"),
        (
            prediction(#""x":"# + String(repeating: "[", count: 40) + String(repeating: "]", count: 40)),
            .nestedTooDeep, nil
        ),
        // Other shapes.
        ("[]", .notAnObject, nil),
        (#"[{"entity":"e"}]"#, .notAnObject, nil),
        ("17", .notAnObject, nil),
        (#""text""#, .notAnObject, nil),
        ("null", .notAnObject, nil),
        ("true", .notAnObject, nil),
        ("hello", .notJSON, nil),
        ("<xml/>", .notJSON, nil),
        // Fields.
        (#"{"at":1729180800000,"values":{"a":1}}"#, .missingField, "entity"),
        (#"{"entity":null,"at":1729180800000,"values":{"a":1}}"#, .missingField, "entity"),
        (#"{"entity":"e","values":{"a":1}}"#, .missingField, "at"),
        (#"{"entity":"e","at":1729180800000}"#, .missingField, "values"),
        (values("null"), .missingField, "values"),
        (#"{"entity":7,"at":1729180800000,"values":{"a":1}}"#, .wrongType, "entity"),
        (#"{"entity":["e"],"at":1729180800000,"values":{"a":1}}"#, .wrongType, "entity"),
        (prediction(#""model":1"#), .wrongType, "model"),
        (prediction(#""model_version":2.0"#), .wrongType, "model_version"),
        (prediction(#""shadow":"true""#), .wrongType, "shadow"),
        (prediction(#""shadow":1"#), .wrongType, "shadow"),
        (at("true"), .wrongType, "at"),
        (at("{}"), .wrongType, "at"),
        (values("[1]"), .wrongType, "values"),
        (values("7"), .wrongType, "values"),
        (values(#"{"a":"1"}"#), .wrongType, "values.a"),
        (values(#"{"a":true}"#), .wrongType, "values.a"),
        (values(#"{"a":[1]}"#), .wrongType, "values.a"),
        (prediction(#""model":"""#), .emptyName, "model"),
        (#"{"entity":"","at":1729180800000,"values":{"a":1}}"#, .emptyName, "entity"),
        (values(#"{"":1}"#), .emptyName, "values."),
        (prediction(#""model":"\#(String(repeating: "m", count: 257))""#), .nameTooLong, "model"),
        (values(#"{"\#(String(repeating: "m", count: 257))":1}"#), .nameTooLong, nil),
        (prediction(#""model":"a\u0000b""#), .controlCharacter, "model"),
        (prediction(#""model":"a\nb""#), .controlCharacter, "model"),
        (prediction("\"model\":\"\u{85}\""), .controlCharacter, "model"),
        (prediction("\"model\":\"\u{7F}\""), .controlCharacter, "model"),
        (values(#"{"a\tb":1}"#), .controlCharacter, nil),
        (values("{}"), .noUsableValue, "values"),
        (values(#"{"a":null}"#), .noUsableValue, "values"),
        (values(#"{"a":1,"a":null}"#), .noUsableValue, "values"),
        (values(#"{"a":{}}"#), .missingMedian, "values.a"),
        (values(#"{"a":{"p10":1,"p90":2}}"#), .missingMedian, "values.a"),
        (values(#"{"a":{"p50":null}}"#), .missingMedian, "values.a"),
        (values(#"{"a":{"p50":1,"p90":"2"}}"#), .invalidQuantile, "values.a"),
        (values(#"{"a":{"p50":1,"p90":null}}"#), .invalidQuantile, "values.a"),
        (values("{" + (0..<257).map { "\"m\($0)\":1" }.joined(separator: ",") + "}"), .tooManyValues, "values.m256"),
        // Times.
        (at(#""""#), .invalidTime, "at"),
        (at(#""1729180800000""#), .invalidTime, "at"),
        (at(#""2024-10-17""#), .invalidTime, "at"),
        (at(#""2024-10-17T16:00:00""#), .invalidTime, "at"),
        (at(#""2024-02-30T16:00:00Z""#), .invalidTime, "at"),
        (at("1729180800000.5"), .invalidTime, "at"),
        (at("1e300"), .invalidTime, "at"),
        (at("1729180800"), .timeOutOfRange, "at"),
        (at("1729180800000000"), .timeOutOfRange, "at"),
        (at("9223372036854775807"), .timeOutOfRange, "at"),
        (at("-9223372036854775808"), .timeOutOfRange, "at"),
        (at("0"), .timeOutOfRange, "at"),
        (at(#""1970-01-01T00:00:00Z""#), .timeOutOfRange, "at"),
        (prediction(#""issued_at":1"#), .timeOutOfRange, "issued_at"),
        (prediction(#""issued_at":"soon""#), .invalidTime, "issued_at"),
    ]

    @Test(arguments: predictions.indices)
    func prediction(_ index: Int) {
        let (json, reason, field) = Self.predictions[index]
        check(RecordDecoder().owned(.prediction, json).rejection, json, reason, field)
    }

    static let others: [(role: RecordRole, json: String, reason: RejectReason, field: String?)] = [
        (.actual, #"{"entity":"e","at":1729180800000,"values":{"a":null}}"#, .noUsableValue, "values"),
        (.actual, #"{"at":1729180800000,"values":{"a":1}}"#, .missingField, "entity"),
        (.load, #"{"entity":"e","at":1729180800000}"#, .missingField, "cpu_pct"),
        (.load, #"{"entity":"e","at":1729180800000,"cpu_pct":-1}"#, .valueOutOfRange, "cpu_pct"),
        (.load, #"{"entity":"e","at":1729180800000,"cpu_pct":3200}"#, .valueOutOfRange, "cpu_pct"),
        (.load, #"{"entity":"e","at":1729180800000,"cpu_pct":"37"}"#, .wrongType, "cpu_pct"),
        (.load, #"{"entity":"e","at":1729180800000,"predictions_per_s":-0.1}"#, .valueOutOfRange, "predictions_per_s"),
        (.load, #"{"entity":"e","at":1729180800000,"incident":"no"}"#, .wrongType, "incident"),
        (.load, #"{"entity":"e","cpu_pct":1}"#, .missingField, "at"),
        (.trainingStatus, #"{"status":"accepted"}"#, .missingField, "request_id"),
        (.trainingStatus, #"{"request_id":"r"}"#, .missingField, "status"),
        (.trainingStatus, #"{"request_id":"r","status":"done"}"#, .unknownStatus, "status"),
        (.trainingStatus, #"{"request_id":"r","status":"progress","progress":50}"#, .valueOutOfRange, "progress"),
        (.trainingStatus, #"{"request_id":"r","status":"started","metrics":[1]}"#, .wrongType, "metrics"),
        (.trainingStatus, #"{"request_id":"r","status":"started","errors":{}}"#, .wrongType, "errors"),
        (.trainingStatus, #"{"request_id":"r","status":"started","url":1}"#, .wrongType, "url"),
        (.command, #"{"command":"stop"}"#, .unknownCommand, "command"),
        (.command, #"{}"#, .missingField, "command"),
        (.command, #"{"command":"pause","model":""}"#, .emptyName, "model"),
    ]

    @Test(arguments: others.indices)
    func other(_ index: Int) {
        let (role, json, reason, field) = Self.others[index]
        check(RecordDecoder().owned(role, json).rejection, json, reason, field)
    }

    static let binaries: [(name: String, bytes: [UInt8], reason: RejectReason)] = [
        ("schema registry", [0, 0, 0, 0, 7, 2, 3, 4], .schemaRegistryFraming),
        ("one zero byte", [0], .schemaRegistryFraming),
        ("byte order mark", [0xEF, 0xBB, 0xBF] + Array("{}".utf8), .byteOrderMark),
        ("UTF-16", [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00], .notJSON),
        ("gzip", [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0], .notJSON),
        ("Avro container", Array("Obj".utf8) + [1, 4, 0x14], .notJSON),
        ("Protobuf", [0x0A, 0x07, 0x73, 0x72, 0x76, 0x2D, 0x30, 0x34, 0x32], .notJSON),
        ("MessagePack", [0x83, 0xA2, 0x61, 0x74, 0x01], .notJSON),
        ("Latin-1", Array(#"{"entity":""#.utf8) + [0xE9] + Array(#""}"#.utf8), .invalidUTF8),
        ("cut UTF-8", Array(#"{"entity":""#.utf8) + [0xE6, 0x9C], .invalidUTF8),
        ("overlong", Array(#"{"entity":""#.utf8) + [0xC0, 0xAF] + Array(#""}"#.utf8), .invalidUTF8),
        ("surrogate", Array(#"{"entity":""#.utf8) + [0xED, 0xA0, 0x80] + Array(#""}"#.utf8), .invalidUTF8),
        ("too large", Array(repeating: 0x20, count: (1 << 20) + 1), .recordTooLarge),
        ("zero byte behind", Array("{}".utf8) + [0], .trailingBytes),
    ]

    @Test(arguments: binaries.indices)
    func binary(_ index: Int) {
        let (name, bytes, reason) = Self.binaries[index]
        check(RecordDecoder().owned(.prediction, bytes).rejection, name, reason, nil)
    }

    @Test func tombstone() {
        guard case .rejected(let rejection) = RecordDecoder().decode(.prediction, value: nil) else {
            Issue.record("was taken")
            return
        }
        #expect(rejection.reason == .tombstone)
    }

    @Test("a time in the wrong unit is told which unit it is in")
    func unitHints() {
        let decoder = RecordDecoder()
        for (time, words) in [
            ("1729180800", "seconds"), ("1729180800000000", "micro"), ("1729180800000000000", "nano"),
        ] {
            #expect(decoder.owned(.prediction, Self.at(time)).rejection?.detail.contains(words) == true)
        }
    }

    @Test("a decoder that rejected a record reads the next one")
    func recovery() {
        let decoder = RecordDecoder()
        for (json, _, _) in Self.predictions {
            _ = decoder.decode(.prediction, Array(json.utf8))
            let good = decoder.owned(
                .prediction, #"{"entity":"srv-042","at":1729180800000,"values":{"cpu_user_pct":41.2}}"#)
            #expect(good == .prediction(.init()))
        }
    }

    private func check(_ rejection: Rejection?, _ what: String, _ reason: RejectReason, _ field: String?) {
        guard let rejection else {
            Issue.record("was taken: \(what.prefix(200))")
            return
        }
        #expect(rejection.reason == reason, "\(what.prefix(200)): \(rejection.detail)")
        if let field { #expect(rejection.field == field, "\(what.prefix(200)): \(rejection.detail)") }
        #expect(rejection.detail.utf8.count <= 600 && rejection.detail.hasSuffix("."), "\(rejection.detail)")
    }
}
