import Testing

@testable import Retraining

/// A state that meets another configuration than the one that it was written under.
@Suite struct StateConfigurationTests {
    private static func configuration(_ change: (inout EngineConfiguration) -> Void = { _ in }) -> EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.drift.windowSize = 60
        configuration.drift.baselineSpan = 6 * .hour
        change(&configuration)
        return configuration
    }

    /// Two days, hour by hour, of three entities of two models.
    private static func feed(_ harness: EngineHarness, hours: ClosedRange<Int64>) {
        for hour in hours {
            let time = monday + hour * .hour - 10 * .minute
            for model in ["m", "n"] {
                for (index, entity) in ["a", "b", "c"].enumerated() {
                    let value = Double(40 + (hour * 7 + Int64(index)) % 17)
                    for lead in [Int64(1), 12] {
                        harness.feed(
                            .prediction(
                                model, entity: entity, at: time, issuedAt: time - lead * .hour, ["cpu": value + 1],
                                time: time))
                    }
                    harness.feed(.actual(model, entity: entity, at: time, ["cpu": value], time: time))
                }
            }
            harness.feed(.load(pool: "prod", cpu: 30, time: time))
            harness.evaluate(monday + hour * .hour)
        }
    }

    private static func restored(
        from old: EngineConfiguration, to new: EngineConfiguration
    ) throws -> (old: Engine, new: EngineHarness) {
        let harness = EngineHarness(old)
        feed(harness, hours: 1...48)
        let engine = harness.engine
        let units = engine.stateUnits().map { (key: $0.key, bytes: engine.encode($0)) }
        return (engine, EngineHarness(try Engine(configuration: new, restoring: units)))
    }

    private static func window(_ engine: Engine) -> SampleWindow<ActualSample> {
        engine.models[Int(engine.modelNames.find("m")!)]!.windows[0].actuals!
    }

    @Test(arguments: DriftConfiguration.Window.allCases)
    func `Smaller windows are thinned or keep the newest`(kind: DriftConfiguration.Window) throws {
        let (old, harness) = try Self.restored(
            from: Self.configuration { $0.drift.window = kind },
            to: Self.configuration {
                $0.drift.window = kind
                $0.drift.windowSize = 20
            })
        let (before, after) = (Self.window(old), Self.window(harness.engine))
        #expect(before.count > 20)
        #expect((1...20).contains(after.count))
        #expect(after.newest == before.newest || kind == .span)
        if kind == .span { #expect(after.thinning > before.thinning) }
        #expect(harness.engine.adaptations.count == 1)
        Self.feed(harness, hours: 49...50)
        #expect(Self.window(harness.engine).count <= 20)
    }

    @Test func `Larger windows keep what there is and fill up`() throws {
        let (old, harness) = try Self.restored(
            from: Self.configuration { $0.drift.window = .count },
            to: Self.configuration {
                $0.drift.window = .count
                $0.drift.windowSize = 200
            })
        #expect(Self.window(harness.engine).count == Self.window(old).count)
        Self.feed(harness, hours: 49...52)
        #expect(Self.window(harness.engine).count == Self.window(old).count + 12)
    }

    @Test func `Windows of other kinds keep their samples`() throws {
        for (from, to) in [(DriftConfiguration.Window.span, DriftConfiguration.Window.count), (.count, .span)] {
            let (old, harness) = try Self.restored(
                from: Self.configuration { $0.drift.window = from }, to: Self.configuration { $0.drift.window = to })
            #expect(Self.window(harness.engine).count == Self.window(old).count)
            #expect(to == .span || Self.window(harness.engine).thinning == 0)
            #expect(!harness.engine.adaptations.isEmpty)
            Self.feed(harness, hours: 49...50)
        }
    }

    @Test func `Buckets that are no more are dropped, the others keep their pairs under another number`() throws {
        let (old, harness) = try Self.restored(
            from: Self.configuration(),
            to: Self.configuration { $0.drift.horizonBuckets = [30 * .minute, .hour * 3 / 2, 9 * .hour] })
        let errors = { (engine: Engine) in
            engine.models[Int(engine.modelNames.find("m")!)]!.windows[0].errors.map { $0?.count ?? 0 }
        }
        let before = errors(old)
        // The first bucket was split; those beyond it are the same under the next number.
        #expect(before[0] > 0)
        #expect(before[2] > 0)
        #expect(errors(harness.engine) == [0, 0, 0, before[2]])
        Self.feed(harness, hours: 49...50)
    }

    @Test func `Calibrated becomes plain and plain calibrated`() throws {
        let plain = Self.configuration { $0.drift.scoring = .plain }
        var (_, harness) = try Self.restored(from: Self.configuration(), to: plain)
        let model = try #require(harness.engine.models[0])
        #expect(model.skill.versions.isEmpty)
        #expect(model.windows[0].reference == nil)
        #expect(model.baseline != nil)
        Self.feed(harness, hours: 49...50)
        #expect(harness.effects.decisions.last?.signal?.scoring == .plain)

        (_, harness) = try Self.restored(from: plain, to: Self.configuration())
        #expect((harness.engine.models[0]?.windows[0].reference?.count ?? 0) > 0)
        Self.feed(harness, hours: 49...50)
        #expect(harness.effects.decisions.last?.signal?.scoring == .calibrated)
    }

    @Test func `A shorter lookback keeps the latest load`() throws {
        let (old, harness) = try Self.restored(
            from: Self.configuration { $0.quiet.lookback = 60 * .day }, to: Self.configuration())
        #expect(harness.engine.everything.history.hoursKept == old.everything.history.hoursKept)
        #expect(harness.engine.everything.history.latestHour == old.everything.history.latestHour)
        Self.feed(harness, hours: 49...50)
    }

    @Test func `What is known stays known under lower limits, and is said`() throws {
        let (_, harness) = try Self.restored(
            from: Self.configuration(),
            to: Self.configuration {
                $0.limits.models = 1
                $0.limits.entities = 2
                $0.limits.retainedHalves = 4
            })
        #expect(harness.engine.modelCount == 2)
        #expect(harness.engine.adaptations.count == 3)
        Self.feed(harness, hours: 49...49)
        #expect(harness.engine.retainedHalves <= 4)
        let time = monday + 50 * .hour
        #expect(harness.feed(.prediction("x", entity: "a", at: time, ["cpu": 1], time: time)) == .tooManyModels)
        #expect(harness.feed(.prediction("n", entity: "a", at: time, ["cpu": 1], time: time)) == nil)
    }

    @Test func `The same configuration needs no adaptation`() throws {
        let (old, harness) = try Self.restored(from: Self.configuration(), to: Self.configuration())
        #expect(harness.engine.adaptations.isEmpty)
        #expect(harness.engine.stateDigest() == old.stateDigest())
    }
}
