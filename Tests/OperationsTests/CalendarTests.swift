import Retraining
import Testing

@testable import Operations

/// Protects local time: a quiet window an hour off is a training in the morning rush.
@Suite struct CalendarTests {
    private func calendar(_ zone: String) -> LocalCalendar {
        var settings = CalendarSettings()
        settings.timeZone = zone
        return settings.localCalendar()
    }

    private func offset(_ calendar: LocalCalendar, _ utc: String) throws -> Int {
        let time = try #require(LocalTime(utc)).milliseconds(in: calendar)
        return try #require(calendar.offsets.last { $0.from <= time }).seconds
    }

    /// The second before and the second of each change, by the rules of the European Union and the United States.
    @Test(arguments: [
        ("Europe/Berlin", "2025-03-30T00:59:59Z", 3_600), ("Europe/Berlin", "2025-03-30T01:00:00Z", 7_200),
        ("Europe/Berlin", "2025-10-26T00:59:59Z", 7_200), ("Europe/Berlin", "2025-10-26T01:00:00Z", 3_600),
        ("Europe/Berlin", "2000-01-01T00:00:00Z", 3_600), ("Europe/Berlin", "2050-07-01T00:00:00Z", 7_200),
        ("America/New_York", "2025-03-09T06:59:59Z", -18_000), ("America/New_York", "2025-03-09T07:00:00Z", -14_400),
        ("America/New_York", "2025-11-02T05:59:59Z", -14_400), ("America/New_York", "2025-11-02T06:00:00Z", -18_000),
        // Until 2006 the United States changed in April.
        ("America/New_York", "2006-04-02T06:59:59Z", -18_000), ("America/New_York", "2006-04-02T07:00:00Z", -14_400),
        // No daylight saving, but a move of the whole zone: Samoa skipped 30 December 2011.
        ("Pacific/Apia", "2011-12-30T09:59:59Z", -36_000), ("Pacific/Apia", "2011-12-30T10:00:00Z", 50_400),
        ("Asia/Kolkata", "2025-06-01T00:00:00Z", 19_800), ("UTC", "2025-06-01T00:00:00Z", 0),
    ])
    func offsets(_ zone: String, _ utc: String, _ expected: Int) throws {
        #expect(try offset(calendar(zone), utc) == expected)
    }

    @Test func offsetsAscendAndAlternate() {
        let offsets = calendar("Europe/Berlin").offsets
        // Two changes a year from 2000 to 2100, and the stretch before them.
        #expect(offsets.count == 2 * 101 + 1)
        #expect(offsets[0].from == .min)
        #expect(zip(offsets, offsets.dropFirst()).allSatisfy { $0.from < $1.from && $0.seconds != $1.seconds })
        #expect(calendar("UTC").offsets == [.init(from: .min, seconds: 0)])
    }

    @Test(arguments: [
        ("2025-12-24", "2025-12-23T23:00:00Z"),
        ("2025-12-24T18:00", "2025-12-24T17:00:00Z"),
        ("2025-07-01 18:00:30", "2025-07-01T16:00:30Z"),
        ("2025-07-01T18:00:00-05:30", "2025-07-01T23:30:00Z"),
        // Passed twice: the first time. Skipped: with the offset before.
        ("2025-10-26T02:30", "2025-10-26T00:30:00Z"),
        ("2025-03-30T02:30", "2025-03-30T01:30:00Z"),
    ])
    func localTimes(_ local: String, _ utc: String) throws {
        let berlin = calendar("Europe/Berlin")
        let expected = try #require(LocalTime(utc)).milliseconds(in: berlin)
        #expect(try #require(LocalTime(local)).milliseconds(in: berlin) == expected)
    }

    @Test(arguments: ["2025-13-01", "2025-02-30", "2025-12-24T", "2025-12-24T25:00", "2025-12-24T18", "24.12.2025", ""])
    func notATime(_ text: String) { #expect(LocalTime(text) == nil) }

    @Test func daysOfTheCalendar() throws {
        #expect(CalendarDay.days(year: 1970, month: 1, day: 1) == 0)
        #expect(CalendarDay.days(year: 2025, month: 10, day: 17) == 20_378)
        for days in stride(from: 10_957, to: 47_847, by: 13) {
            let text = CalendarDay.text(days: days)
            #expect(try #require(CalendarDay(text)).days == [days])
        }
        #expect(try #require(CalendarDay("02-29")).days.count == 25)
    }

    @Test func holidaysAndQuarterEnds() throws {
        var settings = CalendarSettings()
        settings.holidays = ["2025-04-18", "12-25"]
        settings.quarterEnds = true
        let calendar = settings.localCalendar()
        #expect(calendar.holidays.count == 1 + 101)
        #expect(calendar.holidays.contains(CalendarDay.days(year: 2031, month: 12, day: 25)))
        // 31 March 2025 was a Monday; 31 August is no quarter end; 31 December 2023 was a Sunday, the 29th a Friday.
        for (year, month, day, isBusy) in [
            (2025, 3, 31, true), (2025, 3, 28, false), (2025, 8, 31, false), (2023, 12, 31, true),
            (2023, 12, 30, false), (2023, 12, 29, true),
        ] {
            #expect(calendar.busyDays.contains(CalendarDay.days(year: year, month: month, day: day)) == isBusy)
        }
    }

    @Test func blackoutsReachTheEngine() throws {
        let yaml = """
            quiet:
              time_zone: Europe/Berlin
              blackouts:
                - from: 2025-11-28
                  to: 2025-12-02T06:00
                  name: Black Friday
            """
        let configuration = try Configuration.load(yaml: Array(yaml.utf8), name: "f.yaml")
        let utc = LocalCalendar()
        #expect(
            configuration.engine.quiet.blackouts == [
                .init(
                    from: try #require(LocalTime("2025-11-27T23:00Z")).milliseconds(in: utc),
                    to: try #require(LocalTime("2025-12-02T05:00Z")).milliseconds(in: utc), name: "Black Friday")
            ])
        #expect(configuration.engine.quiet.calendar.timeZone == "Europe/Berlin")
    }
}
