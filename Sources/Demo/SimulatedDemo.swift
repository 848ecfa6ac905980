import Foundation
import Kafka
import Retraining

/// The whole story on simulated servers: a model drifts, the worker waits for a quiet time and asks for a training, a
/// trainer answers, accuracy recovers.
final class SimulatedDemo {
    /// Records of all servers at one tick are forecasts, actuals and load; 40 days of them fit the embedded broker.
    static let bulkPartitions = 4
    private static let storySeconds = 95.0

    private let options: DemoOptions
    private let terminal: Terminal
    private let timeline: Timeline
    private let world: World
    private let first: Forecaster
    private var deployment: Deployment<Forecaster>
    private var ledger = AccuracyLedger()
    private var story: Story

    init(_ options: DemoOptions) throws {
        guard (Timeline.shortestDays...40).contains(options.days) else {
            throw DemoError("the story lasts \(Timeline.shortestDays) to 40 days, not \(options.days): change --days")
        }
        self.options = options
        terminal = Terminal(isQuiet: options.quiet)
        timeline = Timeline(now: WallClock.milliseconds, days: options.days)
        world = World(
            seed: options.seed, start: timeline.worldStart,
            ticks: Int((timeline.end - timeline.worldStart) / World.step), changeAt: timeline.changeAt)
        first = try Forecaster.train(
            on: world.table(ticks: 0..<world.tick(at: timeline.servedFrom)),
            version: CalendarTime(timeline.servedFrom).dateText)
        deployment = Deployment(serving: first, shadowDuration: 48 * .hour)
        story = Story(timeline: timeline, terminal: terminal)
    }

    func run() throws {
        let hoursPerSecond = options.hoursPerSecond ?? Double(options.days) * 24 / Self.storySeconds
        let stage = try Stage(bulkPartitions: Self.bulkPartitions)
        var session = StageSession(stage: stage, terminal: terminal, keep: options.keep)
        defer { session.close() }
        terminal.say(
            "driftgate demo: \(world.servers.count) servers × \(world.metricCount) metrics, \(options.days) days, "
                + "\(Format.count(hoursPerSecond)) h of stream time a second, seed \(options.seed)"
        )
        let publisher = try RecordPublisher(bootstrapServers: stage.broker.bootstrapServers)
        session.onClose { publisher.close() }
        let desk = try TrainingDesk(
            bootstrapServers: stage.broker.bootstrapServers, models: [ServerFeed.model], publisher: publisher)
        session.onClose { desk.close() }
        let watch = try WorkerWatch(
            bootstrapServers: stage.broker.bootstrapServers, bulkPartitions: Self.bulkPartitions)
        session.onClose { watch.close() }

        try session.startWorker(configuration: configuration, executable: options.workerExecutable)
        let feed = ServerFeed(world: world, publisher: publisher)
        try publishHistory(feed, stage)
        try serve(feed, stage, desk, watch, Pace(hoursPerSecond: hoursPerSecond, step: World.step))
        story.finish()
        terminal.clearStatus()
        try summarise(watch)
        session.finish()
    }

    /// Percentages lie between 0 and 100, and nothing that is measured here is negative.
    private var configuration: WorkerConfiguration {
        var configuration = WorkerConfiguration(checkIntervalMinutes: Int(World.step / .minute))
        configuration.expectedRanges = ServerMetric.all.map {
            ($0.name, 0, $0.name.hasSuffix("_pct") ? 100 : nil)
        }
        return configuration
    }

    private func publishHistory(_ feed: ServerFeed, _ stage: Stage) throws {
        for tick in world.tick(at: timeline.historyStart)..<world.tick(at: timeline.servedFrom) {
            try feed.publishHistory(tick: tick)
            if tick % 48 == 0 { try stage.check() }
        }
        try feed.publisher.flush()
        terminal.say(
            "The topics hold \(Format.duration(Timeline.history)) of actuals and load; "
                + "version \(first.version) begins to serve."
        )
        terminal.chapter("\(timeline.label(timeline.servedFrom))  ── healthy")
    }

