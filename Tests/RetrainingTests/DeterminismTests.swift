import Testing

@testable import Retraining

/// The same records give the same effects and the same state, however they came: batches, interleaving of partitions, order of first sight.
@Suite struct DeterminismTests {
    /// Numbers from a seed, the same everywhere: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    struct SeededNumbers: RandomNumberGenerator {
        private var state: UInt64
        init(_ seed: UInt64) { state = seed }
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static let start = monday
    private static let check = 5 * Milliseconds.minute

    /// Records by partition, each in its own order: two models, 6 entities, 3 metrics; duplicates, late records,
    /// shadow predictions, a change of version, load with incidents, statuses and commands.
    private static func history(seed: UInt64, hours: Int64) -> [[StreamRecord]] {
        var numbers = SeededNumbers(seed)
        var records: [StreamRecord] = []
        let end = start + hours * .hour
        var time = start
        while time < end {
            time += Int64.random(in: 10_000...90_000, using: &numbers)
            let model = ["alpha", "beta", "gamma"].randomElement(using: &numbers)!
            let entity = "srv-\(Int.random(in: 0..<6, using: &numbers))"
            let partition = Int32.random(in: 0..<3, using: &numbers)
            let at = time.floored(to: 10 * .minute) + Int64.random(in: -2...6, using: &numbers) * 10 * .minute
            let late = Int.random(in: 0..<20, using: &numbers) == 0 ? 5 * Milliseconds.hour : 0
            let drift = time > start + hours * .hour / 2 ? 3.0 : 1.0
            let cpu = (Double.random(in: 1...40, using: &numbers) * drift * 100).rounded() / 100
            let memory = Double.random(in: 0...100, using: &numbers)
            // Timestamps within a partition need not rise.
            let stamp = time - Int64.random(in: 0...30_000, using: &numbers)
            let version = time > start + hours * .hour * 2 / 3 ? "v2" : "v1"
            switch Int.random(in: 0..<10, using: &numbers) {
            case 0...3:
                let record = StreamRecord.prediction(
                    model, version: version, entity: entity, at: at - late,
                    issuedAt: Bool.random(using: &numbers) ? stamp : nil,
                    isShadow: Int.random(in: 0..<8, using: &numbers) == 0, ["cpu_pct": cpu, "mem_pct": memory],
                    time: stamp, partition: partition)
                records.append(record)
                if Int.random(in: 0..<6, using: &numbers) == 0 { records.append(record) }
            case 4...7:
                let owner = Int.random(in: 0..<3, using: &numbers) == 0 ? "" : model
                let record = StreamRecord.actual(
                    owner, entity: entity, at: at - late, ["mem_pct": memory, "cpu_pct": cpu, "disk": cpu * memory],
                    time: stamp, partition: partition)
                records.append(record)
                if Int.random(in: 0..<6, using: &numbers) == 0 { records.append(record) }
            case 8:
                records.append(
                    .load(
                        pool: ["", "prod"].randomElement(using: &numbers)!, entity: entity, cpu: cpu / 2,
                        rate: Bool.random(using: &numbers) ? memory : nil,
                        incident: Int.random(in: 0..<30, using: &numbers) == 0 ? Bool.random(using: &numbers) : nil,
                        time: stamp, partition: partition))
            default:
                records.append(control(model, time: stamp, partition: partition, &numbers))
            }
        }
        let grouped = Dictionary(grouping: records) { "\($0.role.rawValue)-\($0.topic)-\($0.partition)" }
        return grouped.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func control(
        _ model: String, time: Milliseconds, partition: Int32, _ numbers: inout SeededNumbers
    ) -> StreamRecord {
        if Bool.random(using: &numbers) {
            let kind = [CommandRecord.Kind.request, .pause, .resume, .resume, .cancel, .baselineReset]
                .randomElement(using: &numbers)!
            return .command(kind, model: model, time: time)
        }
        // A request of a boundary of the hours before; most of them unknown.
        let boundary = time.floored(to: check) - Int64.random(in: 0..<12, using: &numbers) * check
        return .status(
            RequestID.make(applicationID: "driftgate", model: model, sequence: boundary),
            TrainingStatusRecord.Status.allCases.randomElement(using: &numbers)!, version: "v2", time: time,
            partition: partition)
    }

    private static func configuration(_ scoring: DriftConfiguration.Scoring) -> EngineConfiguration {
        var configuration = EngineConfiguration.test
        configuration.drift.scoring = scoring
        configuration.quiet.rule = scoring == .plain ? .absolute : .adaptive
        configuration.drift.window = scoring == .plain ? .count : .span
        configuration.drift.windowSize = 40
        configuration.drift.minimumSamples = 10
        configuration.drift.baselineSpan = 4 * .hour
        configuration.drift.persistence = .hour
        configuration.safeguards.minimumInterval = 30 * .minute
        configuration.safeguards.maximumPerWeek = 50
        configuration.limits.retainedHalves = 400
        return configuration
    }

    /// How records of different partitions come between two evaluations.
    private enum Interleaving {
        /// One partition after the other, by their order or the other way round.
        case byPartition, reversed
        /// One record of each in turn.
        case roundRobin
        /// Batches of any size from any partition.
        case batches(seed: UInt64)
    }

    /// Feeds all records whose merge time lies before a boundary, evaluates there, and describes what came out.
    private static func run(
        _ partitions: [[StreamRecord]], _ interleaving: Interleaving, _ scoring: DriftConfiguration.Scoring
    ) -> [String] {
        let harness = EngineHarness(configuration(scoring))
        var cursors = Array(repeating: 0, count: partitions.count)
        var numbers = SeededNumbers(0)
        if case .batches(let seed) = interleaving { numbers = SeededNumbers(seed) }
        // Partitions are assigned in any order as well.
        let assigned: [[StreamRecord]]
        switch interleaving {
        case .byPartition, .roundRobin: assigned = partitions
        case .reversed: assigned = partitions.reversed()
        case .batches: assigned = partitions.shuffled(using: &numbers)
        }
        for records in assigned { _ = harness.lane(records[0]) }
        // Merge times are monotone in a partition; here worked out beforehand, so that the cuts are the same.
        let mergeTimes = partitions.map { records in
            var latest = Milliseconds.min
            return records.map { record in
                latest = max(latest, record.timestamp)
                return latest
            }
        }
        let end = partitions.flatMap { $0 }.map(\.timestamp).max()! + check
        var boundary = start
        var digests: [String] = []
        while boundary <= end {
            func ready() -> [Int] {
                partitions.indices.filter { index in
                    cursors[index] < partitions[index].count && mergeTimes[index][cursors[index]] < boundary
                }
            }
            func take(_ index: Int, _ count: Int) {
                for _ in 0..<count {
                    guard ready().contains(index) else { return }
                    harness.feed(partitions[index][cursors[index]])
                    cursors[index] += 1
                }
            }
            var waiting = ready()
            while !waiting.isEmpty {
                switch interleaving {
                case .byPartition: take(waiting[0], .max)
                case .reversed: take(waiting.last!, .max)
                case .roundRobin: for index in waiting { take(index, 1) }
                case .batches:
                    take(waiting.randomElement(using: &numbers)!, Int.random(in: 1...7, using: &numbers))
                }
                waiting = ready()
            }
            harness.evaluate(boundary, wallClock: boundary + .minute)
            if boundary.flooredDivision(by: check) % 12 == 0 { digests.append(harness.engine.stateDigest()) }
            boundary += check
        }
        return harness.effects.map { String(reflecting: $0) } + [String(reflecting: harness.engine.counters)] + digests
    }

    private static func firstDifference(_ left: [String], _ right: [String]) -> String {
        guard left != right else { return "none" }
        for (a, b) in zip(left, right) where a != b {
            let common = zip(a, b).prefix { $0 == $1 }.count
            let from = max(0, common - 120)
            return "…\(a.dropFirst(from).prefix(240))… against …\(b.dropFirst(from).prefix(240))…"
        }
        return "\(left.count) effects against \(right.count)"
    }

    @Test(arguments: [UInt64(1), 2, 3], DriftConfiguration.Scoring.allCases)
    func `The same records give the same bytes, however they interleave`(
        seed: UInt64, scoring: DriftConfiguration.Scoring
    ) {
        let partitions = Self.history(seed: seed, hours: 8)
        let reference = Self.run(partitions, .byPartition, scoring)
        let interleavings: [Interleaving] = [
            .byPartition, .reversed, .roundRobin, .batches(seed: seed), .batches(seed: seed + 100),
        ]
        for interleaving in interleavings {
            let again = Self.run(partitions, interleaving, scoring)
            let isSame = again == reference
            #expect(isSame, "\(interleaving): \(Self.firstDifference(again, reference))")
        }
    }

    @Test func `The histories of these tests hold what they are meant to hold`() {
        let partitions = Self.history(seed: 1, hours: 8)
        #expect(partitions.map(\.count).reduce(0, +) > 500)
        #expect(partitions.count >= 12)
        let effects = Self.run(partitions, .byPartition, .plain)
        for word in ["Effect.decision", "Effect.request", "Effect.alert", "trigger"] {
            #expect(effects.contains { $0.contains(word) }, "no \(word)")
        }
        let harness = EngineHarness(Self.configuration(.plain))
        for records in partitions { harness.feed(records) }
        harness.evaluate(Self.start + 9 * .hour)
        #expect(harness.engine.counters.duplicatePredictions > 0)
        #expect(harness.engine.counters.duplicateActuals > 0)
        #expect(harness.engine.counters.pairs > 0)
    }

    @Test func `Two machines' words for one moment do not depend on who came first`() {
        let noon = monday + 12 * .hour
        let records: [StreamRecord] = [
            .load(cpu: 10, incident: true, time: noon, partition: 0),
            .load(cpu: 10, incident: false, time: noon, partition: 1),
            .load(cpu: 90, time: noon, partition: 2),
            .load(pool: "prod", cpu: 10, rate: 5, incident: true, time: noon, partition: 1),
            .load(pool: "prod", cpu: 10, rate: 5, incident: false, time: noon, partition: 2),
        ]
        func run(_ records: [StreamRecord]) -> String {
            let harness = EngineHarness()
            harness.feed(records)
            harness.pulse(noon + 5 * .minute)
            return String(reflecting: harness.decide(noon + 5 * .minute).load)
        }
        // Within a partition the order stays.
        #expect(run(records) == run([records[2], records[4], records[1], records[3], records[0]]))
    }

    @Test func `Names sort the same, whichever was seen first`() {
        func order(_ models: [String]) -> [String] {
            let harness = EngineHarness()
            for model in models { harness.pulse(monday + .hour, model: model) }
            return harness.evaluate(monday + .hour).decisions.map(\.model)
        }
        #expect(order(["b", "a", "c"]) == ["a", "b", "c"])
        #expect(order(["c", "b", "a"]) == ["a", "b", "c"])
    }

    @Test func `The cut names what was seen, by topic and partition`() {
        let harness = EngineHarness()
        let noon = monday + 12 * .hour
        harness.feed(.load(cpu: 1, time: noon, partition: 1))
        harness.feed(.prediction(at: noon, ["a": 1], time: noon, partition: 2))
        harness.feed(.prediction(at: noon, ["a": 1], time: noon, partition: 0))
        harness.feed(.actual(at: noon, ["a": 1], time: noon))
        harness.feed(.actual(at: noon, ["b": 1], time: noon))
        let cut = harness.decide(noon + 5 * .minute, wallClock: noon + 6 * .minute).cut
        #expect(
            cut.positions == [
                .init(topic: "actuals", partition: 0, nextOffset: 2), .init(topic: "load", partition: 1, nextOffset: 1),
                .init(topic: "predictions", partition: 0, nextOffset: 1),
                .init(topic: "predictions", partition: 2, nextOffset: 1),
            ])
        #expect(cut.wallClock == noon + 6 * .minute)
    }
}
