import Retraining

/// The order in which partitions are read: by merge time, boundary by boundary.
///
/// Records before the gate may be collected, whatever their partition; a partition whose next record lies at or behind
/// the gate is held, and its records stay in librdkafka's bounded queue. When every partition is held or at its end,
/// the boundary is evaluated and the gate moves on. So a partition that is read faster than others never runs ahead of
/// them, a live partition without records holds nobody up, and no partition is ever paused.
struct Merge {
    enum Step: Equatable {
        /// Somebody has to bring more first.
        case wait
        /// The gate moved: partitions before it may be read on.
        case proceed
        /// Everything before this boundary has been collected.
        case evaluate(Milliseconds)
    }

    /// Where a partition stands.
    struct Head {
        var advancesStreamTime: Bool
        /// Merge time of the next record behind the gate.
        var held: Milliseconds?
        /// Whether it may be left out: at its end, or silent for too long.
        var isIdle: Bool
    }

    let interval: Milliseconds
    /// Records before it may be collected; nil until every partition has shown its first record.
    private(set) var gate: Milliseconds?
    /// Merge time of the earliest record behind the boundary that was last evaluated.
    private(set) var streamTime: Milliseconds?

    /// - Parameter lastBoundary: where a restored task goes on.
    init(interval: Milliseconds, lastBoundary: Milliseconds? = nil) {
        self.interval = interval
        gate = lastBoundary.map { $0.floored(to: interval) + interval }
    }

    func isBehindGate(_ mergeTime: Milliseconds) -> Bool { gate.map { mergeTime >= $0 } ?? true }

    mutating func step(_ heads: [Head]) -> Step {
        var earliest: Milliseconds?
        for head in heads {
            guard let held = head.held else {
                if head.isIdle { continue }
                return .wait
            }
            if head.advancesStreamTime { earliest = min(earliest ?? held, held) }
        }
        // Only predictions and actuals move stream time.
        guard let earliest else { return .wait }
        let boundary = earliest.floored(to: interval)
        guard let gate else {
            self.gate = boundary + interval
            return .proceed
        }
        if boundary > gate {
            self.gate = boundary
            // Others may have records between the old gate and this boundary.
            if heads.contains(where: { $0.held.map { $0 < boundary } ?? false }) { return .proceed }
        }
        self.gate = boundary + interval
        streamTime = earliest
        return .evaluate(boundary)
    }
}
