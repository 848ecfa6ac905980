import Foundation
package import Retraining

/// One read of a history, through one engine or many.
package enum StreamReplay {
    /// What an engine found.
    package struct Outcome: Sendable {
        package var collector: ResultCollector
        package var evaluations: Int
        package var refusals: SourceFindings
        package var counters: EngineCounters
    }

    /// An engine to take through the history.
    package struct Job: Sendable {
        package var configuration: EngineConfiguration
        package var options: Replayer.Options

        package init(configuration: EngineConfiguration, options: Replayer.Options) {
            self.configuration = configuration
            self.options = options
        }
    }

    /// Runs every configuration over one read of the source.
    ///
    /// - Parameters:
    ///   - note: is given each evaluation of the first configuration; false ends that replay.
    ///   - progress: is given the feed before it starts.
    package static func run(
        _ source: any HistorySource, _ configurations: [EngineConfiguration],
        options: Replayer.Options = Replayer.Options(), progress: (HistoryFeed) -> Void = { _ in },
        note: (Evaluation) throws -> Bool = { _ in true }
    ) throws -> [Outcome] {
        try run(
            source, jobs: configurations.map { Job(configuration: $0, options: options) },
            progress: progress, note: note)
    }

    /// Runs every job over one read of the source.
    ///
    /// - Parameters:
    ///   - note: is given each evaluation of the first job; false ends that replay.
    ///   - finish: is given each job's engine once its replay is done, on that job's thread.
    package static func run(
        _ source: any HistorySource, jobs: [Job], progress: (HistoryFeed) -> Void = { _ in },
        finish: @escaping @Sendable (_ job: Int, Engine) -> Void = { _, _ in },
        note: (Evaluation) throws -> Bool = { _ in true }
    ) throws -> [Outcome] {
        let feed = HistoryFeed(source, consumers: jobs.count)
        progress(feed)
        let follower = Follower(feed: feed, lanes: source.lanes, finish: finish)
        let others = jobs.indices.dropFirst().map { Branch(follower, $0, jobs[$0]) }
        feed.start()
        for branch in others { branch.start() }
        var failure: (any Error)?
        var outcomes: [Outcome] = []
        do {
            outcomes.append(try follower.follow(0, jobs[0], note))
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

    /// What all jobs of one read share.
    private struct Follower: Sendable {
        let feed: HistoryFeed
        let lanes: [LaneDescription]
        let finish: @Sendable (Int, Engine) -> Void

        func follow(_ consumer: Int, _ job: Job, _ note: (Evaluation) throws -> Bool) throws -> Outcome {
            let replayer = try Replayer(configuration: job.configuration, lanes: lanes, options: job.options)
            var collector = ResultCollector(configuration: job.configuration, isDrawn: consumer == 0)
            try replayer.run(feed, consumer: consumer) { evaluation in
                collector.note(evaluation)
                return try note(evaluation)
            }
            let outcome = Outcome(
                collector: collector, evaluations: replayer.evaluations, refusals: replayer.refusals,
                counters: replayer.engine.counters)
            finish(consumer, replayer.engine)
            return outcome
        }
    }

    /// A job on a thread of its own.
    private final class Branch: @unchecked Sendable {
        private let body: () throws -> Outcome
        private let condition = NSCondition()
        private var outcome: Result<Outcome, any Error>?

        init(_ follower: Follower, _ consumer: Int, _ job: Job) {
            body = { try follower.follow(consumer, job) { _ in true } }
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
