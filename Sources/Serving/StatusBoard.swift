import Foundation
import Retraining
import Synchronization
public import Worker

/// Where the worker's thread puts its status and everybody else finds it. Neither waits for the other for longer than a
/// copy takes.
public final class StatusBoard: Sendable {
    private let latest = Mutex<WorkerStatus?>(nil)
    /// A worker that has said nothing for this long hangs. Longer than a checkpoint may take while a broker is away.
    private static let patience: Milliseconds = 120_000

    public init() {}

    public func put(_ status: WorkerStatus) { latest.withLock { $0 = status } }

    public var status: WorkerStatus? { latest.withLock { $0 } }

    /// `/healthz` and `/readyz`: open to all, and say nothing but how the worker is.
    public var routes: [Route] {
        [
            Route("/healthz", isOpen: true) { [self] _ in Self.answer(isGood: isAlive, isAlive ? "ok" : "hangs") },
            Route("/readyz", isOpen: true) { [self] _ in
                guard isAlive, let status else { return Self.answer(isGood: false, "starting") }
                let isReady = status.isReady || status.phase == .standingBy
                return Self.answer(
                    isGood: isReady, isReady && status.phase == .working ? "ready" : status.phase.rawValue)
            },
        ]
    }

    /// True also before the first status: brokers may take their time to answer.
    private var isAlive: Bool {
        guard let status else { return true }
        return Milliseconds(Date().timeIntervalSince1970 * 1000) - status.at < Self.patience
    }

    private static func answer(isGood: Bool, _ text: String) -> Answer {
        Answer(status: isGood ? 200 : 503, text: text + "\n")
    }
}
