import Foundation
package import Retraining
package import Kafka

/// One read of a history, through one engine or many.
package enum StreamReplay {
    /// What an engine found.
    package struct Outcome: Sendable {
        package var collector: ResultCollector
        package var evaluations: Int
        package var refusals: SourceFindings
        package var counters: EngineCounters
    }

    /// Runs every configuration over one read of the source.
    ///
    /// - Parameters:
    ///   - note: is given each evaluation of the first configuration; false ends that replay.
    ///   - progress: is given the feed before it starts.
    package static func run(
        _ source: any HistorySource, _ configurations: [EngineConfiguration],
        options: Replayer.Options = Replayer.Options(), models: Int = 16,
        progress: (HistoryFeed) -> Void = { _ in }, note: (Evaluation) throws -> Bool = { _ in true }
    ) throws -> [Outcome] {
        let feed = HistoryFeed(source, consumers: configurations.count)
        progress(feed)
        let others = (1..<max(1, configurations.count)).map { index in
            Branch(index, feed, source.lanes, configurations[index], options, models)
        }
        feed.start()
        for branch in others { branch.start() }
        var failure: (any Error)?
        var outcomes: [Outcome] = []
        do {
            outcomes.append(
                try follow(feed, 0, source.lanes, configurations[0], options, models, note))
        } catch {
            failure = error
            feed.cancel()
        }
        for branch in others {
            switch branch.result() {
            case .success(let outcome): outcomes.append(outcome)
            case .failure(let error): failure = failure ?? error
            }
        }
        feed.cancel()
        if let failure { throw failure }
        return outcomes
    }

    private static func follow(
        _ feed: HistoryFeed, _ consumer: Int, _ lanes: [LaneDescription], _ configuration: EngineConfiguration,
        _ options: Replayer.Options, _ models: Int, _ note: (Evaluation) throws -> Bool
    ) throws -> Outcome {
        let replayer = try Replayer(configuration: configuration, lanes: lanes, options: options)
        var collector = ResultCollector(configuration: configuration, models: models)
        try replayer.run(feed, consumer: consumer) { evaluation in
            collector.note(evaluation)
            return try note(evaluation)
        }
        return Outcome(
            collector: collector, evaluations: replayer.evaluations, refusals: replayer.refusals,
            counters: replayer.engine.counters)
    }

    /// A configuration that is replayed on a thread of its own.
    private final class Branch: @unchecked Sendable {
        private let body: () throws -> Outcome
        private let condition = NSCondition()
        private var outcome: Result<Outcome, any Error>?

        init(
            _ consumer: Int, _ feed: HistoryFeed, _ lanes: [LaneDescription], _ configuration: EngineConfiguration,
            _ options: Replayer.Options, _ models: Int
        ) {
            body = { try StreamReplay.follow(feed, consumer, lanes, configuration, options, models) { _ in true } }
        }

        func start() {
            let thread = Thread { [self] in
                let result = Result { try body() }
                condition.withLock {
                    outcome = result
                    condition.broadcast()
                }
            }
            thread.stackSize = 8 << 20
            thread.start()
        }

        func result() -> Result<Outcome, any Error> {
            condition.lock()
            defer { condition.unlock() }
            while outcome == nil { condition.wait() }
            return outcome!
        }
    }
}
