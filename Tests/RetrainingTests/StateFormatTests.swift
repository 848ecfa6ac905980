import FoundationEssentials
import Testing

@testable import Retraining

/// The bytes of a state: what hostile ones do, and that what was written once can be read for ever.
@Suite struct StateFormatTests {
    typealias Units = [(key: String, bytes: [UInt8])]

    /// A state with something in every unit.
    private static func engine(seed: UInt64, evaluations: Int) -> Engine {
        var scenario = StateScenario(seed: seed)
        let harness = EngineHarness(scenario.configuration)
        for _ in 0..<evaluations {
            let interval = scenario.next()
            harness.feed(interval.records)
            scenario.note(harness.evaluate(interval.boundary, wallClock: interval.wallClock))
        }
        return harness.engine
    }

    private static func units(_ engine: Engine) -> Units {
        engine.stateUnits().map { (key: $0.key, bytes: engine.encode($0)) }
    }

    /// Restores; where that works, the engine must work as well.
    private static func tryOut(_ units: Units, _ configuration: EngineConfiguration) -> Bool {
        guard let engine = try? Engine(configuration: configuration, restoring: units) else { return false }
        _ = engine.stateBytes()
        let last = engine.lastBoundary ?? 0
        guard abs(last) < 1 << 50 else { return true }
        let harness = EngineHarness(engine)
        let boundary = last.floored(to: .hour) + 2 * .hour
        harness.pulse(boundary, model: "alpha", entity: "a")
        harness.feed(.load(pool: "prod", entity: "a", cpu: 10, time: boundary - 1))
        harness.evaluate(boundary, wallClock: boundary)
        return true
    }

