/// Time that passes only when somebody moves it, in milliseconds.
public final class VirtualClock {
    /// Monotonic.
    public private(set) var now: Int64 = 1_000_000
    /// What a wall clock shows at monotonic time 0.
    public var wallOffset: Int64
    private var events: [Event] = []
    private var scheduled: UInt64 = 0

    private struct Event {
        var time: Int64
        /// Events of the same moment run in the order in which they were scheduled.
        var order: UInt64
        var action: () -> Void
    }

    public init(wall: Int64) { wallOffset = wall - now }

    /// Milliseconds since 1970, as the machines' clocks show.
    public var wall: Int64 { now + wallOffset }

    public func schedule(after delay: Int64, _ action: @escaping () -> Void) {
        let event = Event(time: now + max(0, delay), order: scheduled, action: action)
        scheduled += 1
        var index = events.count
        // Latest first, so that the next one is the last element.
        while index > 0, events[index - 1].time <= event.time { index -= 1 }
        events.insert(event, at: index)
    }

    /// When the next scheduled event is due; nil where there is none.
    public var nextEvent: Int64? { events.last?.time }

    /// Moves time and runs what becomes due, each at its moment.
    public func advance(to time: Int64) {
        while let next = events.last, next.time <= time {
            events.removeLast()
            now = max(now, next.time)
            next.action()
        }
        now = max(now, time)
    }

    public func advance(by delay: Int64) { advance(to: now + delay) }
}
