/// The order in which partitions are read: by merge time, boundary by boundary.
///
/// Records before the gate may be collected, whatever their partition; a partition whose next record lies at or behind
/// the gate is held, and its records stay in librdkafka's bounded queue. When every partition is held or at its end,
/// the boundary is evaluated and the gate moves on. So a partition that is read faster than others never runs ahead of
/// them, a live partition without records holds nobody up, and no partition is ever paused.
public struct Merge: Sendable {
    public enum Step: Equatable {
        /// Somebody has to bring more first.
        case wait
        /// The gate moved: partitions before it may be read on.
        case proceed
        /// Everything before this boundary has been collected.
        case evaluate(Milliseconds)
    }

    /// Where a partition stands.
    public struct Head: Sendable {
        public var advancesStreamTime: Bool
        /// Merge time of the next record behind the gate.
        public var held: Milliseconds?
        /// Whether it may be left out: at its end, or silent for too long.
        public var isIdle: Bool

        public init(advancesStreamTime: Bool, held: Milliseconds?, isIdle: Bool) {
            self.advancesStreamTime = advancesStreamTime
            self.held = held
            self.isIdle = isIdle
        }
    }

    public let interval: Milliseconds
    /// Records before it may be collected; nil until every partition has shown its first record.
    public private(set) var gate: Milliseconds?
    /// Merge time of the earliest record behind the boundary that was last evaluated.
    public private(set) var streamTime: Milliseconds?

    /// - Parameter lastBoundary: where a restored task goes on.
    public init(interval: Milliseconds, lastBoundary: Milliseconds? = nil) {
        self.interval = interval
        gate = lastBoundary.map { $0.floored(to: interval) + interval }
    }

    public func isBehindGate(_ mergeTime: Milliseconds) -> Bool { gate.map { mergeTime >= $0 } ?? true }

    public mutating func step(_ heads: [Head]) -> Step {
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
