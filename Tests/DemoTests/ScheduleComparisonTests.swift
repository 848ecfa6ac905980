import Retraining
import Testing

@testable import Demo

/// The table at the end of the story compares schedules in the very same world.
@Suite struct ScheduleComparisonTests {
    private static let comparison: ScheduleComparison = {
        let timeline = Timeline(now: CalendarTime.milliseconds(year: 2025, month: 10, day: 15), days: 18)
        let world = World(
            seed: 3, start: timeline.worldStart, ticks: Int((timeline.end - timeline.worldStart) / World.step),
            changeAt: timeline.changeAt, serverCount: 1)
        let first = try! Forecaster.train(
            on: world.table(ticks: 0..<world.tick(at: timeline.servedFrom)), version: "first")
        return ScheduleComparison(world: world, timeline: timeline, first: first)
    }()

    @Test func trainingAfterTheChangeBeatsNeverAndNeverCostsNothing() throws {
        let never = try Self.comparison.result("never", trainingsAt: [])
        let once = try Self.comparison.result("once", trainingsAt: [Self.comparison.timeline.changeAt + 16 * .hour])
        #expect(never.trainings == 0 && never.trainingsInHighLoad == 0 && once.trainings == 1)
        #expect(once.meanErrorAfterChange < 0.8 * never.meanErrorAfterChange)
        #expect(never.meanError < never.meanErrorAfterChange)
    }

    @Test func nightsAreNoHighLoadAndAfternoonsAre() {
        let day = Self.comparison.timeline.changeAt / .day * .day
        #expect(!Self.comparison.isHighLoad(at: day + 3 * .hour))
        #expect(Self.comparison.isHighLoad(at: day + 14 * .hour))
    }

    @Test func theWeeklyRowIsTheMeanOfItsWeekdays() {
        let one = ScheduleComparison.Result(
            name: "", trainings: 2, meanError: 0.1, meanErrorAfterChange: 0.2, trainingsInHighLoad: 0)
        let two = ScheduleComparison.Result(
            name: "", trainings: 3, meanError: 0.3, meanErrorAfterChange: 0.4, trainingsInHighLoad: 1)
        let mean = ScheduleComparison.mean(of: [one, two], name: "weekly")
        #expect(mean.trainings == 2.5 && abs(mean.meanError - 0.2) < 1e-12 && mean.trainingsInHighLoad == 0.5)
    }

    @Test func columnsOfTheTableLineUp() {
        let lines = Format.table([["policy", "trainings"], ["a", "10"], ["longer", "3"]])
        #expect(Set(lines.map(\.count)).count == 1)
        #expect(lines[1].hasSuffix("10") && lines[2].hasPrefix("longer"))
    }
}
