import FoundationEssentials
import Testing

@testable import Retraining

/// An engine that was interrupted goes on byte for byte as one that was not.
@Suite struct StateTests {
    /// `DRIFTGATE_STATE_SEEDS` asks for more.
    private static let seeds: ClosedRange<UInt64> =
        1...(ProcessInfo.processInfo.environment["DRIFTGATE_STATE_SEEDS"].flatMap(UInt64.init) ?? 120)

    private static func restore(_ engine: Engine, _ numbers: inout StateScenario.Numbers) throws -> Engine {
        let units = engine.stateUnits().map { (key: $0.key, bytes: engine.encode($0)) }.shuffled(using: &numbers)
        return try Engine(configuration: engine.configuration, restoring: units)
    }

    /// What a state test has met, so that it cannot pass by meeting nothing.
    struct Coverage {
        var triggers = 0
        var verdicts = 0
        var refused = 0
        var forgotten = 0
        var evicted: UInt64 = 0
        var thinned = 0
        var skilled = 0
        var baselines = 0
        var trainerBaselines = 0
        var orphans = 0
        var interruptions = 0
        var replays = 0

        static func += (left: inout Coverage, right: Coverage) {
            left.triggers += right.triggers
            left.verdicts += right.verdicts
            left.refused += right.refused
            left.forgotten += right.forgotten
            left.evicted += right.evicted
            left.thinned += right.thinned
            left.skilled += right.skilled
            left.baselines += right.baselines
            left.trainerBaselines += right.trainerBaselines
            left.orphans += right.orphans
            left.interruptions += right.interruptions
            left.replays += right.replays
        }

        mutating func note(_ engine: Engine) {
            for model in engine.models.compactMap({ $0 }) {
                if model.windows.contains(where: { $0.actuals?.thinning ?? 0 > 0 }) { thinned += 1 }
                if !model.skill.versions.isEmpty { skilled += 1 }
                if model.baseline != nil { baselines += 1 }
                if model.baseline?.origin == .trainer { trainerBaselines += 1 }
            }
            if !engine.orphans.isEmpty { orphans += 1 }
        }
    }

