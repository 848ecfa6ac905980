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
            "On a first start begin with this history: files or directories, as `driftgate replay` takes them.",
            valueName: "path"))
    var warmFrom: [String] = []

    func run() throws {
        let configuration = try options.load()
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "driftgate")
        logger.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
        logger.info("configuration \(configuration.fingerprint) from \(options.config ?? "defaults")")
        for line in configuration.settingsWithoutEffect { logger.warning("\(line)") }
        let log = configuration.output.logDirectory.map { directory in
            DecisionLog(
                directory: directory, retention: configuration.output.logRetention,
                fileBytesMax: configuration.output.logFileBytes,
                report: { [logger] in logger.warning("decision log: \($0)") })
        }
        var workerOptions = try configuration.workerOptions()
        if !warmFrom.isEmpty {
            workerOptions.initialState = try WarmStart.initialState(warmFrom, configuration, logger)
        }
        let worker = try Worker(options: workerOptions, logger: logger) { json, time in
            log?.append(json, at: time)
        }
        StopSignals.install(deadline: configuration.worker.shutdownDeadline, stop: worker.stopRequest)
        // Its threads are made after the signals are blocked.
        let board = StatusBoard()
        worker.onStatus = { board.put($0) }
        let service = try HTTPService(configuration, worker: worker, board: board, logger: logger)
        defer {
            service?.stop()
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
}

/// SIGTERM and SIGINT ask for a clean stop; a second one, or the deadline, ends the process at once.
enum StopSignals {
    static func install(deadline: Milliseconds, stop: @escaping @Sendable () -> Void) {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        // Blocked in every thread that is made from here on; one thread takes them.
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let watched = signals
        Thread.detachNewThread {
            var signals = watched
            var received: Int32 = 0
            sigwait(&signals, &received)
            stop()
            // Supervisors signal the process and its group: what comes within a second is the same wish.
            Thread.sleep(forTimeInterval: 1)
            var pending = timespec()
            while sigtimedwait(&signals, nil, &pending) > 0 {}
            var limit = timespec(tv_sec: Int(deadline / 1000), tv_nsec: Int(deadline % 1000) * 1_000_000)
            let again = sigtimedwait(&signals, nil, &limit) > 0
            let why = again ? "a second signal" : "no clean stop within \(deadline) ms"
            FileHandle.standardError.write(Data("driftgate: \(why); ending at once\n".utf8))
            _exit(1)
        }
    }
}
