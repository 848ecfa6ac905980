import Testing

@testable import Retraining

/// What leaves for the trainers, and what comes back.
@Suite struct RequestTests {
    private let start = monday + 12 * .hour
    private let check = 5 * Milliseconds.minute

    private func harness(_ configure: (inout EngineConfiguration) -> Void = { _ in }) -> EngineHarness {
        var configuration = EngineConfiguration.test
        configure(&configuration)
        let harness = EngineHarness(configuration)
        harness.injectScore { _ in 0.11 }
        harness.injectLoad { _ in 0.1 }
        return harness
    }

    @discardableResult
    private func decide(_ harness: EngineHarness, at boundary: Milliseconds) -> Decision {
        harness.pulse(boundary)
        return harness.decide(boundary)
    }

    // MARK: Contents

    @Test func `A request says all that a trainer needs`() throws {
        let harness = harness()
        let decision = decide(harness, at: start)
        let request = try #require(harness.effects.requests.first)
        #expect(request.requestID == decision.requestID)
        #expect(request.attempt == 1)
        #expect(request.model == "m")
        #expect(request.modelVersion == "v1")
        #expect(request.requestedAt == start)
        #expect(request.mode == "incremental")
        #expect(request.epochs == 1)
        #expect(request.trainingFrom == start - 30 * .day)
        #expect(request.trainingTo == start)
        #expect(request.keepShadow == 72 * .hour)
        #expect(request.driftOnset == start)
        #expect(request.reason == .driftQuiet)
        #expect(request.text == decision.text)
        #expect(request.priority == .normal)
        #expect(request.confidence == decision.confidence)
        #expect(request.decisionID == decision.id)
        #expect(request.deadline == start + 24 * .hour)
        #expect(request.replyTopic == "training-status")
    }

    @Test func `The decision comes before its request, and both before the alert`() {
        let harness = harness()
        harness.pulse(start)
        let kinds = harness.evaluate(start).map { effect in
            switch effect {
            case .decision: "decision"
            case .request: "request"
            case .alert: "alert"
            case .verdict: "verdict"
            }
        }
        #expect(kinds == ["decision", "request", "alert"])
    }