    /// Feeds a history to an engine that is never interrupted and to one that is, again and again, and compares effects
    /// and state after every evaluation.
    private func run(seed: UInt64) throws -> Coverage {
        var scenario = StateScenario(seed: seed)
        var numbers = StateScenario.Numbers(seed &* 31)
        let whole = EngineHarness(scenario.configuration)
        var broken = EngineHarness(scenario.configuration)
        var coverage = Coverage()
        var entities = 0
        var before = whole.engine.stateBytes()
        for _ in 0..<scenario.evaluations {
            let interval = scenario.next()
            var isRefused: [Bool] = []
            for record in interval.records { isRefused.append(whole.feed(record) != nil) }
            coverage.refused += isRefused.count { $0 }

            // Partitions interleave in another way; but where a limit bites, who comes first gets in, so that the order
            // must then be the same, or what was refused be known.
            let isInterrupted = Int.random(in: 0..<3, using: &numbers) == 0
            let isReplayed = isInterrupted && Bool.random(using: &numbers)
            var order = Array(interval.records.indices)
            if isReplayed || !isRefused.contains(true) {
                order.sort {
                    let (a, b) = (interval.records[$0], interval.records[$1])
                    return (-a.role.rawValue, a.partition, $0) < (-b.role.rawValue, b.partition, $1)
                }
            }
            if isInterrupted {
                coverage.interruptions += 1
                #expect(whole.engine.stateBytes() == before, "seed \(seed): collecting changes the state")
                for index in order.prefix(Int.random(in: 0...order.count, using: &numbers)) {
                    broken.feed(interval.records[index])
                }
                broken = EngineHarness(try Self.restore(broken.engine, &numbers))
                #expect(broken.engine.stateBytes() == before, "seed \(seed): a restored engine has another state")
                #expect(broken.engine.adaptations.isEmpty)
            }
            // What was evaluated before is evaluated again from what was recorded.
            broken.engine.isReplaying = isReplayed
            for index in order {
                let record = interval.records[index]
                if isReplayed, isRefused[index] {
                    let lane = broken.lane(record)
                    broken.engine.skip(lane: lane, offset: broken.engine.nextOffset(lane: lane))
                } else {
                    let isRefusedToo = broken.feed(record) != nil
                    if isReplayed { #expect(!isRefusedToo) }
                }
            }
            broken.engine.isReplaying = false
            var effects: [Effect] = []
            whole.engine.evaluate(
                at: interval.boundary, wallClock: interval.wallClock, streamTime: interval.streamTime, into: &effects)
            var again: [Effect] = []
            let published = effects.requests.filter { $0.attempt == 1 }.map {
                PublishedRequest(model: $0.model, reason: $0.reason, requestID: $0.requestID)
            }
            if isReplayed { coverage.replays += 1 }
            broken.engine.evaluate(
                at: interval.boundary, wallClock: interval.wallClock, streamTime: interval.streamTime,
                published: isReplayed ? published : nil, into: &again)
            scenario.note(effects)
            coverage.triggers += effects.triggers.count
            coverage.verdicts += effects.count { if case .verdict = $0 { true } else { false } }
            coverage.note(whole.engine)
            if whole.engine.entityCount < entities { coverage.forgotten += 1 }
            entities = whole.engine.entityCount
            before = whole.engine.stateBytes()
            let isSame = again == effects && broken.engine.stateBytes() == before
            try #require(
                isSame,
                "seed \(seed) at \(interval.boundary): \(Self.difference(effects, again, whole.engine, broken.engine))")
            #expect(broken.engine.counters == whole.engine.counters)
            #expect(broken.engine.streamTime == whole.engine.streamTime)
            #expect(broken.engine.cutPositions == whole.engine.cutPositions)
        }
        coverage.evicted = whole.engine.counters.evictedHalves
        return coverage
    }

    private static func difference(_ left: [Effect], _ right: [Effect], _ a: Engine, _ b: Engine) -> String {
        for (left, right) in zip(left, right) where left != right { return "\(left)\nagainst\n\(right)" }
        guard left.count == right.count else { return "\(left.count) effects against \(right.count)" }
        let others = Dictionary(b.stateUnits().map { ($0.key, b.encode($0)) }, uniquingKeysWith: { $1 })
        for unit in a.stateUnits() {
            let (own, other) = (a.encode(unit), others[unit.key] ?? [])
            if own != other { return "unit \(unit.key) from byte \(zip(own, other).prefix { $0 == $1 }.count)" }
        }
        return "other units"
    }

    @Test func `An interrupted engine goes on as if nothing had happened`() async throws {
        let coverage = try await withThrowingTaskGroup(of: Coverage.self) { group in
            for part in 0..<UInt64(2) {
                group.addTask {
                    var sum = Coverage()
                    for seed in Self.seeds where seed % 2 == part { sum += try run(seed: seed) }
                    return sum
                }
            }
            return try await group.reduce(into: Coverage()) { $0 += $1 }
        }
        #expect(coverage.triggers > 0)
        #expect(coverage.verdicts > 0)
        #expect(coverage.refused > 0)
        #expect(coverage.forgotten > 0)
        #expect(coverage.evicted > 0)
        #expect(coverage.thinned > 0)
        #expect(coverage.skilled > 0)
        #expect(coverage.baselines > 0)
        #expect(coverage.trainerBaselines > 0)
        #expect(coverage.orphans > 0)
        #expect(coverage.interruptions > 0)
        #expect(coverage.replays > 0)
    }

    /// Long enough for a baseline of the hours of the week.
    private static func seasonal() -> CalibratedStream {
        var stream = CalibratedStream()
        stream.run(hours: 15 * 24)
        stream.harness.feed(.command(.baselineReset, time: stream.now))
        stream.run(hours: 1)
        return stream
    }

