import RingBuffers

/// A sliding window of one series, bounded in samples and, where it has a span, in time, which its samples then cover
/// evenly.
///
/// A window that is bounded in samples alone measures the time of day once a topic is busy: 1000 pairs can be ten
/// minutes, and a seasonal load then looks like drift for ever. With a span, a sample is admitted by its rank, a hash
/// of (entity, `at`): when the window is full before it covers its span, the share admitted falls and the samples above
/// the new share leave; when it covers the span and is half empty, the share rises again. So what it holds is, at any
/// rate, an even sample of the span (bottom-k sampling; Cohen and Kaplan, PODC 2007).
final class SampleWindow<Sample: TimedSample> {
    /// One step of the share admitted.
    private static var step: Double { 0.75 }

    let ring: SlidingWindow<Sample>
    /// Nil bounds in samples only.
    let span: Milliseconds?
    /// The share admitted is `step` to this power.
    var thinning = 0 { didSet { limit = Self.limit(thinning) } }
    /// The greatest rank that is admitted.
    private(set) var limit = UInt64.max
    /// Samples that were offered, admitted or not.
    var offered: UInt64 = 0

    init(capacity: Int, span: Milliseconds?) {
        ring = SlidingWindow(capacity: capacity)
        self.span = span
    }

    var count: Int { ring.count }
    var oldest: Milliseconds? { ring.count > 0 ? ring[0].at : nil }
    var newest: Milliseconds? { ring.count > 0 ? ring[ring.count - 1].at : nil }

    private static func limit(_ thinning: Int) -> UInt64 {
        guard thinning > 0 else { return .max }
        var share = 1.0
        for _ in 0..<thinning { share *= step }
        return UInt64(share * 0x1p64)
    }

    /// Offers a sample; tells what left and what came, so that counts over the window can follow.
    func offer(_ sample: Sample, added: (Sample) -> Void, removed: (Sample) -> Void) {
        offered += 1
        guard sample.rank <= limit else { return }
        if ring.count == ring.capacity {
            if let span, ring[0].at > sample.at - span {
                thin(removed: removed)
                guard sample.rank <= limit else { return }
            }
            if ring.count == ring.capacity { removed(ring[0]) }
        }
        ring.append(sample)
        added(sample)
    }

    /// Lets samples older than the span go.
    func expire(now: Milliseconds, removed: (Sample) -> Void) {
        guard let span else { return }
        var gone = 0
        while gone < ring.count, ring[gone].at <= now - span {
            removed(ring[gone])
            gone += 1
        }
        if gone > 0 { ring.removeFirst(gone) }
        if gone > 0, ring.count == 0 { beginAnew() }
        if thinning > 0, gone > 0, ring.count < ring.capacity / 2 { thinning -= 1 }
    }

    func removeAll(removed: (Sample) -> Void) {
        ring.forEach(removed)
        ring.removeAll()
        beginAnew()
    }

    /// An empty window is as good as a new one: what the rate was says nothing of what it will be.
    private func beginAnew() {
        thinning = 0
        offered = 0
    }

    /// Takes over samples, oldest first, of a window that may have had another capacity or no span.
    func restore(_ samples: [Sample], thinning: Int, offered: UInt64) {
        self.thinning = span == nil ? 0 : thinning
        self.offered = offered
        var kept = samples
        while span != nil, kept.count > ring.capacity, self.thinning < 64 {
            self.thinning += 1
            let limit = limit
            kept.removeAll { $0.rank > limit }
        }
        // Of a window in samples alone the oldest leave, and where there is nothing to thin.
        if kept.isEmpty { kept = samples }
        ring.replaceAll(with: kept)
    }

    private func thin(removed: (Sample) -> Void) {
        var kept: [Sample] = []
        kept.reserveCapacity(ring.count)
        repeat {
            thinning += 1
            kept.removeAll(keepingCapacity: true)
            let limit = limit
            ring.forEach { if $0.rank <= limit { kept.append($0) } }
            // A single (entity, time) repeated for ever cannot be thinned; the oldest then leaves instead.
        } while kept.count == ring.count && thinning < 64
        let limit = limit
        ring.forEach { if $0.rank > limit { removed($0) } }
        if kept.count < ring.count { ring.replaceAll(with: kept) }
        if kept.isEmpty { beginAnew() }
    }
}
