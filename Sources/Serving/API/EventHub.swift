import Contracts
import Dispatch
import Synchronization

/// Tells live pages that something is new: which models, and no more. What it is they ask for themselves.
///
/// News is gathered for half a second and written once for all. Who is slow gets fewer events, and sees from the gap in
/// their numbers that he missed some.
final class EventHub: Sendable {
    private struct State {
        var subscribers: [UInt64: AsyncStream<[UInt8]>.Continuation] = [:]
        var nextSubscriber: UInt64 = 0
        var changed: Set<String> = []
        var hasOverflown = false
        var number: UInt64 = 0
        var ticks = 0
        var isRunning = false
    }

    private let state = Mutex(State())
    private let interval: DispatchTimeInterval
    private let queue = DispatchQueue(label: "driftgate.events", qos: .utility)
    private static let namesMax = 100
    private static let waitingMax = 8
    /// A heartbeat comes every so many intervals, so that a page knows that it still hears.
    private static let ticksPerHeartbeat = 10

    init(interval: DispatchTimeInterval = .milliseconds(500)) { self.interval = interval }

    func start() {
        state.withLock { $0.isRunning = true }
        wait()
    }

    private func wait() {
        queue.asyncAfter(deadline: .now() + interval) { [weak self] in
            guard let self, state.withLock({ $0.isRunning }) else { return }
            tick()
            wait()
        }
    }

    func stop() {
        state.withLock { state in
            state.isRunning = false
            for subscriber in state.subscribers.values { subscriber.finish() }
            state.subscribers = [:]
        }
    }

    func note(_ models: Set<String>) {
        state.withLock { state in
            guard !state.subscribers.isEmpty else { return }
            if state.changed.count + models.count > Self.namesMax {
                state.hasOverflown = true
            } else {
                state.changed.formUnion(models)
            }
        }
    }

    /// Something about all models is new.
    func noteAll() { state.withLock { $0.hasOverflown = !$0.subscribers.isEmpty } }

    /// The events from now on, as server-sent events.
    func subscribe() -> AsyncStream<[UInt8]> {
        AsyncStream(bufferingPolicy: .bufferingNewest(Self.waitingMax)) { continuation in
            let (number, current) = state.withLock { state in
                state.nextSubscriber += 1
                state.subscribers[state.nextSubscriber] = continuation
                return (state.nextSubscriber, state.number)
            }
            continuation.onTermination = { [weak self] _ in
                _ = self?.state.withLock { $0.subscribers.removeValue(forKey: number) }
            }
            continuation.yield(Array("retry: 2000\nid: \(current)\nevent: hello\ndata: {}\n\n".utf8))
        }
    }

    private func tick() {
        state.withLock { state in
            state.ticks += 1
            if state.hasOverflown || !state.changed.isEmpty {
                var data = JSONWriter()
                data.beginObject()
                data.field("all", state.hasOverflown)
                data.array("models", state.hasOverflown ? [] : state.changed.sorted()) { $0.write($1) }
                data.endObject()
                state.number += 1
                state.changed = []
                state.hasOverflown = false
                let text = Array("id: \(state.number)\nevent: changed\ndata: ".utf8) + data.bytes + [10, 10]
                for subscriber in state.subscribers.values { subscriber.yield(text) }
            } else if state.ticks % Self.ticksPerHeartbeat == 0 {
                let text = Array("id: \(state.number)\nevent: heartbeat\ndata: {}\n\n".utf8)
                for subscriber in state.subscribers.values { subscriber.yield(text) }
            }
        }
    }
}