    @Test func `Baselines of the hours of the week go on as if nothing had happened`() throws {
        var numbers = StateScenario.Numbers(1)
        var whole = Self.seasonal()
        var broken = CalibratedStream(
            going: EngineHarness(try Self.restore(whole.harness.engine, &numbers)), from: whole.hour)
        #expect(broken.harness.engine.models[0]?.baseline?.metrics[0]?.seasonal != nil)
        for _ in 0..<30 {
            // A day cycle that has moved, so that the comparison has something to say.
            let moved: (Int64) -> Double = { CalibratedStream.level($0 + 6) }
            let effects = whole.step(level: moved)
            #expect(broken.step(level: moved) == effects)
            #expect(effects.decisions.last?.signal?.metrics[0].seasonalStatistic != nil)
            #expect(broken.harness.engine.stateBytes() == whole.harness.engine.stateBytes())
        }
    }

    @Test func `In another time zone baselines lose their hours of the week`() throws {
        let engine = Self.seasonal().harness.engine
        var configuration = engine.configuration
        configuration.quiet.calendar.timeZone = "Asia/Tokyo"
        configuration.quiet.calendar.offsets = [.init(from: .min, seconds: 9 * 3600)]
        let moved = try Engine(
            configuration: configuration,
            restoring: engine.stateUnits().map { (key: $0.key, bytes: engine.encode($0)) })
        let baseline = try #require(moved.models[0]?.baseline?.metrics[0])
        #expect(baseline.seasonal == nil)
        #expect(baseline.pooled.distribution.count > 300)
        #expect(moved.adaptations.count == 1)
    }

    @Test func `A fresh engine's state restores to a fresh engine`() throws {
        var numbers = StateScenario.Numbers(1)
        let engine = Engine(configuration: .test)
        let again = try Self.restore(engine, &numbers)
        #expect(again.lastBoundary == nil)
        #expect(again.streamTime == nil)
        #expect(again.stateBytes() == engine.stateBytes())
    }

    @Test func `A refused row leaves no trace`() {
        var configuration = EngineConfiguration.test
        configuration.limits.models = 1
        configuration.limits.entities = 2
        configuration.limits.metricsPerModel = 2
        let harness = EngineHarness(configuration)
        harness.pulse(monday + .hour, model: "m")
        harness.evaluate(monday + .hour)
        let tables = { (engine: Engine) in
            [engine.modelNames, engine.entityNames, engine.metricNames, engine.versionNames].map(\.count)
        }
        let before = tables(harness.engine)
        let time = monday + .hour
        #expect(harness.feed(.prediction("n", entity: "x", at: time, ["y": 1], time: time)) == .tooManyModels)
        #expect(
            harness.feed(.prediction(version: "v9", entity: "x", at: time, ["y": 1, "z": 1], time: time))
                == .tooManyMetrics)
        #expect(harness.feed(.actual(entity: "x", at: time, ["y": 1, "z": 1], time: time)) == .tooManyMetrics)
        #expect(tables(harness.engine) == before)
        harness.engine.isReplaying = true
        #expect(harness.feed(.prediction("n", entity: "x", at: time, ["y": 1, "z": 1], time: time)) == nil)
    }

    @Test func `The cut is that of the last evaluation`() {
        let harness = EngineHarness()
        harness.pulse(monday + .hour)
        #expect(harness.engine.cutPositions.isEmpty)
        harness.evaluate(monday + .hour)
        harness.pulse(monday + 2 * .hour)
        #expect(
            harness.engine.cutPositions == [
                CutPosition(
                    topic: "predictions", partition: 0, role: .predictions, nextOffset: 1,
                    mergeTime: monday + 59 * .minute),
                CutPosition(
                    topic: "actuals", partition: 0, role: .actuals, nextOffset: 1, mergeTime: monday + 59 * .minute),
            ])
    }
}
