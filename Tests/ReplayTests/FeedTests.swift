import Contracts
import Foundation
import Retraining
import Synchronization
import Testing

@testable import Replay

/// Many engines over one read, with hardly any room in between, all get everything.
struct FeedTests {
    @Test("engines that share one read see what each would have read alone")
    func sharedRead() throws {
        let directory = try TemporaryDirectory()
        try SampleHistory(hours: 10 * 24).write(to: directory)
        var configurations: [EngineConfiguration] = []
        for threshold in [0.05, 0.10, 0.20] {
            var configuration = SampleHistory.configuration
            configuration.drift.criticalThreshold = threshold
            configurations.append(configuration)
        }
        // One with boundaries of its own.
        configurations[2].drift.checkInterval = 10 * .minute
        let alone = try configurations.map {
            try StreamReplay.run(SampleHistory.source(directory), [$0])[0]
        }
        let together = try StreamReplay.run(SampleHistory.source(directory), configurations)
        #expect(together.map(\.evaluations) == alone.map(\.evaluations))
        for (left, right) in zip(together, alone) {
            #expect(left.counters == right.counters)
            #expect(left.collector.traces["m"]?.trainings.map(\.at) == right.collector.traces["m"]?.trainings.map(\.at))
        }
    }

    @Test("lanes of very different density never wait for one another for ever")
    func unevenLanes() throws {
        let directory = try TemporaryDirectory()
        let history = SampleHistory(hours: 10 * 24)
        try history.write(to: directory)
        // One record at the very end, and one file that is empty.
        let last = SampleHistory.start + 9 * .day
        try directory.write(
            RecordEncoder.load(entity: "z", at: last, cpuPercent: 5) + [10], "load-late.jsonl")
        try directory.write([], "actuals-none.jsonl")
        let source = try SampleHistory.source(directory)
        let feed = HistoryFeed(source, consumers: 1, budget: 1)
        feed.start()
        let replayer = try Replayer(configuration: SampleHistory.configuration, lanes: source.lanes)
        var evaluations = 0
        try replayer.run(feed) { _ in
            evaluations += 1
            return true
        }
        feed.cancel()
        #expect(evaluations == history.hours - 1)
    }

    @Test("what was taken is let go of, however far the reader is ahead")
    func bounded() throws {
        let source = CountedSource(batches: 2_000)
        let feed = HistoryFeed(source, budget: 8)
        feed.start()
        var taken = 0
        var most = 0
        while true {
            switch try feed.take(consumer: 0, lane: 0) {
            case .batch: taken += 1
            case .nothing: try feed.wait(consumer: 0, lanes: [0])
            case .ended:
                feed.cancel()
                #expect(taken == 2_000)
                #expect(most < 16, "the reader may be 8 ahead, and holds one itself")
                return
            }
            most = max(most, source.living)
            // The reader fills the mailbox up again: it is never empty.
            if taken % 100 == 0 { Thread.sleep(forTimeInterval: 0.001) }
        }
    }

    /// Batches of one record each, and how many of them are still there.
    private final class CountedSource: HistorySource, @unchecked Sendable {
        private struct Reference { weak var batch: HistoryBatch? }
        private let references = Mutex<[Reference]>([])
        private let count: Int
        let lanes = [LaneDescription(topic: "load", partition: 0, role: .load, name: "load")]
        let size: Int64? = nil
        let findings = SourceFindings()

        init(batches: Int) { count = batches }

        var living: Int {
            references.withLock { references in
                references.removeAll { $0.batch == nil }
                return references.count
            }
        }
        private var made = 0

        func next(lane: Int) throws -> HistoryBatch? {
            guard made < count else { return nil }
            made += 1
            let batch = HistoryBatch(lane: 0)
            _ = batch.append(.rejected(Rejection(.malformedJSON, detail: "")), offset: Int64(made), timestamp: 0)
            references.withLock { $0.append(Reference(batch: batch)) }
            return batch
        }

        func close() {}
    }

    @Test("a replay that is ended early ends its reader too")
    func early() throws {
        let directory = try TemporaryDirectory()
        try SampleHistory().write(to: directory)
        var evaluations = 0
        _ = try StreamReplay.run(
            SampleHistory.source(directory), [SampleHistory.configuration],
            note: { _ in
                evaluations += 1
                return evaluations < 5
            })
        #expect(evaluations == 5)
    }

    @Test("what lies before the time of deciding fills windows, and triggers nothing")
    func warmUp() throws {
        let directory = try TemporaryDirectory()
        try SampleHistory().write(to: directory)
        let from = SampleHistory.start + 36 * .day
        var warm: [Decision] = []
        var decided: [Decision] = []
        _ = try StreamReplay.run(
            SampleHistory.source(directory), [SampleHistory.configuration],
            options: Replayer.Options(decidesFrom: from),
            note: { evaluation in
                for case .decision(let decision) in evaluation.effects {
                    if evaluation.isWarmUp { warm.append(decision) } else { decided.append(decision) }
                }
                return true
            })
        #expect(warm.allSatisfy { $0.outcome == .hold && $0.evaluatedAt < from })
        #expect(decided.first?.evaluatedAt == from)
        #expect(decided.first?.history.baselineVersion != nil)
        #expect(decided.contains { $0.outcome == .trigger })
    }

    @Test("a fresh deployment that begins with a history knows what one that read it knows")
    func warmState() throws {
        let directory = try TemporaryDirectory()
        try SampleHistory().write(to: directory)
        var configuration = SampleHistory.configuration
        configuration.training.status = .topic
        let state = try WarmState.read(SampleHistory.source(directory), configuration: configuration)[0]
        #expect(state.models == 1)
        #expect(state.upTo == SampleHistory.start + 959 * .hour)
        let engine = try Engine(configuration: configuration, restoring: state.units)
        #expect(engine.lastBoundary == state.upTo)
        #expect(engine.cutPositions.isEmpty, "positions of files are not those of a cluster")
        let lanes = ["predictions", "actuals"].map {
            engine.lane(topic: $0, partition: 0, role: $0 == "actuals" ? .actuals : .predictions)
        }
        var effects: [Effect] = []
        let next = state.upTo + .hour
        engine.begin(lane: lanes[0], at: 5_000_000)
        engine.evaluate(at: next, wallClock: nil, into: &effects)
        let decision = try #require(
            effects.compactMap { effect in if case .decision(let decision) = effect { decision } else { nil } }.first)
        #expect(decision.history.baselineVersion != nil)
        #expect(decision.signal?.pairs ?? 0 > 100)
        #expect(decision.load.profileHours > 700)
        #expect(decision.history.trainingsInWeek == 0, "a history triggers nothing")
        #expect(decision.cut.positions.contains { $0.nextOffset == 5_000_000 })
    }
}
