import Glibc
import Kafka
import Replay
import Retraining

/// Feeds a recorded set: each entity is a model, and a training puts the newest stored model into service.
final class DataSetDemo {
    /// Enough for each of eight models to have a partition of its own: the embedded broker keeps 5 MiB of each.
    private static let bulkPartitions = 16
    private static let feedSeconds = 110.0
    private static let shadow: Milliseconds = 72 * .hour
    private let options: DemoOptions
    private let terminal: Terminal
    private let set: RecordedSet
    private let start: Milliseconds
    private let servedFrom: Milliseconds
    private let end: Milliseconds
    private var services: [String: Service] = [:]
    private var shownDay: Int64 = 0

    /// One entity while it is fed.
    private struct Service {
        let entity: RecordedEntity
        var deployment: Deployment<StoredModel>
        var load: RecordedLoad
        /// Which stored model served, by hour.
        var columns: ServedScore.Columns = []
        var trainings: [Milliseconds] = []
        var rollbacks = 0
    }

    init(_ options: DemoOptions, directory: String, family: DemoOptions.ForecastFamily) throws {
        self.options = options
        terminal = Terminal(isQuiet: options.quiet)
        set = try RecordedSet(directory: directory, family: family.rawValue)
        start = set.entities.map(\.start).min()!
        servedFrom = set.entities.map(\.servedFrom).min()!
        end = set.entities.map(\.end).max()!
        for entity in set.entities {
            let first = StoredModel(version: entity.modelNames[0], column: 0)
            services[entity.name] = Service(
                entity: entity, deployment: Deployment(serving: first, shadowDuration: Self.shadow),
                load: RecordedLoad(entity: entity))
        }
    }

    func run() throws {
        let hours = Double(end - servedFrom) / Double(Milliseconds.hour)
        let hoursPerSecond = options.hoursPerSecond ?? hours / Self.feedSeconds
        let stage = try Stage(bulkPartitions: Self.bulkPartitions)
        var session = StageSession(stage: stage, terminal: terminal, keep: options.keep)
        defer { session.close() }
        terminal.say(
            "driftgate demo: \(set.entities.count) recorded entities, \(label(servedFrom)) to \(label(end)), "
                + "\(Format.count(hoursPerSecond)) h of stream time a second")
        let publisher = try RecordPublisher(bootstrapServers: stage.broker.bootstrapServers)
        session.onClose { publisher.close() }
        let desk = try TrainingDesk(
            bootstrapServers: stage.broker.bootstrapServers, models: Set(services.keys), publisher: publisher)
        session.onClose { desk.close() }
        let watch = try WorkerWatch(
            bootstrapServers: stage.broker.bootstrapServers, bulkPartitions: Self.bulkPartitions)
        session.onClose { watch.close() }
        try session.startWorker(configuration: configuration, executable: options.workerExecutable)

        for hour in stride(from: start, to: servedFrom, by: Int(RecordedEntity.step)) {
            try stage.check()
            for entity in set.entities { try publishPast(entity.name, at: hour, publisher) }
        }
        try publisher.flush()
        try serve(stage, desk, watch, publisher, Pace(hoursPerSecond: hoursPerSecond, step: RecordedEntity.step))
        terminal.clearStatus()
        for line in summary { terminal.say(line, always: true) }
        session.finish()
    }

    private var configuration: WorkerConfiguration {
        var configuration = WorkerConfiguration(checkIntervalMinutes: 60)
        configuration.lookbackDays = 3650
        let metrics = Set(set.entities.flatMap(\.metrics)).sorted()
        configuration.expectedRanges = metrics.map { ($0, 0, $0.hasSuffix("_pct") ? 100 : nil) }
        configuration.pools = set.entities.map { ($0.name, $0.name) }
        return configuration
    }

