import Testing

@testable import Retraining

/// A limit on everything that an input may grow, and forgetting what has been silent for 30 days.
@Suite struct LimitTests {
    private let noon = monday + 12 * .hour
    private let check = 5 * Milliseconds.minute

    private func harness(_ configure: (inout EngineConfiguration) -> Void) -> EngineHarness {
        var configuration = EngineConfiguration.test
        configure(&configuration)
        return EngineHarness(configuration)
    }

    @Test func `Models are bounded, and known ones go on`() {
        let harness = harness { $0.limits.models = 3 }
        for index in 0..<3 {
            #expect(harness.feed(.prediction("m\(index)", at: noon, ["a": 1], time: noon)) == nil)
        }
        for index in 3..<500 {
            #expect(harness.feed(.prediction("m\(index)", at: noon, ["a": 1], time: noon)) == .tooManyModels)
            #expect(harness.feed(.actual("m\(index)", at: noon, ["a": 1], time: noon)) == .tooManyModels)
        }
        #expect(harness.feed(.prediction("m1", at: noon + 1, ["a": 1], time: noon)) == nil)
        #expect(harness.engine.modelCount == 3)
        #expect(harness.evaluate(noon + check).decisions.count == 3)
    }

    @Test func `Entities are bounded`() {
        let harness = harness { $0.limits.entities = 3 }
        for index in 0..<3 {
            #expect(harness.feed(.prediction(entity: "e\(index)", at: noon, ["a": 1], time: noon)) == nil)
        }
        #expect(harness.feed(.prediction(entity: "e3", at: noon, ["a": 1], time: noon)) == .tooManyEntities)
        #expect(harness.feed(.actual(entity: "e4", at: noon, ["a": 1], time: noon)) == .tooManyEntities)
        #expect(harness.feed(.actual(entity: "e0", at: noon, ["a": 1], time: noon)) == nil)
        #expect(harness.engine.entityCount == 3)
        // Machines of the load are counted for themselves.
        for index in 0..<3 { #expect(harness.feed(.load(entity: "h\(index)", cpu: 1, time: noon)) == nil) }
        #expect(harness.feed(.load(entity: "h3", cpu: 1, time: noon)) == .tooManyEntities)
    }

    @Test func `Metrics of a model are bounded: a record beyond is refused whole`() {
        let harness = harness { $0.limits.metricsPerModel = 2 }
        #expect(harness.feed(.prediction(at: noon, ["a": 1, "b": 1], time: noon)) == nil)
        #expect(harness.feed(.prediction(at: noon + 1, ["a": 1, "c": 1], time: noon)) == .tooManyMetrics)
        #expect(harness.feed(.actual(at: noon + 1, ["d": 1], time: noon)) == .tooManyMetrics)
        // Another model has its own.
        #expect(harness.feed(.prediction("n", at: noon, ["c": 1, "d": 1], time: noon)) == nil)
        harness.feed(.actual(at: noon + 1, ["a": 1], time: noon))
        let decisions = harness.evaluate(noon + check).decisions
        #expect(decisions.map { $0.signal?.metrics.map(\.metric) } == [["a", "b"], ["c", "d"]])
        #expect(decisions[0].signal?.pairs == 0)
    }

    @Test func `Versions are bounded`() {
        let harness = harness { $0.limits.models = 1 }
        var refused = 0
        for index in 0..<500 {
            let rejection = harness.feed(.prediction(version: "v\(index)", at: noon, ["a": 1], time: noon))
            if rejection == .tooManyVersions { refused += 1 }
        }
        #expect(refused > 0)
        #expect(harness.engine.versionNames.count < 500)
        #expect(harness.engine.versionNames.count + refused == 500)
    }

    @Test func `A record that names no model has none, unless there is a default`() {
        let harness = EngineHarness()
        #expect(harness.feed(.prediction("", at: noon, ["a": 1], time: noon)) == .noModel)
        #expect(harness.engine.modelCount == 0)
    }

    @Test func `Refused records still move the position on`() {
        let harness = harness { $0.limits.models = 1 }
        harness.feed(.prediction("a", at: noon, ["a": 1], time: noon))
        harness.feed(.prediction("b", at: noon, ["a": 1], time: noon))
        harness.feed(StreamRecord(timestamp: noon, payload: .broken))
        #expect(
            harness.decide(noon + check).cut.positions == [
                .init(topic: "predictions", partition: 0, nextOffset: 3)
            ])
    }

