import Retraining
import Testing

@testable import Contracts

/// Protects: every form of record that the contract allows is read, and as what it means.
@Suite struct GoodRecordTests {
    static let designPrediction = """
        {"model":"tft-prod","model_version":"2025-10-17","entity":"srv-042","at":1729180800000,\
        "issued_at":1729177200000,"values":{"cpu_user_pct":41.2,"mem_used_pct":{"p10":60.1,"p50":63.0,"p90":66.2}}}
        """

    static let predictions: [(String, OwnedRecord.Forecast)] = [
        (
            designPrediction,
            .init(
                model: "tft-prod", version: "2025-10-17", issuedAt: 1_729_177_200_000,
                values: ["cpu_user_pct": 41.2, "mem_used_pct": 63])
        ),
        (#"{"entity":"srv-042","at":1729180800000,"values":{"cpu_user_pct":41.2}}"#, .init()),
        // Whitespace, order, null for what is optional, fields of nobody's.
        (
            " {\n\t\"values\" : { \"cpu_user_pct\" : 41.2 } , \"x\" : [ { \"at\" : 1 } ] , \"at\" : 1729180800000 ,"
                + " \"entity\" : \"srv-042\", \"model\": null, \"shadow\": null, \"issued_at\": null }\r\n", .init()
        ),
        (
            #"{"entity":"srv-042","at":1729180800000,"shadow":true,"values":{"cpu_user_pct":41.2}}"#,
            .init(isShadow: true)
        ),
        // Times.
        (#"{"entity":"srv-042","at":"2024-10-17T16:00:00Z","values":{"cpu_user_pct":41.2}}"#, .init()),
        (#"{"entity":"srv-042","at":"2024-10-17 18:30:00.0009+02:30","values":{"cpu_user_pct":41.2}}"#, .init()),
        (#"{"entity":"srv-042","at":1.7291808e12,"values":{"cpu_user_pct":41.2}}"#, .init()),
        // The last of duplicate keys holds, at every level.
        (
            #"{"entity":"x","at":5,"values":{"a":1},"values":{"cpu_user_pct":7,"cpu_user_pct":41.2},"#
                + #""at":1729180800000,"entity":"srv-042"}"#, .init()
        ),
        // Nulls among the values are skipped, also where one replaces a number.
        (#"{"entity":"srv-042","at":1729180800000,"values":{"a":null,"cpu_user_pct":41.2,"b":2,"b":null}}"#, .init()),
        // Numbers in all their forms.
        (
            #"{"entity":"srv-042","at":1729180800000,"values":{"a":-0,"b":1E-2,"c":18446744073709551615,"d":1e-400}}"#,
            .init(values: ["a": 0, "b": 0.01, "c": 18_446_744_073_709_551_616, "d": 0])
        ),
        // Names are any text: escapes, other scripts, punctuation.
        (
            #"{"model":"\u0074ft/\"é\"","entity":"服务器 42","at":1729180800000,"values":{"温度":1,"\ud83d\ude00":2}}"#,
            .init(model: "tft/\"é\"", entity: "服务器 42", values: ["温度": 1, "😀": 2])
        ),
    ]

    @Test(arguments: predictions.indices)
    func prediction(_ index: Int) {
        let (json, expected) = Self.predictions[index]
        #expect(RecordDecoder().owned(.prediction, json) == .prediction(expected))
    }

    static let others: [(RecordRole, String, OwnedRecord)] = [
        (
            .actual, #"{"model":"tft-prod","entity":"srv-042","at":1729180800000,"values":{"cpu_user_pct":44.0}}"#,
            .actual(.init(model: "tft-prod"))
        ),
        (.actual, #"{"entity":"srv-042","at":1729180800000,"values":{"cpu_user_pct":44}}"#, .actual(.init())),
        (
            .load,
            #"{"pool":"prod","entity":"srv-042","at":1729180800000,"cpu_pct":37.5,"predictions_per_s":12.0,"incident":false}"#,
            .load(.init(pool: "prod", cpu: 37.5, rate: 12, incident: false))
        ),
        (.load, #"{"entity":"srv-042","at":1729180800000,"cpu_pct":100.4}"#, .load(.init(cpu: 100))),
        (.load, #"{"entity":"srv-042","at":1729180800000,"incident":true}"#, .load(.init(incident: true))),
        (
            .trainingStatus, #"{"request_id":"rt-abc","status":"accepted"}"#,
            .trainingStatus(.init(requestID: "rt-abc", status: .accepted))
        ),
        (
            .trainingStatus,
            #"{"request_id":"rt-abc","status":"failed","at":"2024-10-17T16:00:00Z","run_id":"7","url":"http://x/7","#
                + #""model_version":"v2","progress":0.5,"metrics":{"wape":0.1,"note":"ok","loss":null,"n":{"a":1}},"#
                + #""errors":["out of memory",7]}"#,
            .trainingStatus(
                .init(
                    requestID: "rt-abc", status: .failed, at: 1_729_180_800_000, runID: "7", url: "http://x/7",
                    modelVersion: "v2", progress: 0.5, metrics: ["wape": 0.1], errors: ["out of memory"]))
        ),
        (
            .trainingStatus, #"{"request_id":"rt-abc","status":"failed","errors":"disk full"}"#,
            .trainingStatus(.init(requestID: "rt-abc", status: .failed, errors: ["disk full"]))
        ),
        (.command, #"{"command":"pause"}"#, .command(.init(kind: .pause))),
        (
            .command,
            #"{"command":"baseline-reset","model":"m","request_id":"r","reason":"new sensor","by":"ada","at":1729180800000}"#,
            .command(
                .init(
                    kind: .baselineReset, model: "m", requestID: "r", reason: "new sensor", by: "ada",
                    at: 1_729_180_800_000))
        ),
    ]

    @Test(arguments: others.indices)
    func other(_ index: Int) {
        let (role, json, expected) = Self.others[index]
        #expect(RecordDecoder().owned(role, json) == expected)
    }

    @Test("limits are inclusive")
    func limits() {
        var limits = DecoderLimits()
        limits.values = 3
        limits.nameBytes = 8
        limits.depth = 3
        let decoder = RecordDecoder(limits: limits)
        let record = decoder.owned(
            .prediction, #"{"entity":"12345678","at":1729180800000,"values":{"a":1,"b":{"p50":2},"c":3,"a":4}}"#)
        #expect(record == .prediction(.init(entity: "12345678", values: ["a": 4, "b": 2, "c": 3])))
    }

    @Test("a record larger than all before it is read, and the ones after it as well")
    func growth() {
        let decoder = RecordDecoder()
        for size in [10, 5000, 100, 70_000, 900_000, 1] {
            let pad = String(repeating: "é", count: size / 2)
            let json = #"{"pad":"\#(pad)","entity":"srv-042","at":1729180800000,"values":{"cpu_user_pct":41.2}}"#
            #expect(decoder.owned(.prediction, json) == .prediction(.init()))
        }
    }
}
