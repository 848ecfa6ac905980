import Retraining
import Testing

@testable import Demo

/// A world is the ground under everything the demo claims: it must be the same for the same seed, and really change.
@Suite struct WorldTests {
    private static let start = CalendarTime.milliseconds(year: 2025, month: 9, day: 1)

    private func world(seed: UInt64, changeAtDay day: Int64? = nil) -> World {
        World(
            seed: seed, start: Self.start, ticks: 48 * 10, changeAt: day.map { Self.start + $0 * .day }, serverCount: 3)
    }

    @Test func theSameSeedGivesTheSameWorld() {
        let (one, two) = (world(seed: 7, changeAtDay: 5), world(seed: 7, changeAtDay: 5))
        #expect((0..<one.ticks).allSatisfy { Array(one.values(tick: $0)) == Array(two.values(tick: $0)) })
    }

    @Test func anotherSeedGivesAnotherWorld() {
        #expect(Array(world(seed: 7).values(tick: 0)) != Array(world(seed: 8).values(tick: 0)))
    }

    @Test func theChangeAltersNothingBeforeItComes() {
        let (calm, changed) = (world(seed: 7), world(seed: 7, changeAtDay: 5))
        let before = calm.tick(at: Self.start + 5 * .day)
        #expect((0..<before).allSatisfy { Array(calm.values(tick: $0)) == Array(changed.values(tick: $0)) })
        #expect(Array(calm.values(tick: before)) != Array(changed.values(tick: before)))
    }

    @Test func valuesAreWhatTheMetricCanBe() {
        let world = world(seed: 7, changeAtDay: 5)
        for tick in 0..<world.ticks {
            for server in 0..<3 {
                for (metric, value) in zip(ServerMetric.all, world.values(tick: tick, server: server)) {
                    #expect(value > 0 && value <= metric.ceiling, "\(metric.name)")
                }
            }
        }
    }

    @Test func nightsAndWeekendsAreQuiet() {
        let world = world(seed: 7)
        func load(day: Int64, hour: Int64) -> Double {
            world.load(tick: world.tick(at: Self.start + day * .day + hour * .hour))
        }
        // The first of September 2025 is a Monday.
        #expect(load(day: 1, hour: 3) < 0.7 * load(day: 1, hour: 14))
        #expect(load(day: 5, hour: 14) < load(day: 1, hour: 14))
    }

    @Test(arguments: [(1234.4, 1234.0), (12.3456, 12.35), (0.0123456, 0.01235), (0, 0), (99.996, 100)])
    func roundingKeepsFourDigits(value: Double, rounded: Double) {
        #expect(value.roundedToFourDigits == rounded)
    }
}

/// All chapters of the story must lie in the past, and in order, whatever day it is told on.
@Suite struct TimelineTests {
    @Test func theStoryFitsBeforeNowOnEveryDay() {
        for day in Int64(20_000)..<20_021 {
            for days in [18, 25, 28, 40] {
                let now = day * .day + 5 * .hour
                let timeline = Timeline(now: now, days: days)
                #expect(timeline.end <= now)
                #expect(timeline.historyStart > timeline.worldStart)
                #expect(!CalendarTime(timeline.changeAt).isWeekend)
                #expect(timeline.changeAt >= timeline.servedFrom + 7 * .day)
                #expect(timeline.end - timeline.changeAt >= 5 * .day)
            }
        }
    }

    @Test func datesGoBothWays() {
        for day in stride(from: Int64(-1000), to: 40_000, by: 37) {
            let (year, month, number) = CalendarTime(day * .day).date
            #expect(CalendarTime.milliseconds(year: year, month: month, day: number) == day * .day)
        }
        #expect(CalendarTime(CalendarTime.milliseconds(year: 2024, month: 2, day: 29)).dateText == "2024-02-29")
        #expect(CalendarTime(CalendarTime.milliseconds(year: 2013, month: 7, day: 29)).weekdayName == "Mon")
    }
}