    private func serve(
        _ stage: Stage, _ desk: TrainingDesk, _ watch: WorkerWatch, _ publisher: RecordPublisher, _ pace: Pace
    ) throws {
        var pace = pace
        // The worker decides about an hour before the next one is fed; an hour without records moves no stream time.
        var lastFed = servedFrom - RecordedEntity.step
        for hour in stride(from: servedFrom, through: end, by: Int(RecordedEntity.step)) {
            let follower = Follower(stage: stage, watch: watch, desk: desk, needed: lastFed, from: servedFrom)
            repeat {
                for event in try follower.poll(wait: pace.wait) { hear(event, at: hour) }
                try desk.serve(
                    now: hour - RecordedEntity.step, train: { request, _ in self.train(request, now: hour) },
                    tell: { self.hear($0, at: hour) })
            } while !follower.hasCaughtUp || pace.wait > 0
            let before = publisher.movingRecords
            for entity in set.entities { try publishServed(entity.name, at: hour, publisher) }
            try publisher.push()
            if publisher.movingRecords > before { lastFed = hour }
            pace.ticked()
            showDay(hour, watch)
        }
        let deadline = MonotonicClock.seconds + 3
        while MonotonicClock.seconds < deadline, (watch.decidedUpTo ?? .min) < end {
            try stage.check()
            for event in try watch.poll(timeoutMilliseconds: 50) { hear(event, at: end) }
        }
    }

    /// The newest stored model serves one hour after the request, as the rule of these sets has it.
    private func train(_ request: RequestEvent, now: Milliseconds) -> TrainingDesk.Trained {
        let entity = services[request.model]!.entity
        let column = entity.newestModel(at: request.requestedAt)
        let model = StoredModel(version: entity.modelNames[column], column: column)
        services[request.model]!.deployment.deploy(model, from: max(now, request.requestedAt + .hour))
        services[request.model]!.trainings.append(request.requestedAt)
        return TrainingDesk.Trained(version: model.version, metrics: [:])
    }

    private func hear(_ event: WorkerEvent, at now: Milliseconds) {
        switch event {
        case .decision(let decision):
            terminal.show(
                status:
                    "\(label(decision.evaluatedAt))  \(decision.model)  score \(Format.score(decision.signal?.score))  "
                    + "accuracy \(Format.percent(decision.accuracy))  \(decision.outcome) \(decision.reason.code)")
        case .verdict(let verdict):
            terminal.say("\(label(verdict.at))  \(verdict.model)  verdict \(verdict.outcome): \(verdict.text)")
            guard verdict.recommendsRollback,
                verdict.newVersion == services[verdict.model]?.deployment.serving.version,
                let back = services[verdict.model]?.deployment.rollBack(askedAt: verdict.at, from: now)
            else { return }
            services[verdict.model]!.rollbacks += 1
            terminal.say("\(label(now))  \(verdict.model)  rolled back to version \(back)")
        case .request, .alert: break
        }
    }

    private func hear(_ step: TrainingDesk.Step, at now: Milliseconds) {
        switch step {
        case .accepted(let request):
            terminal.say(
                "\(label(request.requestedAt))  \(request.model)  request \(request.reason.code): "
                    + request.reason.text
            )
        case .succeeded(let request, let trained):
            terminal.say("\(label(now))  \(request.model)  trained: version \(trained.version)")
        case .rejected(let request, let faults):
            terminal.say("\(label(now))  \(request.model)  rejected: \(faults.joined(separator: "; "))")
        case .failed(let request, let fault): terminal.say("\(label(now))  \(request.model)  failed: \(fault)")
        case .started, .repeated: break
        }
    }

    private func showDay(_ hour: Milliseconds, _ watch: WorkerWatch) {
        let day = CalendarTime(hour).day
        guard day / 7 > shownDay / 7 else { return }
        shownDay = day
        let trainings = services.values.reduce(0) { $0 + $1.trainings.count }
        terminal.say("\(label(hour))  \(watch.decisions) decisions, \(trainings) trainings so far")
    }