    @Test func `Every rejection says what to do`() {
        for rejection in EngineRejection.allCases { #expect(rejection.hint.count > 20) }
        #expect(Set(EngineRejection.allCases.map(\.hint)).count == EngineRejection.allCases.count)
    }

    // MARK: Forgetting

    @Test func `Models silent for 30 days are forgotten, those open or alive are not`() {
        let harness = EngineHarness()
        harness.injectScore { _ in 0.01 }
        harness.pulse(noon, model: "gone", entity: "g")
        harness.pulse(noon, model: "alive", entity: "a")
        harness.evaluate(noon)
        #expect(harness.engine.modelCount == 2)
        var boundary = noon
        while boundary < noon + 29 * .day {
            boundary += .day
            harness.pulse(boundary, model: "alive", entity: "a")
            harness.evaluate(boundary)
        }
        #expect(harness.engine.modelCount == 2)
        for _ in 0..<3 {
            boundary += .day
            harness.pulse(boundary.floored(to: .day), model: "alive", entity: "a")
            harness.evaluate(boundary.floored(to: .day))
        }
        #expect(harness.engine.modelCount == 1)
        #expect(harness.engine.entityCount == 1)
        // Who comes back begins anew.
        harness.pulse(boundary + .day, model: "gone", entity: "g")
        let decisions = harness.evaluate(boundary + .day).decisions
        #expect(decisions.map(\.model) == ["alive", "gone"])
        #expect(decisions[1].history.lastTraining == boundary + .day - .minute)
    }

    @Test func `Machines silent for 30 days make room for others`() {
        let harness = harness { $0.limits.entities = 2 }
        harness.injectScore { _ in 0.01 }
        for name in ["h0", "h1"] { harness.feed(.load(entity: name, cpu: 1, time: noon)) }
        harness.pulse(noon + check)
        harness.evaluate(noon + check)
        for day in Int64(1)...32 {
            harness.pulse(monday + day * .day)
            harness.evaluate(monday + day * .day)
        }
        #expect(harness.feed(.load(entity: "h2", cpu: 1, time: monday + 32 * .day)) == nil)
    }

    @Test func `Names of refused records are forgotten too`() {
        let harness = harness {
            $0.limits.metricsPerModel = 1; $0.limits.entities = 10
        }
        harness.feed(.prediction(entity: "ok", at: noon, ["a": 1], time: noon))
        for index in 0..<9 {
            #expect(harness.feed(.prediction(entity: "e\(index)", at: noon, ["b": 1], time: noon)) == .tooManyMetrics)
        }
        harness.evaluate(noon + check)
        for day in Int64(1)...32 {
            let boundary = monday + day * .day
            harness.feed(.prediction(entity: "ok", at: boundary, ["a": 1], time: boundary - 1))
            harness.evaluate(boundary)
        }
        #expect(harness.engine.entityCount == 1)
    }

    // MARK: Floods

    @Test func `A flood of unknown models, entities and metrics leaves tables as large as their limits`() {
        let harness = harness { configuration in
            configuration.limits.models = 10
            configuration.limits.entities = 20
            configuration.limits.metricsPerModel = 4
            configuration.limits.retainedHalves = 50
        }
        var boundary = noon
        for round in 0..<20 {
            for index in 0..<200 {
                let name = "x\(round)-\(index)"
                let time = boundary + Int64(index)
                harness.feed(.prediction(name, entity: "e", at: time, ["a": 1], time: time))
                harness.feed(.prediction("m0", entity: name, at: time, ["a": 1], time: time))
                harness.feed(
                    StreamRecord(
                        timestamp: time,
                        payload: .prediction(
                            model: "m0", version: "v\(index % 3)", entity: "e", at: time, issuedAt: time,
                            isShadow: false, values: [.init(name, 1)])))
                harness.feed(.load(entity: name, cpu: 1, time: time))
                harness.feed(.status(name, .succeeded, time: time))
                harness.feed(.command(.request, model: name, time: time))
                // Without a model, and far ahead: nobody will ever meet it.
                harness.feed(.actual("", entity: "e", at: time + .day * Int64(index % 30), ["a": 1], time: time))
            }
            boundary += check
            harness.evaluate(boundary)
        }
        let engine = harness.engine
        #expect(engine.modelCount <= 10)
        #expect(engine.entityCount <= 20)
        #expect(engine.machineNames.count <= 20)
        #expect(engine.models.compactMap { $0?.metricCount }.max() ?? 0 <= 4)
        #expect(engine.metricNames.count <= 64 * 4)
        #expect(engine.retainedHalves <= 50)
        #expect(engine.sharedActuals.count <= 50)
        #expect(engine.lanes.allSatisfy { $0.rows.isEmpty && $0.values.isEmpty && $0.controls.isEmpty })
        #expect(engine.requestModels.count <= 10)
        #expect(engine.counters.unknownRequests > 0)
    }

    @Test func `The join's memory is used again`() {
        let harness = EngineHarness()
        harness.injectScore { _ in 0.01 }
        var largest = 0
        for step in 1...600 {
            let boundary = noon + Int64(step) * 30 * .minute
            for entity in 0..<10 { harness.pulse(boundary, entity: "e\(entity)") }
            harness.evaluate(boundary)
            largest = max(largest, harness.engine.retainedHalves)
        }
        // 2 h of lateness and up to an hour more: at most 3.5 h of 20 halves each half hour.
        #expect(largest <= 7 * 20)
        let join = harness.engine.models[0]!.join
        #expect(join.rows.count <= 8 * 20)
        #expect(join.cells.count <= 8 * 10)
    }

    @Test func `Names come and go without leaving bytes behind`() {
        var table = NameTable()
        for index in 0..<20_000 {
            let number = table.intern("name-\(index)")
            #expect(table[number] == "name-\(index)")
            if index >= 10 { table.forget(table.find("name-\(index - 10)")!) }
        }
        #expect(table.count == 10)
        #expect(table.upperBound <= 11)
        #expect(table.find("name-5") == nil)
        #expect(table.find("name-19999") != nil)
    }
}
