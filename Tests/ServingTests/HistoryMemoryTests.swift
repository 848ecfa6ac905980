import Foundation
import Retraining
import Testing

@testable import Contracts
@testable import Serving

/// Not a test of speed: prints what a large fleet takes. Only where it is asked for.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["DRIFTGATE_TEST_MEMORY"] != nil, "DRIFTGATE_TEST_MEMORY is not set"))
struct HistoryMemoryTests {
    @Test func aThousandModelsOfThirtyDays() throws {
        let history = History(retention: 30 * .day)
        let before = try Self.resident()
        let end: Milliseconds = 1_795_600_800_000
        let record = [UInt8](repeating: 32, count: 4_000)
        for model in 0..<1_000 {
            history.change { state in
                for step in 0..<30 * 288 {
                    let at = end - Int64(30 * 288 - step) * 5 * .minute
                    let figures = DecisionFigures(
                        model: "m\(model)", modelVersion: "v", evaluatedAt: at, isTrigger: step % 2_000 == 0,
                        reason: step % 700 < 20 ? .persistence : .noDrift, requestID: nil, accuracy: 0.9, score: 0.05,
                        plainScore: 0.1, predictionError: 0, distributionShift: 0, featureDrift: 0, anomalyRate: 0,
                        load: 0.2, isQuiet: true, recommendation: "healthy")
                    _ = state.add(
                        HistoryPoint(figures, partition: 0, offset: Int64(step)), model: "m\(model)", version: "v",
                        retention: 30 * .day, modelsMax: 20_000)
                }
                state.models["m\(model)"]!.latestRecord = record
            }
        }
        let points = history.read { $0.models.values.reduce(0) { $0 + $1.count } }
        let grown = try Self.resident() - before
        print("history: 1000 models, 8 640 000 decisions read, \(points) points kept, \(grown / 1_000) MB")
        #expect(points < 4_000_000)
    }

    /// Resident memory in kB.
    private static func resident() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.split(whereSeparator: { !$0.isNumber }).first ?? ""))
    }
}
