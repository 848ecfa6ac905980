import Retraining
import Testing

@testable import Contracts

/// Protects: what `RecordEncoder` writes, `RecordDecoder` reads as the same record, bit for bit.
@Suite struct RoundTripTests {
    private struct Maker {
        var generator: SeededGenerator

        mutating func name() -> String {
            let letters = Array("abcXYZ019-_./ \"\\éß温😀~#{}[]:,")
            return String(
                (0..<Int.random(in: 1...24, using: &generator)).map { _ in letters.randomElement(using: &generator)! })
        }

        mutating func time() -> Milliseconds { .random(in: 946_684_800_000...4_102_444_800_000, using: &generator) }

        mutating func maybe<Value>(_ value: Value) -> Value? { Bool.random(using: &generator) ? value : nil }

        /// Any finite double: all bit patterns are equally likely.
        mutating func number() -> Double {
            while true {
                let number = Double(bitPattern: generator.next())
                if number.isFinite { return number }
            }
        }

        mutating func values() -> [String: Double] {
            var values: [String: Double] = [:]
            for _ in 0..<Int.random(in: 1...20, using: &generator) { values[name()] = number() }
            return values
        }
    }

    @Test func predictions() {
        let decoder = RecordDecoder()
        var maker = Maker(generator: SeededGenerator(state: 1))
        for _ in 0..<2000 {
            let expected = OwnedRecord.Forecast(
                model: maker.maybe(maker.name()), version: maker.maybe(maker.name()), entity: maker.name(),
                at: maker.time(), issuedAt: maker.maybe(maker.time()) ?? .unknownTime, isShadow: maker.maybe(0) == nil,
                values: maker.values())
            let issuedAt = expected.issuedAt == .unknownTime ? nil : expected.issuedAt
            let values = expected.values.map { (name: $0.key, value: $0.value) }
            let plain = RecordEncoder.prediction(
                model: expected.model, version: expected.version, entity: expected.entity, at: expected.at,
                issuedAt: issuedAt, isShadow: expected.isShadow, values: values)
            #expect(decoder.owned(.prediction, plain) == .prediction(expected))
            let quantiles = RecordEncoder.prediction(
                model: expected.model, version: expected.version, entity: expected.entity, at: expected.at,
                issuedAt: issuedAt, isShadow: expected.isShadow,
                quantiles: values.map { (name: $0.name, quantiles: [("p10", 0), ("p50", $0.value), ("p90", 1)]) })
            #expect(decoder.owned(.prediction, quantiles) == .prediction(expected))
        }
    }

    @Test func actualsAndLoad() {
        let decoder = RecordDecoder()
        var maker = Maker(generator: SeededGenerator(state: 2))
        for _ in 0..<1000 {
            let actual = OwnedRecord.Outcome(
                model: maker.maybe(maker.name()), entity: maker.name(), at: maker.time(), values: maker.values())
            let bytes = RecordEncoder.actual(
                model: actual.model, entity: actual.entity, at: actual.at,
                values: actual.values.map { (name: $0.key, value: $0.value) })
            #expect(decoder.owned(.actual, bytes) == .actual(actual))

            let load = OwnedRecord.Load(
                pool: maker.maybe(maker.name()), entity: maker.name(), at: maker.time(),
                cpu: .random(in: 0...100, using: &maker.generator), rate: maker.maybe(3.25), incident: maker.maybe(true)
            )
            let loadBytes = RecordEncoder.load(
                pool: load.pool, entity: load.entity, at: load.at, cpuPercent: load.cpu,
                predictionsPerSecond: load.rate, incident: load.incident)
            #expect(decoder.owned(.load, loadBytes) == .load(load))
        }
    }

    @Test func statusAndCommands() {
        let decoder = RecordDecoder()
        var maker = Maker(generator: SeededGenerator(state: 3))
        for _ in 0..<1000 {
            let status = TrainingStatusRecord(
                requestID: maker.name(),
                status: TrainingStatusRecord.Status.allCases.randomElement(using: &maker.generator)!,
                at: maker.maybe(maker.time()) ?? .unknownTime, runID: maker.maybe(maker.name()),
                url: maker.maybe(maker.name()), modelVersion: maker.maybe(maker.name()), progress: maker.maybe(0.25),
                metrics: maker.maybe(maker.values()) ?? [:], errors: maker.maybe([maker.name(), "line\nline"]) ?? [])
            #expect(decoder.owned(.trainingStatus, RecordEncoder.trainingStatus(status)) == .trainingStatus(status))

            let command = CommandRecord(
                kind: CommandRecord.Kind.allCases.randomElement(using: &maker.generator)!,
                model: maker.maybe(maker.name()), requestID: maker.maybe(maker.name()),
                reason: maker.maybe(maker.name()),
                by: maker.maybe(maker.name()), at: maker.maybe(maker.time()) ?? .unknownTime)
            #expect(decoder.owned(.command, RecordEncoder.command(command)) == .command(command))
        }
    }

    @Test("a value that is not finite is left out by its reader, and never breaks the record")
    func notFinite() {
        let bytes = RecordEncoder.prediction(
            entity: "srv-042", at: 1_729_180_800_000, values: [("cpu_user_pct", 41.2), ("b", .nan), ("c", .infinity)])
        #expect(RecordDecoder().owned(.prediction, bytes) == .prediction(.init()))
    }
}
