import Foundation
import Kafka
import Retraining
import Testing

@testable import Worker

/// Bad input never stops the worker, never disappears silently, never grows memory, and leaves good records alone.
@Suite(.serialized)
struct BrokenRecordTests {
    /// Kinds of broken records, each with the reason that it must be counted under.
    private func kinds(_ time: Milliseconds) -> [(reason: String, value: [UInt8]?)] {
        func text(_ text: String) -> [UInt8] { Array(text.utf8) }
        let good = #"{"model":"m","entity":"srv-0","at":\#(time),"values":{"cpu_pct":1}}"#
        let deep = #"{"model":"m","entity":"e","at":\#(time),"x":"# + String(repeating: "[", count: 200)
        let long = String(repeating: "x", count: 300)
        return [
            ("truncated_json", text(String(good.dropLast(9)))),
            ("wrong_type", text(#"{"model":"m","entity":"e","at":\#(time),"values":[1]}"#)),
            ("wrong_type", text(#"{"model":7,"entity":"e","at":\#(time),"values":{"a":1}}"#)),
            ("not_a_number", text(#"{"model":"m","entity":"e","at":\#(time),"values":{"a":NaN}}"#)),
            ("number_out_of_range", text(#"{"model":"m","entity":"e","at":\#(time),"values":{"a":1e400}}"#)),
            ("empty_payload", []),
            ("tombstone", nil),
            ("invalid_utf8", text(#"{"model":"m","entity":""#) + [0xC3, 0x28] + text(#"","at":1,"values":{}}"#)),
            ("nested_too_deep", text(deep + String(repeating: "]", count: 200) + "}")),
            ("time_out_of_range", text(#"{"model":"m","entity":"e","at":1729180800,"values":{"a":1}}"#)),
            ("beyond_horizon", text(#"{"model":"m","entity":"e","at":\#(time + 60 * .day),"values":{"a":1}}"#)),
            ("schema_registry_framing", [0, 0, 0, 0, 1] + text(good)),
            ("byte_order_mark", [0xEF, 0xBB, 0xBF] + text(good)),
            ("not_an_object", text("[1,2,3]")),
            ("missing_field", text(#"{"model":"m","at":\#(time),"values":{"a":1}}"#)),
            ("no_usable_value", text(#"{"model":"m","entity":"e","at":\#(time),"values":{"a":null}}"#)),
            ("empty_name", text(#"{"model":"m","entity":"","at":\#(time),"values":{"a":1}}"#)),
            (
                "name_too_long",
                text(#"{"model":"m","entity":"\#(long)","at":\#(time),"values":{"a":1}}"#)
            ),
            ("trailing_bytes", text(good + "{}")),
            ("record_too_large", text(#"{"model":""# + String(repeating: "x", count: 70_000) + #""}"#)),
        ]
    }

    @Test("ten thousand broken records of twenty kinds are all accounted for, beside good ones")
    func flood() async throws {
        let stage = try Stage()
        let now = Clock.wall().floored(to: .hour)
        let history = History(endingAt: now, days: 2)
        let worker = try WorkerProgram([
            "kafka.bootstrap_servers=\(stage.broker.bootstrapServers)", "kafka.session_timeout_secs=6", "scoring=plain",
            "safeguards.max_trigger_lag_mins=", "log_dir=", "http.address=", "kafka.transactions=false",
            "limits.record_bytes=65536",
            "limits.models=50",
        ])
        try history.publish(0..<history.steps / 2, to: stage)
        let broken = kinds(history.time(history.steps / 2))
        var expected: [String: Int] = [:]
        func decided(_ step: Int) throws -> Bool {
            try stage.events(stage.topics.decisions).contains {
                $0["model"] as? String == "m" && $0["evaluated_at_ms"] as? Int64 == history.time(step)
            }
        }
        try await stage.eventually("the first half is decided", while: worker) { try decided(history.steps / 2 - 1) }
        let before = worker.residentBytes
        for index in 0..<10_000 {
            // The large ones are few: the embedded broker keeps 5 MiB a partition.
            let kind = broken[index % broken.count]
            if kind.reason == "record_too_large", index > 200 { continue }
            expected[kind.reason, default: 0] += 1
            try stage.send(stage.topics.actuals, kind.value, key: "k\(index)", at: history.time(history.steps / 2))
        }
        // Unknown models beyond the limit: one is known, 49 more fit.
        for index in 0..<500 {
            let time = history.time(history.steps / 2)
            let value = #"{"model":"flood-\#(index)","entity":"srv-0","at":\#(time),"values":{"cpu_pct":1}}"#
            try stage.send(stage.topics.actuals, Array(value.utf8), key: "f", at: time)
        }
        expected["too_many_models"] = 500 - 49
        try history.publish(history.steps / 2..<history.steps, to: stage)

        let header = "__connect.errors.exception.class.name="
        func reasons() throws -> [String: Int] {
            var counts: [String: Int] = [:]
            for line in try stage.kcat(stage.topics.deadLetters, format: "%h\\n") {
                guard let start = line.range(of: header) else { continue }
                counts[String(line[start.upperBound...].prefix { $0 != "," }), default: 0] += 1
            }
            return counts
        }
        let total = expected.values.reduce(0, +)
        try await stage.eventually("all dead letters are there", while: worker) {
            try reasons().values.reduce(0, +) >= total
        }
        #expect(try reasons() == expected)
        // Good records beside them: every boundary of the whole history is decided for the model.
        try await stage.eventually("the last boundary is decided", while: worker) { try decided(history.steps - 1) }
        #expect(worker.isRunning)
        #expect(worker.residentBytes - before < 64 << 20, "memory is flat")
        #expect(worker.stop() == 0)
    }

    @Test("where hardly a record of an input is good, the configured limit stops the worker, which says why")
    func rejectShare() throws {
        let stage = try Stage()
        let now = Clock.wall().floored(to: .hour)
        let worker = try RunningWorker(stage.options { $0.input.rejectShareStop = 0.5 })
        try History(endingAt: now, days: 0.2).publish(0..<4, to: stage)
        for _ in 0..<1500 { try stage.send(stage.topics.actuals, Array("{".utf8), at: now - 4 * .hour) }
        try stage.flush()
        guard case .failed(let why) = try worker.wait() else {
            Issue.record("it went on")
            return
        }
        #expect(why.contains("actuals") && why.contains("truncated_json") && why.contains("reject_share_stop"))
        let alerts = try stage.events(stage.topics.alerts).compactMap { $0["kind"] as? String }
        #expect(alerts == ["dead_letters_rising"])
        #expect(try stage.kcat(stage.topics.deadLetters).count >= 1000, "what was refused is kept all the same")
    }

    @Test("on_invalid: fail stops the worker and says which record")
    func fail() throws {
        let stage = try Stage()
        let now = Clock.wall().floored(to: .hour)
        let worker = try RunningWorker(stage.options { $0.input.onInvalid = .fail })
        try History(endingAt: now, days: 0.2).publish(0..<4, to: stage)
        try stage.send(stage.topics.actuals, Array("{".utf8), at: now - 4 * .hour)
        try stage.flush()
        guard case .failed(let why) = try worker.wait() else {
            Issue.record("it went on")
            return
        }
        #expect(why.contains("actuals") && why.contains("truncated_json"))
    }
}
