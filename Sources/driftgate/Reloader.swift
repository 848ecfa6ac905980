import Logging
import Operations
import Synchronization
import Worker

/// Takes a changed configuration up while the worker runs, or says what is wrong with it and changes nothing.
final class Reloader: Sendable {
    enum Outcome: String, CaseIterable { case taken, unchanged, refused }

    private struct State {
        var current: Configuration
        var outcomes: [Outcome: UInt64] = [:]
    }

    private let load: @Sendable () throws -> Configuration
    private let apply: @Sendable (Configuration) throws -> Void
    private let logger: Logger
    private let state: Mutex<State>

    /// - Parameters:
    ///   - load: reads all layers again; throws `ConfigurationErrors` where something is wrong.
    ///   - apply: hands over what may change; throws where it cannot be used, and then has changed nothing.
    init(
        _ current: Configuration, logger: Logger, load: @escaping @Sendable () throws -> Configuration,
        apply: @escaping @Sendable (Configuration) throws -> Void
    ) {
        state = Mutex(State(current: current))
        self.logger = logger
        self.load = load
        self.apply = apply
    }

    func reload() {
        let outcome = take()
        state.withLock { $0.outcomes[outcome, default: 0] += 1 }
    }

    private func take() -> Outcome {
        let current = state.withLock { $0.current }
        do {
            let read = try load()
            let next = current.reloaded(as: read)
            for change in current.changes(to: read) where change.needsRestart {
                logger.warning("\(change.key) needs a restart: it stays \(change.old)")
            }
            let changes = current.changes(to: next)
            guard !changes.isEmpty else {
                logger.notice("SIGHUP: the configuration has not changed")
                return .unchanged
            }
            try apply(next)
            for change in changes where !change.key.contains("webhook_url") {
                logger.notice("\(change.key): \(change.old) -> \(change.new)")
            }
            logger.notice("configuration \(next.fingerprint) was read: \(changes.count) settings change")
            state.withLock { $0.current = next }
            return .taken
        } catch {
            logger.error("SIGHUP: the configuration is not right, so nothing changes:\n\(error)")
            return .refused
        }
    }

    /// For `MetricsPage.add`.
    func write(into text: inout PrometheusText) {
        let outcomes = state.withLock { $0.outcomes }
        text.family(
            "driftgate_configuration_reloads_total", .counter, "Reloads of the configuration, by what became of them.",
            Outcome.allCases.map {
                (PrometheusText.labels([("outcome", $0.rawValue)]), Double(outcomes[$0] ?? 0))
            })
    }
}
