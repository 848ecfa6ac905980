import ArgumentParser
import Foundation
import Logging
import Operations
import Retraining
import Serving
import Worker

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the worker until SIGTERM or SIGINT.",
        discussion: """
            Exit status: 0 after a clean stop, 1 when the worker could not go on (start it again), 2 for a wrong \
            configuration.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(
        name: .customLong("warm-from"),
        help: ArgumentHelp(
            "On a first start begin with this history: files or directories, as `driftgate replay` takes them. May be "
                + "repeated; takes the place of worker.warm_from.", valueName: "path"))
    var warmFrom: [String] = []

    func run() throws {
        let configuration = try options.load()
        LoggingSystem.bootstrap { SharedLogLevel(StreamLogHandler.standardError(label: $0)) }
        SharedLogLevel.set(configuration.logLevel.rawValue)
        let logger = Logger(label: "driftgate")
        logger.info("configuration \(configuration.fingerprint) from \(options.config ?? "defaults")")
        // What is wrong here needs no broker to be found.
        let token = try HTTPService.token(configuration, logger: logger)
        try StartUpCheck.run(configuration, file: options.config, logger: logger)
        let log = configuration.output.logDirectory.map { directory in
            DecisionLog(
                directory: directory, retention: configuration.output.logRetention,
                fileBytesMax: configuration.output.logFileBytes,
                report: { [logger] in logger.warning("decision log: \($0)") })
        }
        var workerOptions = try configuration.workerOptions()
        let history = warmFrom.isEmpty ? configuration.worker.warmFrom : warmFrom
        if !history.isEmpty { workerOptions.initialState = WarmStart(history, configuration, logger).units }
        let worker = try Worker(options: workerOptions, logger: logger) { json, time in
            log?.append(json, at: time)
        }
        let monitoring = Monitoring(configuration, logger: logger)
        let manager = ServiceManager(environment: ProcessInfo.processInfo.environment)
        monitoring.watch(worker, manager)
        let reloader = reloader(configuration, worker, monitoring, logger)
        monitoring.metrics.add(reloader.write)
        Signals.deadline.store(configuration.worker.shutdownDeadline, ordering: .relaxed)
        Signals.install(stop: worker.stopRequest, reload: reloader.reload)
        // From here on threads may be made: the signals are blocked in them.
        try monitoring.start(configuration)
        let board = StatusBoard()
        worker.onStatus = { board.put($0) }
        let service = HTTPService(
            configuration, token: token, worker: worker, board: board, further: monitoring.routes, logger: logger)
        defer {
            manager?.stopping()
            service?.stop()
            monitoring.stop()
            log?.close()
        }
        do {
            switch try worker.run() {
            case .requested: logger.info("stopped")
            case .failed(let reason):
                logger.critical("\(reason)")
                throw ExitCode(1)
            }
        } catch let error where !(error is ExitCode) {
            logger.critical("\(error)")
            throw ExitCode(1)
        }
    }

    private func reloader(
        _ configuration: Configuration, _ worker: Worker, _ monitoring: Monitoring, _ logger: Logger
    ) -> Reloader {
        let handOver = worker.reloadRequest
        return Reloader(configuration, logger: logger, load: options.reader) { next in
            // Whatever can fail comes first.
            let workerOptions = try next.workerOptions()
            try monitoring.notifications.use(next)
            Signals.deadline.store(next.worker.shutdownDeadline, ordering: .relaxed)
            SharedLogLevel.set(next.logLevel.rawValue)
            handOver(workerOptions)
        }
    }
}

/// What tells others how the worker is: metrics and notifications.
final class Monitoring: Sendable {
    let board = ObservationBoard()
    let metrics: MetricsPage
    let notifications: Notifications

    init(_ configuration: Configuration, logger: Logger) {
        metrics = MetricsPage(board, topics: configuration.topics, fingerprint: configuration.fingerprint)
        notifications = Notifications { logger.warning("\($0)") }
        metrics.add(notifications.write)
    }

    func watch(_ worker: Worker, _ manager: ServiceManager?) {
        worker.listeners.onObservation = { [board] observation in
            board.put(observation)
            manager?.note(observation)
        }
        worker.listeners.onStatistics = board.put(statistics:isOfGroup:)
        worker.listeners.onAlert = notifications.put
        worker.listeners.onConfiguration = { [metrics] in metrics.note(fingerprint: $0.engine.fingerprint) }
    }

    func start(_ configuration: Configuration) throws { try notifications.use(configuration) }

    /// What is served beside the dashboard. Rendered on the thread of who asks.
    var routes: [Route] {
        [
            Route("/metrics") { [metrics] _ in
                Answer(type: PrometheusText.contentType, body: .bytes(metrics.render()))
            },
            Route(StatusClient.path) { [metrics] _ in
                Answer(type: "application/json", body: .bytes(metrics.status().json()))
            },
        ]
    }

    func stop() { notifications.close(within: 5) }
}
