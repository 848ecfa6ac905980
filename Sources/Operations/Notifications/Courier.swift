import Dispatch
import Foundation
import Retraining
import Synchronization

/// Where notifications go, such as a webhook.
protocol NotificationChannel: Sendable {
    /// A word of a fixed set: a label of metrics.
    var name: String { get }
    /// How many alerts one delivery takes.
    var batchMax: Int { get }
    func deliver(_ alerts: [Alert]) throws(DeliveryFailure)
}

/// Why a delivery failed.
struct DeliveryFailure: Error {
    /// It would fail again: not tried any more.
    var isFinal: Bool
    var message: String
}

/// Delivers to one channel, on a thread of its own: whoever hands an alert over waits for nothing.
///
/// Bounded: where the channel is slower than what comes, a later alert about the same thing takes the place of the one
/// that waits, and then the oldest are dropped and counted. The alerts topic has them all.
final class Courier: Sendable {
    struct Pace: Sendable {
        /// Alerts that wait at most.
        var capacity = 1_000
        /// Deliveries in a minute, at most; so many may go at once after a pause.
        var perMinute = 30
        /// Seconds before the second attempt; doubled with each further one.
        var firstPause = 1.0
        var longestPause = 60.0
        /// Seconds after which a delivery is given up.
        var patience = 3_600.0
    }

    enum Outcome: String, CaseIterable { case delivered, failed, dropped }

    private struct State {
        var waiting: [Alert] = []
        var isClosing = false
        var outcomes: [Outcome: UInt64] = [:]
        var retries: UInt64 = 0
    }

    let channel: any NotificationChannel
    private let pace: Pace
    private let report: @Sendable (String) -> Void
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ channel: any NotificationChannel, _ pace: Pace, report: @escaping @Sendable (String) -> Void) {
        self.channel = channel
        self.pace = pace
        self.report = report
        let thread = Thread { [self] in
            work()
            ended.signal()
        }
        thread.name = "notify-\(channel.name)"
        thread.start()
    }

    func put(_ alert: Alert) {
        state.withLock { state in
            if let index = state.waiting.firstIndex(where: { $0.isAboutTheSame(as: alert) }) {
                state.waiting[index] = alert
                return
            }
            if state.waiting.count >= pace.capacity {
                state.waiting.removeFirst()
                state.outcomes[.dropped, default: 0] += 1
            }
            state.waiting.append(alert)
        }
        wake.signal()
    }

    /// Tries once more what waits, and ends the thread; false where that took longer than `seconds`.
    @discardableResult
    func close(within seconds: Double) -> Bool {
        startClosing()
        return ended.wait(timeout: .now() + seconds) == .success
    }

    func startClosing() {
        state.withLock { $0.isClosing = true }
        wake.signal()
    }

    var counts: (outcomes: [Outcome: UInt64], retries: UInt64, waiting: Int) {
        state.withLock { ($0.outcomes, $0.retries, $0.waiting.count) }
    }

    // MARK: The thread

    private func work() {
        var tokens = Double(pace.perMinute)
        var filled = DispatchTime.now()
        while true {
            let batch = take()
            if batch.isEmpty {
                if isClosing { return }
                wake.wait()
                continue
            }
            while true {
                let now = DispatchTime.now()
                let seconds = Double(now.uptimeNanoseconds - filled.uptimeNanoseconds) / 1e9
                tokens = min(Double(pace.perMinute), tokens + seconds * Double(pace.perMinute) / 60)
                filled = now
                if tokens >= 1 || isClosing { break }
                pause((1 - tokens) * 60 / Double(pace.perMinute))
            }
            tokens -= 1
            deliver(batch)
        }
    }

    private var isClosing: Bool { state.withLock { $0.isClosing } }

    private func take() -> [Alert] {
        state.withLock { state in
            let batch = Array(state.waiting.prefix(channel.batchMax))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func deliver(_ batch: [Alert]) {
        let began = DispatchTime.now()
        var wait = pace.firstPause
        while true {
            do throws(DeliveryFailure) {
                try channel.deliver(batch)
                return count(.delivered, batch)
            } catch {
                let seconds = Double(DispatchTime.now().uptimeNanoseconds - began.uptimeNanoseconds) / 1e9
                if error.isFinal || isClosing || seconds > pace.patience {
                    report("\(channel.name): \(batch.count) notifications given up: \(error.message)")
                    return count(.failed, batch)
                }
                if wait == pace.firstPause { report("\(channel.name): trying again: \(error.message)") }
            }
            state.withLock { $0.retries += 1 }
            pause(wait)
            wait = min(pace.longestPause, 2 * wait)
        }
    }

    private func count(_ outcome: Outcome, _ batch: [Alert]) {
        state.withLock { $0.outcomes[outcome, default: 0] += UInt64(batch.count) }
    }

    /// Waits, and not longer once the end has come.
    private func pause(_ seconds: Double) {
        let deadline = DispatchTime.now() + seconds
        while !isClosing, DispatchTime.now() < deadline {
            // Woken by what comes in as well; that has to wait like the rest.
            _ = wake.wait(timeout: deadline)
        }
    }
}

extension Alert {
    /// Whether the later one makes the earlier one needless, where that has not been told yet.
    fileprivate func isAboutTheSame(as later: Alert) -> Bool {
        kind == later.kind && model == later.model && (kind.isCondition || requestID == later.requestID)
    }
}

extension Alert.Kind {
    /// Goes on until it is resolved; the others are told once.
    var isCondition: Bool {
        switch self {
        case .slaBreach, .stalledInput, .trainingOverdue, .notDeployed, .deadLettersRising, .misKeyedProducer: true
        case .trainingTriggered, .trainingSucceeded, .trainingFailed, .modelRegressed, .inputTrimmed: false
        }
    }
}
