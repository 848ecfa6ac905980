import FoundationEssentials
import Testing

@testable import Retraining

private let benchmarkModels = ProcessInfo.processInfo.environment["DRIFTGATE_STATE_BENCHMARK"].flatMap(Int.init)

/// How fast a large state is written and read. Asked for by hand, in a release build:
/// `DRIFTGATE_STATE_BENCHMARK=200 swift test -c release -Xswiftc -enable-testing --filter StateBenchmark`
/// (200 models of 14 metrics with five windows of 1000 samples each: 14 million samples, and 4 million halves).
@Suite(.serialized, .enabled(if: benchmarkModels != nil)) struct StateBenchmark {
    @Test(arguments: [true, false])
    func `A large state is written and read`(isDecimal: Bool) throws {
        let engine = Engine(configuration: EngineConfiguration())
        var samples = 0
        var halves = 0
        var numbers = StateScenario.Numbers(1)
        for number in 0..<benchmarkModels! {
            let model = engine.modelState(engine.modelNames.intern("model-\(number)"))
            for metric in 0..<14 {
                _ = model.addMetric(engine.metricNames.intern("metric-\(metric)"), name: "metric-\(metric)")
                for index in Int64(0)..<1000 {
                    let at = monday + index * 10 * .minute
                    var value = Double.random(in: 0...100, using: &numbers)
                    if isDecimal { value = (value * 100).rounded() / 100 }
                    let rank = numbers.next()
                    model.windows[metric].add(ActualSample(at: at, value: value, rank: rank), .init(), LocalCalendar())
                    for bucket in 0..<3 {
                        model.windows[metric].add(
                            ErrorSample(at: at, predicted: value, actual: value, naive: value, rank: rank),
                            bucket: bucket, .init())
                    }
                    samples += 5
                }
            }
            model.capture(origin: .first, supplied: [:], size: 4_000, calendar: LocalCalendar(), at: monday)
            for entity in 0..<100 {
                let entity = engine.restored(entity: BorrowedText.of("srv-\(entity)"))
                for index in Int64(0)..<100 {
                    let cell = model.join.cell(.init(entity: entity, at: monday + index * 5 * .minute))
                    for row in [
                        model.join.actualRow(cell: cell),
                        model.join.predictionRow(cell: cell, version: -1, issuedAt: monday, isShadow: false)!,
                    ] {
                        for metric in 0..<14 { model.join.setValue(row, metric, Double(metric)) }
                        halves += 1
                    }
                }
            }
            model.metricsAtCut = 14
        }
        engine.metricNamesAtCut = engine.metricNames.upperBound
        let clock = ContinuousClock()
        var units: [(key: String, bytes: [UInt8])] = []
        let writing = clock.measure { units = engine.stateUnits().map { (key: $0.key, bytes: engine.encode($0)) } }
        var restored: Engine?
        let reading = try clock.measure {
            restored = try Engine(configuration: engine.configuration, restoring: units)
        }
        let bytes = units.reduce(0) { $0 + $1.bytes.count }
        print(
            "\(isDecimal ? "decimals" : "any doubles"): \(samples) samples, \(halves) halves, \(bytes) bytes;",
            "written in \(writing), read in \(reading);",
            "\(Double(bytes) / 1e6 / (writing / .seconds(1))) and \(Double(bytes) / 1e6 / (reading / .seconds(1))) MB/s"
        )
        #expect(restored!.stateDigest() == engine.stateDigest())
    }
}

extension BorrowedText {
    /// Of a text that outlives the call: for tests, it is never given back.
    static func of(_ text: String) -> BorrowedText {
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
        _ = bytes.initialize(from: text.utf8)
        return BorrowedText(base: UnsafePointer(bytes.baseAddress), count: bytes.count)
    }
}