    private func serve(
        _ feed: ServerFeed, _ stage: Stage, _ desk: TrainingDesk, _ watch: WorkerWatch, _ pace: Pace
    ) throws {
        var pace = pace
        for tick in world.tick(at: timeline.servedFrom)..<world.tick(at: timeline.end) {
            let now = world.time(ofTick: tick)
            // The worker decides about a tick before the next one is fed: what it asks for is answered at once.
            let follower = Follower(
                stage: stage, watch: watch, desk: desk, needed: now - World.step, from: timeline.servedFrom)
            repeat {
                for event in try follower.poll(wait: pace.wait) { hear(event, at: now) }
                try desk.serve(
                    now: now - World.step, train: { try self.train($0, stage: stage, servesFrom: now, progress: $1) },
                    tell: { self.story.hear($0, at: now - World.step) })
            } while !follower.hasCaughtUp || pace.wait > 0
            if now == timeline.changeAt { story.changeInjected() }
            deployment.advance(to: now)
            ledger.observed(world.values(tick: tick), at: now)
            let predicted = try feed.publish(tick: tick, deployment: deployment)
            ledger.predicted(predicted, for: now + World.step * Int64(deployment.serving.settings.horizonTicks))
            pace.ticked()
            noteRecovery(at: now)
        }
        let follower = Follower(
            stage: stage, watch: watch, desk: desk, needed: timeline.end - World.step, from: timeline.servedFrom)
        let deadline = MonotonicClock.seconds + 5
        while !follower.hasCaughtUp, MonotonicClock.seconds < deadline {
            for event in try follower.poll(wait: 0.05) { hear(event, at: timeline.end) }
        }
    }

    private func hear(_ event: WorkerEvent, at now: Milliseconds) {
        story.hear(event)
        if case .verdict(let verdict) = event, verdict.recommendsRollback,
            verdict.newVersion == deployment.serving.version,
            let back = deployment.rollBack(askedAt: verdict.at, from: now)
        {
            terminal.chapter("\(timeline.label(now))  ── rolled back to version \(back), as the worker recommends")
        }
    }

    private func train(
        _ request: RequestEvent, stage: Stage, servesFrom: Milliseconds, progress: (Double) throws -> Void
    ) throws -> TrainingDesk.Trained {
        var told = 0.0
        let set = try TrainingSet.read(
            for: request, bootstrapServers: stage.broker.bootstrapServers, entities: world.servers,
            metrics: ServerFeed.metrics, partitions: Self.bulkPartitions, step: World.step,
            notBefore: timeline.historyStart
        ) { share in
            // Reading is the longer half; a few words on the topic are enough.
            guard share >= told + 0.25 else { return }
            told = share
            try progress(share * 0.6)
        }
        let moment = CalendarTime(request.requestedAt)
        let model = try Forecaster.train(
            on: set.table, version: moment.dateText + "T" + moment.clock.replacing(":", with: ""))
        try progress(0.95)
        deployment.shadowDuration = Int64(request.keepShadowHours * Double(Milliseconds.hour))
        deployment.deploy(model, from: servesFrom)
        return TrainingDesk.Trained(
            version: model.version,
            metrics: [
                "mape_last_day": model.trainingError, "rows": Double(model.rows), "records": Double(set.records),
            ])
    }

    /// Looks whether a day after a deployment the measured accuracy is within two points of what it was.
    private func noteRecovery(at now: Milliseconds) {
        guard let deployed = story.trainings.last?.succeededAt, now >= deployed + 24 * .hour,
            let healthy = ledger.accuracy(from: timeline.servedFrom, to: timeline.changeAt),
            let today = ledger.accuracy(from: now - 24 * .hour, to: now), story.chapter == .retrained,
            today >= healthy - 0.02
        else { return }
        story.recovered(at: now, accuracy: today, healthy: healthy)
    }

    private func summarise(_ watch: WorkerWatch) throws {
        terminal.say("Refitting the same model on fixed schedules over the same days …")
        let comparison = ScheduleComparison(world: world, timeline: timeline, first: first)
        let fixed = try comparison.fixedSchedules()
        let summary = Summary(
            story: story, ledger: ledger, comparison: comparison, fixed: fixed, decisions: watch.decisions)
        for line in summary.lines { terminal.say(line, always: true) }
    }
}