    private func label(_ time: Milliseconds) -> String {
        let moment = CalendarTime(time)
        return "\(moment.dateText) \(moment.clock)"
    }
}

extension DataSetDemo {
    /// What happened and how busy the machine was, up to `hour`.
    private func publishPast(_ name: String, at hour: Milliseconds, _ publisher: RecordPublisher) throws {
        let entity = services[name]!.entity
        for sample in services[name]!.load.take(upTo: hour) {
            try publisher.load(pool: name, entity: name, at: sample.time, cpuPercent: sample.cpuPercent)
        }
        guard let row = entity.actuals(at: hour) else { return }
        let values = zip(entity.metrics, row).filter { $0.1.isFinite }.map { (name: $0, value: $1) }
        if !values.isEmpty { try publisher.actual(model: name, entity: name, at: hour, values: values) }
    }

    private func publishServed(_ name: String, at hour: Milliseconds, _ publisher: RecordPublisher) throws {
        try publishPast(name, at: hour, publisher)
        services[name]!.deployment.advance(to: hour)
        let service = services[name]!
        services[name]!.columns.append(service.deployment.serving.column)
        let stored = service.entity.forecasts[hour] ?? []
        try publishForecasts(of: service.deployment.serving, stored, service, at: hour, isShadow: false, publisher)
        if let shadow = service.deployment.shadow {
            try publishForecasts(of: shadow.model, stored, service, at: hour, isShadow: true, publisher)
        }
    }

    private func publishForecasts(
        of model: StoredModel, _ stored: [RecordedEntity.StoredForecast], _ service: Service, at hour: Milliseconds,
        isShadow: Bool, _ publisher: RecordPublisher
    ) throws {
        var byHorizon: [Int: [(name: String, value: Double)]] = [:]
        for forecast in stored {
            // A shadow whose forecasts are not stored any more is silent; only what serves has a substitute.
            let value =
                isShadow
                ? (model.column < forecast.values.count ? forecast.values[model.column] : .nan)
                : service.entity.served(forecast, column: model.column) ?? .nan
            guard value.isFinite else { continue }
            byHorizon[forecast.horizonHours, default: []].append((service.entity.metrics[forecast.metric], value))
        }
        for (horizon, values) in byHorizon.sorted(by: { $0.key < $1.key }) {
            try publisher.prediction(
                model: service.entity.name, version: model.version, entity: service.entity.name,
                at: hour + Int64(horizon) * .hour, issuedAt: hour, isShadow: isShadow, values: values)
        }
    }

    /// A line an entity: trainings, and WAPE against never, weekly and daily.
    private var summary: [String] {
        var rows = [["entity", "trainings", "high load", "rolled back", "WAPE", "daily", "weekly", "never", "÷ daily"]]
        var products = (measured: 1.0, weekly: 1.0, never: 1.0)
        var total = 0
        for entity in set.entities {
            let service = services[entity.name]!
            let score = ServedScore(entity: entity)
            let fixed = [1, 7, nil].map { score.wape(score.fixed(everyDays: $0).columns) ?? .nan }
            let measured = score.wape(service.columns) ?? .nan
            products.measured *= measured / fixed[0]
            products.weekly *= fixed[1] / fixed[0]
            products.never *= fixed[2] / fixed[0]
            total += service.trainings.count
            rows.append(
                [
                    entity.name, String(service.trainings.count), String(score.highLoad(service.trainings)),
                    String(service.rollbacks),
                ] + ([measured] + fixed + [measured / fixed[0]]).map { Format.score($0) })
        }
        let count = Double(set.entities.count)
        func mean(_ product: Double) -> String { Format.score(Glibc.pow(product, 1 / count)) }
        return [""] + Format.table(rows) + [
            "",
            "\(Format.count(Double(total) / count)) trainings an entity; WAPE relative to daily "
                + "retraining (geometric mean): driftgate \(mean(products.measured)), weekly \(mean(products.weekly)), "
                + "never \(mean(products.never))",
        ]
    }
}
