import Retraining
import Testing

@testable import Contracts

/// Protects: times mean the same here as everywhere else.
@Suite struct TimestampTests {
    static let good: [(String, Milliseconds)] = [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2024-10-17T16:00:00Z", 1_729_180_800_000),
        ("2024-10-17t16:00:00z", 1_729_180_800_000),
        ("2024-10-17 16:00:00Z", 1_729_180_800_000),
        ("2024-10-17T18:30:00+02:30", 1_729_180_800_000),
        ("2024-10-16T17:00:00-23:00", 1_729_180_800_000),
        ("2024-10-17T16:00:00-00:00", 1_729_180_800_000),
        ("2024-10-17T16:00:00.1Z", 1_729_180_800_100),
        ("2024-10-17T16:00:00.12Z", 1_729_180_800_120),
        ("2024-10-17T16:00:00.123999999Z", 1_729_180_800_123),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        // RFC 3339, section 5.8: the leap second at the end of 1990, in two time zones.
        ("1990-12-31T23:59:60Z", 662_688_000_000),
        ("1990-12-31T15:59:60-08:00", 662_688_000_000),
    ]

    @Test(arguments: good.indices)
    func reads(_ index: Int) {
        #expect(Timestamp.parse(Self.good[index].0) == Self.good[index].1)
    }

    static let broken = [
        "", "2024-10-17", "2024-10-17T16:00:00", "2024-10-17T16:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z",
        "2024-01-00T00:00:00Z", "2024-01-32T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z", "2024-10-17T24:00:00Z", "2024-10-17T16:60:00Z", "2024-10-17T16:00:61Z",
        "2024-10-17T16:00:60Z", "2024-10-17T16:00:00.Z", "2024-10-17T16:00:00,5Z", "2024-10-17T16:00:00+0200",
        "2024-10-17T16:00:00+02", "2024-10-17T16:00:00+24:00", "2024-10-17T16:00:00+02:60", "2024-10-17T16:00:00Zx",
        "2024-10-17T16:00:00ZZ", "2024-10-17X16:00:00Z", "+024-10-17T16:00:00Z", "2024-1-017T16:00:00Z",
        "2024-10-17T16:00:00." + String(repeating: "1", count: 60) + "Z", "20241017T160000Z....",
    ]

    @Test(arguments: broken)
    func refuses(_ text: String) {
        #expect(Timestamp.parse(text) == nil)
    }

    @Test("what is written reads back as the same time")
    func roundTrip() {
        var generator = SeededGenerator(state: 7)
        for _ in 0..<20_000 {
            let time = Milliseconds.random(in: -62_167_219_200_000...253_402_300_799_999, using: &generator)
            #expect(Timestamp.text(time).flatMap { Timestamp.parse($0) } == time)
        }
        #expect(Timestamp.text(1_729_180_800_001) == "2024-10-17T16:00:00.001Z")
        #expect(Timestamp.text(.unknownTime) == nil)
        #expect(Timestamp.text(253_402_300_800_000) == nil)
    }
}
