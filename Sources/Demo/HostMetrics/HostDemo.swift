import Foundation
import Kafka
import Retraining

/// The same loop in real time on the metrics of this machine.
final class HostDemo {
    private static let model = "this-host"
    private static let step: Milliseconds = 5_000
    private static let bulkPartitions = 2
    private static let settings = Forecaster.Settings(
        horizonTicks: 12, halfLife: 30 * .minute, penalty: 1, minimumRows: 12, usesSeason: false)
    /// Samples before the first model can be fitted: rows, horizon and one lag.
    private static let warmUpTicks = 36

    private let options: DemoOptions
    private let terminal: Terminal
    private let entity: String
    private var table: SeriesTable
    private var deployment: Deployment<Forecaster>?
    private var latest: DecisionEvent?
    private var toldReason: String?

    init(_ options: DemoOptions) throws {
        self.options = options
        terminal = Terminal(isQuiet: options.quiet)
        entity = ProcessInfo.processInfo.hostName
        table = SeriesTable(
            start: (WallClock.milliseconds / Self.step + 1) * Self.step, step: Self.step,
            seriesCount: HostSample.metrics.count, values: [])
    }

    func run() throws {
        let stage = try Stage(bulkPartitions: Self.bulkPartitions)
        var session = StageSession(stage: stage, terminal: terminal, keep: options.keep)
        defer { session.close() }
        terminal.say(
            "driftgate demo on this host: a sample every \(Self.step / 1000) s, forecasts of the next minute, "
                + "a decision a minute, until Ctrl-C")
        let publisher = try RecordPublisher(bootstrapServers: stage.broker.bootstrapServers)
        session.onClose { publisher.close() }
        let desk = try TrainingDesk(
            bootstrapServers: stage.broker.bootstrapServers, models: [Self.model], publisher: publisher)
        session.onClose { desk.close() }
        let watch = try WorkerWatch(
            bootstrapServers: stage.broker.bootstrapServers, bulkPartitions: Self.bulkPartitions)
        session.onClose { watch.close() }
        try session.startWorker(configuration: Self.configuration, executable: options.workerExecutable)
        terminal.say(
            "The first model is fitted after \(Int64(Self.warmUpTicks) * Self.step / 60_000) minutes, "
                + "the first baseline is complete ten minutes later.")

        var earlier = try HostCounters.read()
        var earlierAt = MonotonicClock.seconds
        while true {
            try waitForTick(stage, desk, watch)
            let later = try HostCounters.read()
            let seconds = MonotonicClock.seconds - earlierAt
            let sample = HostSample(from: earlier, to: later, seconds: max(0.1, seconds))
            (earlier, earlierAt) = (later, MonotonicClock.seconds)
            try publish(sample, publisher)
        }
    }

    /// Windows of minutes where the defaults have days, and a training at most every ten minutes. Floors and skill
    /// are learned over days, so the plain score decides here; its thresholds are what single metrics of one machine,
    /// which are far from smooth, leave room for.
    private static var configuration: WorkerConfiguration {
        var configuration = WorkerConfiguration(checkIntervalMinutes: 1, isLive: true)
        configuration.expectedRanges = HostSample.metrics.map { ($0, 0, $0.hasSuffix("_pct") ? 100 : nil) }
        configuration.further = [
            "scoring: plain",
            "error_measure: wape",
            "drift_threshold_warning: 0.4",
            "drift_threshold_critical: 0.5",
            "safeguards:",
            "  sla_breach_threshold: 1.0",
            "min_hours_between_training: 0.1667",
            "max_trainings_per_week: 1000",
            "min_quiet_duration_hours: 0.05",
            "training_window_days: 0.0833",
            "drift:",
            "  error_span_hours: 0.25",
            "  distribution_span_days: 0.0139",
            "  baseline_span_days: 0.0069",
            "  min_samples: 60",
            "  persistence_hours: 0.05",
            "  severe_persistence_hours: 0.033",
            "quiet:",
            "  deadline_hours: 0.1",
        ]
        return configuration
    }

    private func waitForTick(_ stage: Stage, _ desk: TrainingDesk, _ watch: WorkerWatch) throws {
        let due = table.end
        repeat {
            try stage.check()
            for event in try watch.poll(timeoutMilliseconds: 0) { hear(event) }
            try desk.serve(
                now: WallClock.milliseconds, train: { try self.train($0, stage: stage, progress: $1) },
                tell: { self.hear($0) })
            Interruption.sleep(seconds: min(0.2, max(0, Double(due - WallClock.milliseconds) / 1000)))
        } while WallClock.milliseconds < due
    }

