import Contracts
import Foundation
import Logging
import Operations
import Replay
import Retraining
import Synchronization
import Worker

/// A first start that knows a history: `driftgate run --warm-from`, or `worker.warm_from`.
///
/// The history is read when it is asked for, and that is only where a task has no state; on a thread of its own, since the
/// worker goes on polling meanwhile. One read serves all tasks that are restored together.
final class WarmStart: Sendable {
    private enum Reading {
        case underWay
        case done([Int32: WarmState])
        case failed(any Error)
    }

    private let paths: [String]
    private let configuration: Configuration
    private let logger: Logger
    private let reading = Mutex<Reading?>(nil)

    init(_ paths: [String], _ configuration: Configuration, _ logger: Logger) {
        self.paths = paths
        self.configuration = configuration
        self.logger = logger
    }

    /// What a task begins with; nil while the history is being read.
    ///
    /// - Throws: what is wrong with the history.
    func units(_ request: InitialStateRequest) throws -> [(key: String, bytes: [UInt8])]? {
        let found: WarmState? = try reading.withLock { reading in
            switch reading {
            case .underWay: return nil
            case .failed(let error):
                reading = nil
                throw error
            case .done(var states):
                // What was handed out is not kept: the engine has it.
                let state = states.removeValue(forKey: request.task)
                reading = states.isEmpty ? nil : .done(states)
                if let state { return state }
            case nil: break
            }
            reading = .underWay
            Thread.detachNewThread { [self] in read(request) }
            return nil
        }
        guard let found else { return nil }
        logger.notice(
            "task \(request.task): \(found.models) models of history, up to \(Timestamp.text(found.upTo) ?? "")")
        return found.units
    }

    private func read(_ request: InitialStateRequest) {
        logger.notice("first start: reading the history \(paths.joined(separator: ", "))")
        do {
            let began = Date()
            let (source, _) = try HistorySources.files(try HistoryOptions.parse(["--"] + paths), configuration)
            let shares = request.partitions.map { partitions in
                request.tasks.map {
                    ModelShare(partition: $0, of: partitions, defaultModel: configuration.engine.defaultModel)
                }
            }
            let states = try WarmState.read(source, configuration: configuration.engine, shares: shares ?? [nil])
            logger.notice(
                """
                read \(source.findings.records) records of history, \(source.findings.refused) refused, in \
                \(Figures.fixed(Date().timeIntervalSince(began), 1)) s
                """)
            for refusal in source.findings.first.prefix(3) {
                logger.warning("\(refusal.place): \(refusal.rejection.reason.rawValue): \(refusal.rejection.detail)")
            }
            for warning in source.findings.warnings { logger.warning("\(warning)") }
            let tasks = request.partitions == nil ? [request.task] : request.tasks
            reading.withLock {
                $0 = .done(Dictionary(zip(tasks, states)) { first, _ in first })
            }
        } catch {
            reading.withLock { $0 = .failed(ReplayError("the history of the first start: \(error)")) }
        }
    }
}
