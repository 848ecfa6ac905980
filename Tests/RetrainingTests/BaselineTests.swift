import Statistics
import Testing

@testable import Retraining

/// Baselines: of all values, about the hours of the week, and as a trainer sends them.
@Suite struct BaselineTests {
    private let calendar = LocalCalendar()

    private func samples(days: Int64, _ value: (Int64) -> Double) -> [ActualSample] {
        (0..<days * 24).map { ActualSample(at: monday + $0 * .hour, value: value($0), rank: 0) }
    }

    private func seasonal(_ hour: Int64) -> Double { CalibratedStream.level(hour) }

    @Test func `A day cycle that has moved is seen about the hours, and not in the values of the week`() throws {
        let baseline = try #require(
            MetricBaseline(samples: samples(days: 28, seasonal), windowShare: 0.25, calendar: calendar))
        let hours = try #require(baseline.seasonal)
        func excess(_ moved: Int64) -> (pooled: Double, seasonal: Double) {
            let window = (28 * 24..<35 * 24).map { hour in
                ActualSample(at: monday + hour * .hour, value: seasonal(hour + moved), rank: 0)
            }
            var pooled = BaselineComparison(baseline: baseline.pooled.distribution)
            var about = BaselineComparison(baseline: hours.residuals.distribution)
            for sample in window {
                _ = pooled.add(sample.value)
                _ = about.add(hours.residual(sample, calendar))
            }
            return (
                baseline.pooled.excess(statistic: pooled.statistic()),
                hours.residuals.excess(statistic: about.statistic())
            )
        }
        #expect(excess(0).pooled < 0.05 && excess(0).seasonal < 0.05)
        #expect(excess(6).pooled < 0.05)
        #expect(excess(6).seasonal > 0.08)
    }

    @Test func `Only what follows the hours of the week is measured about them`() throws {
        func hasSeason(days: Int64 = 28, _ value: (Int64) -> Double) throws -> Bool {
            try #require(
                MetricBaseline(samples: samples(days: days, value), windowShare: 0.25, calendar: calendar)
            ).seasonal != nil
        }
        #expect(try hasSeason(seasonal))
        #expect(try !hasSeason { Double($0 * 7919 % 101) })
        #expect(try !hasSeason { _ in 5 })
        // Ten days show no week twice.
        #expect(try !hasSeason(days: 10, seasonal))
        #expect(try !hasSeason { $0 == 100 ? .nan : 5 })
    }

    @Test func `The hours are those of the local week`() {
        var berlin = LocalCalendar()
        berlin.offsets = [.init(from: .min, seconds: 3600), .init(from: monday + 2 * .day, seconds: 7200)]
        #expect(SeasonalBaseline.hour(at: monday, calendar) == 0)
        #expect(SeasonalBaseline.hour(at: monday, berlin) == 1)
        #expect(SeasonalBaseline.hour(at: monday + 2 * .day, berlin) == 50)
        #expect(SeasonalBaseline.hour(at: monday + 7 * .day - .hour, calendar) == 167)
    }

    @Test func `A summary is a sample of what it sums up`() throws {
        let summary = try #require(
            QuantileSummary(
                count: 1000,
                quantiles: [(1, 100), (0, 0), (0.5, 10), (0.25, 5), (0.75, 55)].map { .init(share: $0.0, value: $0.1) })
        )
        let distribution = BaselineDistribution(summary.sample(1000))
        #expect(close(distribution.quantile(0.5), 10, 0.1))
        #expect(close(distribution.quantile(0.75), 55, 0.1))
        #expect(close(distribution.minimum, 0, 0.1) && close(distribution.maximum, 100, 0.1))
    }

    @Test(arguments: [
        [(0.0, 1.0), (0.5, 2), (1, 3), (0.25, 1.5)],  // Four.
        [(0, 1), (0.25, 2), (0.5, 1.5), (0.75, 3), (1, 4)],  // Falls.
        [(0, 1), (0.25, 2), (0.5, 3), (0.75, 3), (1.5, 4)],  // Beyond the maximum.
        [(0, 1), (0.25, 2), (0.5, 3), (0.75, .infinity), (1, .infinity)],
    ])
    func `What is no summary makes none`(_ quantiles: [(Double, Double)]) {
        #expect(QuantileSummary(quantiles: quantiles.map { .init(share: $0.0, value: $0.1) }) == nil)
    }

    @Test func `A trainer's summary is the baseline, and a roll-back brings the old one back`() throws {
        var stream = CalibratedStream()
        stream.run(hours: 24 * 30)
        let before = try #require(stream.harness.effects.decisions.last)
        #expect(before.history.baselineOrigin == .first)
        let statistic = try #require(before.signal?.metrics.first?.statistic)
        stream.harness.feed(.command(.request, time: stream.now))
        let id = try #require(stream.step().requests.first?.requestID)
        // Data unlike anything the windows hold.
        let summary = try #require(
            QuantileSummary(quantiles: (0...10).map { .init(share: Double($0) / 10, value: 1000 + Double($0)) }))
        let status = TrainingStatusRecord(
            requestID: id, status: .succeeded, modelVersion: "v2", baseline: ["x": summary, "never seen": summary])
        stream.harness.feed(StreamRecord(timestamp: stream.now, payload: .status(status)))
        let after = try #require(stream.step(version: "v2").decisions.last)
        #expect(after.history.baselineOrigin == .trainer)
        #expect(after.history.baselineVersion == 1 + before.history.baselineVersion!)
        #expect(after.signal?.metrics.first?.statistic == 1)
        #expect(statistic < 0.2)
        // The floors are those that the worker has measured itself.
        #expect(try #require(after.signal?.metrics.first?.statisticFloor) > 0)

        for _ in 0..<3 { stream.step(version: "v1") }
        let back = try #require(stream.harness.effects.decisions.last)
        #expect(back.modelVersion == "v1")
        #expect(back.history.baselineOrigin == .first)
    }

    @Test func `A baseline holds no more than its size`() throws {
        var stream = CalibratedStream { $0.drift.baselineSize = 50 }
        stream.run(hours: 24 * 8)
        let baseline = try #require(stream.harness.engine.models[0]?.baseline?.metrics[0])
        #expect((25...50).contains(baseline.pooled.distribution.count))
    }

    @Test func `A training that regressed does not make the baseline`() throws {
        var stream = CalibratedStream()
        stream.run(hours: 24 * 21)
        stream.harness.feed(.command(.request, time: stream.now))
        let id = try #require(stream.step().requests.first?.requestID)
        let version = try #require(stream.harness.effects.decisions.last?.history.baselineVersion)
        stream.harness.succeed(id, version: "v2", time: stream.now)
        var verdict: Verdict?
        for _ in 0..<73 where verdict == nil {
            let effects = stream.step(
                version: "v2", shadow: "v1", shadowForecast: { CalibratedStream.level($0) + 1 },
                forecast: { CalibratedStream.level($0) + 9 })
            for case .verdict(let found) in effects { verdict = found }
            if verdict == nil { #expect(effects.decisions.last?.history.baselineVersion == version + 1) }
        }
        #expect(verdict?.outcome == .regressed)
        #expect(verdict?.recommendsRollback == true)
        let next = try #require(
            stream.step(version: "v2", forecast: { CalibratedStream.level($0) + 9 }).decisions.last)
        #expect(next.history.baselineVersion == version)
    }
}
