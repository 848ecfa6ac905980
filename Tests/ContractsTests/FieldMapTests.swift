import Retraining
import Testing

@testable import Contracts

/// Protects: records with other names are read by configured pointers, and pointers that cannot work are refused.
@Suite struct FieldMapTests {
    @Test func nestedNames() throws {
        let map = try FieldMap([
            .prediction: [
                "at": "/ts", "entity": "/meta/host/0", "values": "/output/forecast", "model": "/a~1b",
                "issued_at": "/meta/m~0n",
            ]
        ])
        let decoder = RecordDecoder(fields: map)
        let json = """
            {"ts":1729180800000,"a/b":"tft","meta":{"host":["srv-042","x"],"m~n":1729177200000},\
            "output":{"forecast":{"cpu_user_pct":41.2}},"at":"ignored","entity":7}
            """
        let expected = OwnedRecord.prediction(.init(model: "tft", issuedAt: 1_729_177_200_000))
        #expect(decoder.owned(.prediction, json) == expected)
        // Inside a CloudEvent the pointers begin at its data.
        let event = #"{"specversion":"1.0","data":\#(json)}"#
        #expect(decoder.owned(.prediction, event) == expected)
    }

    @Test func oneValueARecord() throws {
        let map = try FieldMap([
            .prediction: ["metric": "/metric", "value": "/value"], .actual: ["metric": "/name", "value": "/v"],
        ])
        let decoder = RecordDecoder(fields: map)
        for value in ["41.2", #"{"p10":1,"p50":41.2}"#] {
            let json = #"{"entity":"srv-042","at":1729180800000,"metric":"cpu_user_pct","value":\#(value)}"#
            #expect(decoder.owned(.prediction, json) == .prediction(.init()))
        }
        let actual = #"{"entity":"srv-042","at":1729180800000,"name":"cpu_user_pct","v":44}"#
        #expect(decoder.owned(.actual, actual) == .actual(.init()))
        let broken: [(String, RejectReason)] = [
            (#""metric":"m""#, .missingField), (#""value":1"#, .missingField),
            (#""metric":"m","value":null"#, .missingField),
            (#""metric":"","value":1"#, .emptyName), (#""metric":"m","value":"1""#, .wrongType),
            (#""metric":"m","value":{"p10":1}"#, .missingMedian),
            (#""metric":"m","value":{"p50":"1"}"#, .invalidQuantile),
        ]
        for (fields, reason) in broken {
            let rejection = decoder.owned(.prediction, #"{"entity":"e","at":1729180800000,\#(fields)}"#).rejection
            #expect(rejection?.reason == reason, "\(fields): \(rejection?.detail ?? "was taken")")
        }
    }

    @Test("a duplicate of an outer key replaces everything inside the earlier one")
    func duplicateOuterKey() throws {
        let decoder = RecordDecoder(fields: try FieldMap([.actual: ["values": "/o/values", "model": "/o/model"]]))
        let json = """
            {"entity":"srv-042","at":1729180800000,"o":{"model":"first","values":{"a":1}},\
            "o":{"values":{"cpu_user_pct":44}}}
            """
        #expect(decoder.owned(.actual, json) == .actual(.init()))
        let emptied = #"{"entity":"srv-042","at":1729180800000,"o":{"values":{"a":1}},"o":7}"#
        #expect(decoder.owned(.actual, emptied).rejection?.reason == .missingField)
    }

    @Test("a rejection names the configured place")
    func placeInRejection() throws {
        let decoder = RecordDecoder(fields: try FieldMap([.prediction: ["at": "/meta/ts"]]))
        let rejection = decoder.owned(.prediction, #"{"entity":"e","values":{"a":1}}"#).rejection
        #expect(rejection?.field == "at (/meta/ts)")
        #expect(rejection?.reason == .missingField)
    }

    static let broken: [(pointers: [String: String], words: String)] = [
        (["att": "/ts"], "use one of model"),
        (["at": "ts"], "must begin with \"/\""),
        (["at": ""], "whole record"),
        (["at": "/a~2"], "\"~0\""),
        (["at": "/a~"], "\"~0\""),
        (["at": "/entity"], "the same place"),
        (["at": "/values/at"], "inside that of \"values\""),
        (["metric": "/m"], "needs \"value\""),
        (["value": "/v"], "needs \"metric\""),
        (["metric": "/m", "value": "/v", "values": "/vs"], "cannot stand beside"),
        (["at": String(repeating: "/a", count: 17)], "more than 16"),
    ]

    @Test(arguments: broken.indices)
    func brokenPointer(_ index: Int) {
        let (pointers, words) = Self.broken[index]
        do throws(FieldMapError) {
            _ = try FieldMap([.prediction: pointers])
            Issue.record("\(pointers) was taken")
        } catch {
            #expect(error.description.contains(words))
            #expect(error.description.hasPrefix("prediction."))
        }
    }
}