    @Test func `The training window is named in exact offsets, a partition at a time`() throws {
        var configuration = EngineConfiguration.test
        configuration.drift.checkInterval = .hour
        configuration.training.window = 24 * .hour
        let harness = EngineHarness(configuration)
        harness.injectScore { $0 < start ? 0.01 : 0.11 }
        harness.injectLoad { _ in 0.1 }
        // Every hour: 3 predictions to partition 0, 1 to partition 1 and 2 actuals, each partition from offset 100 on.
        for lane in [
            harness.engine.lane(topic: "predictions", partition: 0, role: .predictions),
            harness.engine.lane(topic: "predictions", partition: 1, role: .predictions),
            harness.engine.lane(topic: "actuals", partition: 0, role: .actuals),
        ] { harness.engine.begin(lane: lane, at: 100) }
        let first = start - 48 * .hour
        for hour in 0..<Int64(48) {
            let time = first + hour * .hour
            for minute in 0..<Int64(3) {
                harness.feed(.prediction(at: time, ["a": 1], time: time + minute * .minute))
            }
            harness.feed(.prediction(entity: "x", at: time, ["a": 1], time: time, partition: 1))
            // The first of every hour is unreadable: it belongs to the stretch's numbering all the same.
            for minute in 0..<Int64(2) { harness.feed(.actual(at: time, ["a": 1], time: time + minute * .minute)) }
            harness.evaluate(time + .hour)
        }
        let request = try #require(harness.effects.requests.first)
        #expect(request.requestedAt == start)
        #expect(request.trainingFrom == start - 24 * .hour)
        // 24 of 48 hours lie before the stretch: 24 × 3, 24 × 1 and 24 × 2 records.
        #expect(
            request.offsets == [
                .init(topic: "actuals", partition: 0, from: 148, to: 196),
                .init(topic: "predictions", partition: 0, from: 172, to: 244),
                .init(topic: "predictions", partition: 1, from: 124, to: 148),
            ])
        #expect(request.offsetsComplete)
    }

    @Test(arguments: [Int64(0), 100])
    func `A stretch is complete from the first record of a partition on, and not where older ones are gone`(
        first: Int64
    ) throws {
        let harness = harness()
        for (topic, role) in [("predictions", InputRole.predictions), ("actuals", .actuals)] {
            harness.engine.begin(lane: harness.engine.lane(topic: topic, partition: 0, role: role), at: first)
        }
        decide(harness, at: start)
        let request = try #require(harness.effects.requests.first)
        #expect(request.offsetsComplete == (first == 0))
        #expect(request.offsets.map(\.from) == [first, first])
        #expect(request.offsets.map(\.to) == [first + 1, first + 1])
    }

    /// Where retention has removed a part of the stretch's first hour, the log still begins in that hour.
    @Test(arguments: [Int64(0), 100])
    func `A log that begins in the first hour of the stretch is not known to be whole`(first: Int64) {
        var index = OffsetIndex()
        for minute in 0..<Int64(180) { index.note(offset: first + minute, mergeTime: 9 * .hour + minute * .minute) }
        #expect(index.offset(from: 9 * .hour, end: first + 180)?.isComplete == (first == 0))
        #expect(index.offset(from: 10 * .hour, end: first + 180)?.isComplete == true)
        #expect(index.offset(from: 10 * .hour, end: first + 180)?.offset == first + 60)
    }

    /// Against the log itself, record by record: clocks that go back, partitions without records for hours, and a worker
    /// that began somewhere in the log.
    @Test(arguments: 0..<30)
    func `Whatever the topics hold, the stretch is the records from its start on that were seen`(seed: Int) throws {
        var numbers = DeterminismTests.SeededNumbers(UInt64(seed))
        var configuration = EngineConfiguration.test
        configuration.drift.checkInterval = .hour
        configuration.training.window = Int64.random(in: 2...60, using: &numbers) * .hour
        let harness = EngineHarness(configuration)
        let hours = Int64.random(in: 30...80, using: &numbers)
        struct Source {
            var topic: String
            var partition: Int32
            var first: Int64
            var times: [Milliseconds] = []
        }
        var sources: [Source] = []
        for (topic, role) in [("predictions", InputRole.predictions), ("actuals", .actuals), ("load", .load)] {
            for partition in 0..<Int32.random(in: 1...2, using: &numbers) {
                let lane = harness.engine.lane(topic: topic, partition: partition, role: role)
                let first = Bool.random(using: &numbers) ? 0 : Int64.random(in: 1...500, using: &numbers)
                harness.engine.begin(lane: lane, at: first)
                sources.append(Source(topic: topic, partition: partition, first: first))
            }
        }
        for hour in 0..<hours {
            for minute in 0..<Int64(60) where Int.random(in: 0..<4, using: &numbers) > 0 {
                let index = Int.random(in: 0..<sources.count, using: &numbers)
                let clock = start + hour * .hour + minute * .minute
                let time = clock - (Int.random(in: 0..<5, using: &numbers) == 0 ? 3 * .hour : 0)
                let source = sources[index]
                let record: StreamRecord
                switch source.topic {
                case "predictions": record = .prediction(at: clock, ["a": 1], time: time, partition: source.partition)
                case "actuals": record = .actual(at: time, ["a": 1], time: time, partition: source.partition)
                default: record = .load(cpu: 20, time: time, partition: source.partition)
                }
                harness.feed(record)
                sources[index].times.append(max(source.times.last ?? .min, time))
            }
            if hour + 1 == hours { harness.feed(.command(.request, time: start + hours * .hour - 1)) }
            harness.evaluate(start + (hour + 1) * .hour)
        }
        let request = try #require(harness.effects.requests.last)
        #expect(request.reason == .manual && request.requestedAt == start + hours * .hour)
        var isComplete = true
        for source in sources {
            let range = request.offsets.first { $0.topic == source.topic && $0.partition == source.partition }
            guard !source.times.isEmpty else {
                #expect(range == nil)
                continue
            }
            let before = source.times.prefix { $0 < request.trainingFrom }.count
            #expect(range?.from == source.first + Int64(before), "\(source.topic) [\(source.partition)]")
            #expect(range?.to == source.first + Int64(source.times.count))
            let firstHour = source.times[0].floored(to: .hour)
            if firstHour >= request.trainingFrom, source.first > 0 { isComplete = false }
        }
        #expect(request.offsetsComplete == isComplete)
    }

    @Test func `The index of offsets stays small, and finds hours between`() {
        var index = OffsetIndex()
        for hour in 0..<Int64(5000) where hour % 10 != 3 {
            for record in 0..<Int64(2) {
                index.note(offset: hour * 10 + record, mergeTime: hour * .hour + record * .minute)
                index.trim(keeping: 100 * .hour)
            }
        }
        #expect(index.hours.count < 300)
        let hour = Int64(4950)
        #expect(index.offset(from: hour * .hour + 30 * .minute, end: 50_000)?.offset == 49_500)
        // An hour without records: the next one that has some.
        #expect(index.offset(from: (hour + 3) * .hour, end: 50_000)?.offset == 49_540)
        #expect(index.offset(from: 6000 * .hour, end: 50_000)?.offset == 50_000)
        #expect(index.offset(from: 0, end: 50_000)?.isComplete == false)
        var young = OffsetIndex()
        young.note(offset: 0, mergeTime: 9 * .hour)
        #expect(young.offset(from: 0, end: 1)?.isComplete == true, "nothing was ever before it")
        #expect(OffsetIndex().offset(from: 0, end: 7) == nil)
    }

    // MARK: Sending again

    @Test func `What nobody accepts is sent again under the same id, a few times, then alerted`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID
        for step in 1...24 { decide(harness, at: start + Int64(step) * check) }
        let requests = harness.effects.requests
        // 15 minutes are 3 checks of 5 minutes; three attempts in all.
        #expect(requests.map(\.attempt) == [1, 2, 3])
        #expect(requests.allSatisfy { $0.requestID == id && $0.requestedAt == start })
        let overdue = harness.effects.alerts.filter { $0.kind == .trainingOverdue }
        #expect(overdue.map(\.at) == [start + 45 * .minute])
        #expect(harness.effects.decisions.dropFirst().allSatisfy { $0.reason == .trainingInProgress })
    }

    @Test func `A re-send differs in its attempt alone`() {
        let harness = harness()
        decide(harness, at: start)
        for step in 1...3 { decide(harness, at: start + Int64(step) * check) }
        var again = harness.effects.requests[1]
        again.attempt = 1
        #expect(again == harness.effects.requests[0])
    }

    @Test(arguments: [TrainingStatusRecord.Status.accepted, .started, .progress])
    func `Whatever shows that a trainer has it ends the re-sending`(status: TrainingStatusRecord.Status) {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.feed(.status(id, status, time: start + .minute))
        for step in 1...12 { decide(harness, at: start + Int64(step) * check) }
        #expect(harness.effects.requests.count == 1)
    }

    @Test func `The re-send comes at 15 minutes and not before`() {
        var configuration = EngineConfiguration.test
        configuration.drift.checkInterval = .minute
        let harness = EngineHarness(configuration)
        harness.injectScore { _ in 0.11 }
        harness.injectLoad { _ in 0.1 }
        decide(harness, at: start)
        decide(harness, at: start + 14 * .minute)
        #expect(harness.effects.requests.count == 1)
        decide(harness, at: start + 15 * .minute)
        #expect(harness.effects.requests.count == 2)
    }

    // MARK: The end

    @Test func `A request that does not end by its deadline expires, alerts and backs off`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.feed(.status(id, .started, time: start + .minute))
        #expect(decide(harness, at: start + 24 * .hour - check).reason == .trainingInProgress)
        let expired = decide(harness, at: start + 24 * .hour)
        #expect(expired.reason == .backoff)
        #expect(expired.waitUntil == start + 25 * .hour)
        #expect(harness.effects.alerts.contains { $0.kind == .trainingOverdue && $0.severity == .critical })
        // Terminal states stick.
        harness.feed(.status(id, .succeeded, time: start + 24 * .hour + 1))
        #expect(decide(harness, at: start + 24 * .hour + check).reason == .backoff)
        #expect(harness.engine.counters.repeatedStatuses == 1)
    }

    @Test func `No prediction of the new version within 24 h is alerted, and resolved when it comes`() {
        let harness = harness()
        harness.injectScore { $0 == start ? 0.11 : 0.01 }
        let id = decide(harness, at: start).requestID!
        let ended = start + check
        harness.succeed(id, version: "v2", time: ended)
        decide(harness, at: ended + 24 * .hour - check)
        #expect(!harness.effects.alerts.contains { $0.kind == .notDeployed })
        decide(harness, at: ended + 24 * .hour)
        #expect(harness.effects.alerts.filter { $0.kind == .notDeployed }.map(\.at) == [ended + 24 * .hour])
        decide(harness, at: ended + 25 * .hour)
        #expect(harness.effects.alerts.filter { $0.kind == .notDeployed }.count == 1)
        harness.pulse(ended + 26 * .hour, version: "v2")
        harness.decide(ended + 26 * .hour)
        #expect(harness.effects.alerts.last { $0.kind == .notDeployed }?.state == .resolved)
    }

    @Test func `While a trained version is awaited no other training is asked for; once it is overdue, one is`() {
        let harness = harness()
        let first = decide(harness, at: start).requestID!
        harness.succeed(first, version: "v2", time: start + .minute)
        // The drift goes on, since the old version goes on.
        #expect(decide(harness, at: start + 6 * .hour).reason == .verifying)
        #expect(decide(harness, at: start + 24 * .hour).reason == .verifying)
        let second = decide(harness, at: start + 25 * .hour)
        #expect(second.outcome == .trigger)
        #expect(harness.effects.alerts.contains { $0.kind == .notDeployed && $0.requestID == first })
    }

    @Test func `A new version in time raises nothing`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.succeed(id, version: "v2", time: start + .minute)
        harness.pulse(start + .hour, version: "v2")
        harness.decide(start + .hour)
        for hour in 2..<30 {
            harness.injectScore { _ in 0.01 }
            harness.pulse(start + Int64(hour) * .hour, version: "v2")
            harness.decide(start + Int64(hour) * .hour)
        }
        #expect(!harness.effects.alerts.contains { $0.kind == .notDeployed })
    }

    @Test func `Without trainers that answer, a request counts as trained after a while`() {
        let harness = harness {
            $0.training.status = .none; $0.training.assumedDuration = 90 * .minute
        }
        decide(harness, at: start)
        #expect(decide(harness, at: start + 85 * .minute).reason == .trainingInProgress)
        let after = decide(harness, at: start + 90 * .minute)
        #expect(after.reason == .minimumInterval)
        #expect(after.history.lastTraining == start + 90 * .minute)
        #expect(!after.history.isAssumed)
        #expect(harness.effects.requests.count == 1)
    }

    // MARK: Statuses

    @Test func `Repeated and disordered statuses change nothing`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        let order: [TrainingStatusRecord.Status] = [.accepted, .accepted, .started, .accepted, .progress, .started]
        for status in order { harness.feed(.status(id, status, time: start + .minute)) }
        #expect(decide(harness, at: start + check).reason == .trainingInProgress)
        // accepted twice, accepted after started, progress and started again: 4 of 6 say nothing new.
        #expect(harness.engine.counters.repeatedStatuses == 4)
        harness.feed(.status(id, .succeeded, time: start + check))
        for status in TrainingStatusRecord.Status.allCases {
            harness.feed(.status(id, status, time: start + check + 1))
        }
        let after = decide(harness, at: start + 2 * check)
        #expect(after.reason == .minimumInterval)
        #expect(after.history.lastTraining == start + check)
        #expect(harness.engine.counters.repeatedStatuses == 4 + 7)
    }

    @Test func `A status may skip the states before it`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.feed(.status(id, .succeeded, time: start + .minute))
        #expect(decide(harness, at: start + check).history.lastTraining == start + .minute)
    }

    @Test func `Unknown request ids are counted and do nothing`() {
        let harness = harness()
        decide(harness, at: start)
        harness.feed(.status("rt-of-somebody-else", .succeeded, time: start + .minute))
        #expect(decide(harness, at: start + check).reason == .trainingInProgress)
        #expect(harness.engine.counters.unknownRequests == 1)
    }

    @Test func `A status finds its model among many`() {
        let harness = harness()
        for model in ["a", "b", "c"] { harness.pulse(start, model: model) }
        let ids = harness.evaluate(start).decisions.map { $0.requestID! }
        #expect(Set(ids).count == 3)
        harness.succeed(ids[1], time: start + .minute)
        for model in ["a", "b", "c"] { harness.pulse(start + check, model: model) }
        let reasons = harness.evaluate(start + check).decisions.map(\.reason)
        #expect(reasons == [.trainingInProgress, .minimumInterval, .trainingInProgress])
    }

    @Test func `A failure says why`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        let failed = TrainingStatusRecord(requestID: id, status: .failed, errors: ["out of memory"])
        harness.feed(StreamRecord(timestamp: start + .minute, payload: .status(failed)))
        decide(harness, at: start + check)
        let alert = harness.effects.alerts.first { $0.kind == .trainingFailed }
        #expect(alert?.severity == .critical)
        #expect(alert?.requestID == id)
        #expect(alert?.text.contains("out of memory") == true)
    }

    @Test func `A rejected request is not asked for again at once`() {
        let harness = harness()
        let id = decide(harness, at: start).requestID!
        harness.feed(.status(id, .rejected, time: start + .minute))
        for step in 1..<12 { #expect(decide(harness, at: start + Int64(step) * check).outcome == .hold) }
        #expect(harness.effects.requests.count == 1)
    }
}
