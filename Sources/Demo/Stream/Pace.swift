import Retraining

/// Lets stream time run at a given speed, and stand still whenever it must.
struct Pace {
    /// Wall-clock seconds between two ticks.
    private let interval: Double
    private var next: Double

    /// - Parameters:
    ///   - hoursPerSecond: hours of stream time in one second of wall-clock time.
    ///   - step: stream time between two ticks.
    init(hoursPerSecond: Double, step: Milliseconds) {
        interval = Double(step) / Double(Milliseconds.hour) / hoursPerSecond
        next = MonotonicClock.seconds
    }

    /// Seconds until the next tick is due; 0 where it is.
    var wait: Double { max(0, next - MonotonicClock.seconds) }

    /// Notes that a tick was published. Time that was lost is made up for only in part, so that no rush follows a
    /// standstill.
    mutating func ticked() {
        next = max(next + interval, MonotonicClock.seconds - interval)
    }
}