    private func publish(_ sample: HostSample, _ publisher: RecordPublisher) throws {
        let now = table.end
        table.append(sample.values)
        try publisher.load(pool: nil, entity: entity, at: now, cpuPercent: sample.cpuPercent)
        try publisher.actual(
            model: Self.model, entity: entity, at: now,
            values: zip(HostSample.metrics, sample.values).map { (name: $0, value: $1) })
        if deployment == nil, table.ticks >= Self.warmUpTicks {
            let first = try Forecaster.train(on: table, version: version(now), settings: Self.settings)
            deployment = Deployment(serving: first, shadowDuration: 10 * .minute)
            terminal.say("\(CalendarTime(now).clock)  first model \(first.version) serves")
        }
        deployment?.advance(to: now)
        if let deployment {
            try publishForecast(of: deployment.serving, at: now, isShadow: false, publisher)
            if let shadow = deployment.shadow {
                try publishForecast(of: shadow.model, at: now, isShadow: true, publisher)
            }
        }
        try publisher.push()
        showStatus(sample)
    }

    private func publishForecast(
        of model: Forecaster, at now: Milliseconds, isShadow: Bool, _ publisher: RecordPublisher
    ) throws {
        let predicted = model.predict(
            issuedAt: now, last: table.row(table.ticks - 1), previous: table.row(table.ticks - 2))
        try publisher.prediction(
            model: Self.model, version: model.version, entity: entity,
            at: now + Self.step * Int64(model.settings.horizonTicks), issuedAt: now, isShadow: isShadow,
            values: zip(HostSample.metrics, predicted).map { (name: $0, value: $1) })
    }

    private func train(
        _ request: RequestEvent, stage: Stage, progress: (Double) throws -> Void
    ) throws -> TrainingDesk.Trained {
        let set = try TrainingSet.read(
            for: request, bootstrapServers: stage.broker.bootstrapServers, entities: [entity],
            metrics: HostSample.metrics, partitions: Self.bulkPartitions, step: Self.step, notBefore: table.start,
            progress: { _ in })
        try progress(0.5)
        let model = try Forecaster.train(on: set.table, version: version(table.end), settings: Self.settings)
        deployment?.deploy(model, from: table.end)
        return TrainingDesk.Trained(
            version: model.version,
            metrics: ["mape_last_day": model.trainingError, "rows": Double(model.rows)].filter { $0.value.isFinite })
    }

    private func hear(_ event: WorkerEvent) {
        switch event {
        case .decision(let decision):
            latest = decision
            guard decision.reason.code != toldReason else { return }
            toldReason = decision.reason.code
            terminal.say(
                "\(CalendarTime(decision.evaluatedAt).clock)  \(decision.outcome) \(decision.reason.code): "
                    + decision.reason.text
            )
        case .request(let request):
            terminal.chapter(
                "\(CalendarTime(request.requestedAt).clock)  ── training requested (\(request.reason.code)): "
                    + request.requestID
            )
        case .verdict(let verdict): terminal.say("       verdict \(verdict.outcome): \(verdict.text)")
        case .alert(let alert): terminal.say("       alert \(alert.kind) \(alert.state): \(alert.text)")
        }
    }

    private func hear(_ step: TrainingDesk.Step) {
        switch step {
        case .accepted(let request): terminal.say("       trainer accepts \(request.requestID)")
        case .succeeded(_, let trained): terminal.chapter("       ── retrained: version \(trained.version)")
        case .failed(_, let fault): terminal.say("       training failed: \(fault)")
        case .rejected(_, let faults): terminal.say("       trainer rejects: \(faults.joined(separator: "; "))")
        case .started, .repeated: break
        }
    }

    private func showStatus(_ sample: HostSample) {
        let decided = latest.map {
            "score \(Format.score($0.signal?.score))  accuracy \(Format.percent($0.accuracy))  "
                + "\($0.outcome) \($0.reason.code)"
        }
        terminal.show(
            status: "\(CalendarTime(table.end).clock)  cpu \(Format.percent(sample.cpuPercent / 100))  "
                + (decided ?? "no decision yet"))
    }

    private func version(_ time: Milliseconds) -> String {
        let moment = CalendarTime(time)
        return moment.dateText + "T" + moment.clock.replacing(":", with: "")
    }
}
