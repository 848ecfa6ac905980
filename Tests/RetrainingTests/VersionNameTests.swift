import Testing

@testable import Retraining

/// Versions whose names change so fast that none of them is judged, as those of a nightly build.
@Suite struct VersionNameTests {
    private static func miss(_ hour: Int64) -> Double { Double(hour * 104_729 % 13) / 6 - 1 }
    private static func stale(_ hour: Int64) -> Double { CalibratedStream.level(hour) + 30 + miss(hour) }

    /// The hours until a training is asked for, once forecasts are stale; the name changes every `period` hours.
    private func hoursUntilRequest(period: Int64, restoring: Bool = false) throws -> Int64? {
        var stream = CalibratedStream()
        func name(_ hour: Int64) -> String { "build-\(hour / period)" }
        while stream.hour < 24 * 21 { stream.step(version: name(stream.hour)) }
        let began = stream.hour
        while stream.hour - began < 24 * 7 {
            if restoring {
                let engine = stream.harness.engine
                let units = engine.stateUnits().map { (key: $0.key, bytes: engine.encode($0)) }
                stream = CalibratedStream(
                    going: EngineHarness(try Engine(configuration: engine.configuration, restoring: units)),
                    from: stream.hour)
            }
            let effects = stream.step(version: name(stream.hour), forecast: Self.stale)
            if !effects.requests.isEmpty { return stream.hour - began }
        }
        return nil
    }

    @Test(arguments: [8, 24, 30] as [Int64])
    func `Drift is found though the name changes before a version can be judged`(period: Int64) throws {
        let constant = try #require(try hoursUntilRequest(period: 10_000))
        let changing = try #require(try hoursUntilRequest(period: period))
        #expect(changing <= constant + 24)
        #expect(try hoursUntilRequest(period: period, restoring: true) == changing)
    }

    @Test func `What mends a bad version within a day is not judged by its pairs`() {
        var stream = CalibratedStream()
        stream.run(hours: 24 * 21)
        for _ in 0..<10 { stream.step(version: "v2", forecast: Self.stale) }
        for _ in 0..<24 * 5 {
            let effects = stream.step(version: "v3")
            #expect(effects.requests.isEmpty)
            #expect(effects.decisions.allSatisfy { $0.reason != .persistence && $0.reason != .waitingForQuiet })
        }
    }

    @Test func `A version that a training made is judged by its own pairs, however short those before it lived`() {
        var stream = CalibratedStream()
        while stream.hour < 24 * 21 { stream.step(version: "build-\(stream.hour / 24)") }
        var request: TrainingRequest?
        while request == nil {
            request = stream.step(version: "build-\(stream.hour / 24)", forecast: Self.stale).requests.first
        }
        for status in [TrainingStatusRecord.Status.accepted, .succeeded] {
            stream.harness.feed(
                .status(request!.requestID, status, version: status == .succeeded ? "trained" : nil, time: stream.now))
        }
        for _ in 0..<24 * 5 { #expect(stream.step(version: "trained").requests.isEmpty) }
    }
}
