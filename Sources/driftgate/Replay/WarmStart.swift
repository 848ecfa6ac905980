import ArgumentParser
import Contracts
import Foundation
import Logging
import Operations
import Replay
import Retraining
import Worker

/// `driftgate run --warm-from`: a first start that knows a history.
enum WarmStart {
    /// Reads the history when it is asked for, and that is only where the state topic holds no snapshot.
    static func initialState(
        _ paths: [String], _ configuration: Configuration, _ logger: Logger
    ) throws -> @Sendable () throws -> [(key: String, bytes: [UInt8])] {
        guard configuration.worker.scale == .single else {
            FileHandle.standardError.write(
                Data("error: --warm-from needs worker.scale single: a history is not split by partitions\n".utf8))
            throw ExitCode(2)
        }
        return {
            let history = try HistoryOptions.parse(paths)
            let began = Date()
            let (source, _) = try HistorySources.files(history, configuration)
            let state = try WarmState(source, configuration: configuration.engine)
            logger.notice(
                """
                read history of \(state.models) models up to \(Timestamp.text(state.upTo) ?? ""): \
                \(source.findings.records) records, \(source.findings.refused) refused, in \
                \(Figures.fixed(Date().timeIntervalSince(began), 1)) s
                """)
            return state.units
        }
    }
}