    @Test(arguments: [UInt64(16), 32, 3, 7])
    func `Hostile bytes end in an error or in an engine, never in a trap`(seed: UInt64) {
        let engine = Self.engine(seed: seed, evaluations: seed % 16 == 0 ? 40 : 12)
        let units = Self.units(engine)
        #expect(Self.tryOut(units, engine.configuration))
        var numbers = StateScenario.Numbers(seed)
        var refused = 0
        let mutations = Self.variable("DRIFTGATE_STATE_MUTATIONS").flatMap(Int.init) ?? 40
        for (index, unit) in units.enumerated() {
            for _ in 0..<mutations {
                var changed = units
                switch Int.random(in: 0..<4, using: &numbers) {
                case 0:
                    changed[index].bytes = Array(
                        unit.bytes.prefix(Int.random(in: 0..<unit.bytes.count, using: &numbers)))
                case 1: changed[index].bytes.append(UInt8.random(in: 0...255, using: &numbers))
                case 2:
                    // Counts of anything, in the middle of anything.
                    let place = Int.random(in: 0..<unit.bytes.count, using: &numbers)
                    changed[index].bytes.replaceSubrange(
                        place..<place + 1, with: [0xFF, 0xFF, 0xFF, 0xFF, UInt8.random(in: 0...127, using: &numbers)])
                default:
                    for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                        let place = Int.random(in: 0..<unit.bytes.count, using: &numbers)
                        changed[index].bytes[place] = UInt8.random(in: 0...255, using: &numbers)
                    }
                }
                if !Self.tryOut(changed, engine.configuration) { refused += 1 }
            }
        }
        #expect(refused > 0)
    }

    @Test func `Every truncation is refused`() {
        let engine = Self.engine(seed: 5, evaluations: 6)
        let units = Self.units(engine)
        for (index, unit) in units.enumerated() {
            for length in stride(from: 0, to: unit.bytes.count, by: max(1, unit.bytes.count / 60)) {
                var cut = units
                cut[index].bytes = Array(unit.bytes.prefix(length))
                #expect(!Self.tryOut(cut, engine.configuration), "\(unit.key) cut at \(length) was accepted")
            }
        }
    }

    @Test func `An error says what is wrong and where`() throws {
        let engine = Self.engine(seed: 5, evaluations: 6)
        var units = Self.units(engine)
        func problem(_ units: Units) -> StateError? {
            do throws(StateError) {
                _ = try Engine(configuration: engine.configuration, restoring: units)
                return nil
            } catch { return error }
        }
        #expect(problem([])?.unit == "core")
        #expect(problem(units + [units[0]])?.problem == "it occurs twice")
        #expect(problem(units + [("nonsense", [1])])?.unit == "nonsense")
        let model = try #require(units.lastIndex { $0.key.hasPrefix("model/") })
        var fewer = units
        fewer.remove(at: model)
        #expect(problem(fewer)?.problem.contains("announces") == true)
        units[model].bytes[0] = 9
        let error = try #require(problem(units))
        #expect(error.unit == units[model].key)
        #expect(error.position == 0)
        #expect("\(error)".contains("format 9"))
    }

    @Test func `Keys are names that any log can hold`() {
        let harness = EngineHarness()
        harness.pulse(monday + .hour, model: "a b/\u{E9}%")
        harness.evaluate(monday + .hour)
        #expect(
            harness.engine.stateUnits().map(\.key) == [
                "core", "names", "lane/predictions/predictions/0", "lane/actuals/actuals/0", "everything",
                "model/a%20b%2F%C3%A9%25",
            ])
    }

    // MARK: Versions of the format

    /// Every version that was ever written must be read by every later one; all fixtures hold the same state.
    @Test(arguments: [1, 2]) func `Every version is read`(version: Int) throws {
        let units = Self.units(ofFixture: version == 1 ? Self.fixture1 : Self.fixture2)
        let engine = try Engine(configuration: Self.fixtureConfiguration, restoring: units)
        #expect(engine.adaptations.isEmpty)
        #expect(engine.lastBoundary == monday + 30 * .hour)
        #expect(engine.counters.pairs == 60)
        #expect(engine.models.compactMap { $0?.name } == ["m"])
        let model = try #require(engine.models[0])
        #expect(model.ledger.open != nil)
        #expect(model.baseline?.version == 1)
        #expect(model.anomalies.count == 12)
        #expect(model.skill.followedEntities.count == 1)
        #expect(engine.everything.history.hoursKept == 31)
        // Whatever it was read from, the very same bytes are written.
        let again = Self.units(engine)
        let newest = Self.units(ofFixture: Self.fixture2)
        #expect(again.map(\.key) == newest.map(\.key))
        for (old, new) in zip(newest, again) { #expect(old.bytes == new.bytes, "\(old.key)") }
    }

    private static func units(ofFixture fixture: String) -> Units {
        fixture.split(separator: "\n").map { line in
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            let digits = Array(parts[1].utf8)
            let bytes = stride(from: 0, to: digits.count, by: 2).map { place in
                UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16)!
            }
            return (key: String(parts[0]), bytes: bytes)
        }
    }

    private static var fixtureConfiguration: EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.drift.windowSize = 12
        configuration.drift.baselineSpan = 6 * .hour
        return configuration
    }

    /// How the fixture was made.
    private static func makeFixture() -> Engine {
        let harness = EngineHarness(fixtureConfiguration)
        for hour in Int64(1)...30 {
            let time = monday + hour * .hour - 10 * .minute
            let value = Double(40 + hour * hour % 17) + 0.25
            harness.feed(.prediction(at: time, issuedAt: time - .hour, ["cpu_pct": value + 1, "mem": 5], time: time))
            harness.feed(
                .actual(hour % 2 == 0 ? "m" : "", at: time, ["cpu_pct": value, "mem": 1 / Double(hour)], time: time))
            harness.feed(.load(pool: "prod", cpu: value, rate: 3, time: time))
            if hour == 28 { harness.feed(.command(.request, time: time)) }
            if hour == 29 { harness.feed(.status("rt-unknown", .accepted, time: time)) }
            harness.evaluate(monday + hour * .hour)
        }
        return harness.engine
    }

    /// For a later version, whose fixture stands beside this one.
    @Test(.enabled(if: variable("DRIFTGATE_PRINT_STATE_FIXTURE") != nil))
    func `Prints a fixture of the format that is written`() {
        for unit in Self.units(Self.makeFixture()) {
            print(unit.key, unit.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
        }
    }

    private static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
