import Replay
import Retraining

/// Turns the load column of a recorded set into what a `load` record carries, 0 to 100.
///
/// A column of percent is taken as it is. Anything else is set against the 95th percentile of its own last 30 days.
struct RecordedLoad {
    private let isPercent: Bool
    private let samples: [(time: Milliseconds, value: Double)]
    private var next = 0
    private var scale = Double.nan
    private var scaledAt = Milliseconds.min

    init(entity: RecordedEntity) {
        isPercent = entity.loadColumn.hasSuffix("_pct")
        samples = entity.load
    }

    /// The samples up to `time` that have not been handed out yet.
    mutating func take(upTo time: Milliseconds) -> [(time: Milliseconds, cpuPercent: Double)] {
        var taken: [(time: Milliseconds, cpuPercent: Double)] = []
        while next < samples.count, samples[next].time <= time {
            let (at, value) = samples[next]
            next += 1
            if isPercent {
                taken.append((at, min(100, max(0, value))))
                continue
            }
            if at >= scaledAt + .day || scale.isNaN {
                let window = samples[..<next].reversed().prefix { $0.time > at - 30 * .day }.map(\.value).sorted()
                scale = max(1e-9, window[min(window.count - 1, Int(0.95 * Double(window.count)))])
                scaledAt = at
            }
            taken.append((at, min(100, max(0, 100 * value / scale)).roundedToFourDigits))
        }
        return taken
    }
}
