import Retraining

/// What is known of one model: its decisions as points, its trainings, and its latest decision as a whole.
struct ModelHistory: Sendable {
    let name: String
    /// Every decision of the last days, oldest first.
    private(set) var recent: [HistoryPoint] = []
    /// Of what is older, the worst decision of each hour, every trigger and every change of the reason.
    private(set) var older: [HistoryPoint] = []
    /// Serving versions by the decision that first named them.
    private(set) var versions: [(at: Milliseconds, version: String)] = []
    var trainings: [Training] = []
    /// The latest decision's record, as it is in the topic.
    var latestRecord: [UInt8] = []
    var latest: LatestFacts?
    /// When it was read, or written where it was read later; milliseconds since 1970.
    var latestArrival: Milliseconds = 0

    /// Decisions of this long are all kept.
    static let fullResolution: Milliseconds = 8 * .day
    private static let versionsMax = 256
    static let trainingsMax = 512

    init(name: String) { self.name = name }

    var lastPoint: HistoryPoint? { recent.last ?? older.last }
    var count: Int { recent.count + older.count }

    /// Takes the next decision; false for one that is known already.
    mutating func add(_ point: HistoryPoint, version: String?, retention: Milliseconds) -> Bool {
        // At least once: the same decision may be in the topic twice, under the same id.
        if let last = lastPoint, point.at <= last.at { return false }
        if let version, versions.last?.version != version {
            if versions.count == Self.versionsMax { versions.removeFirst(Self.versionsMax / 4) }
            versions.append((point.at, version))
        }
        recent.append(point)
        settle(now: point.at, retention: retention)
        return true
    }

    private mutating func settle(now: Milliseconds, retention: Milliseconds) {
        // In whole blocks, so that moving costs little a decision.
        let block = 256
        if recent.count > block, recent[block - 1].at < now - Self.fullResolution {
            for point in recent[..<block] { thin(point) }
            recent.removeFirst(block)
        }
        let start = now - retention
        // Thinned, a day is about as many.
        let day = 24
        while older.count > day, older[day - 1].at < start { older.removeFirst(day) }
        if older.isEmpty, recent.count > block, recent[block - 1].at < start { recent.removeFirst(block) }
        if let first = trainings.first, trainings.count > Self.trainingsMax || first.requestedAt < start - retention {
            trainings.removeFirst()
        }
    }

    private mutating func thin(_ point: HistoryPoint) {
        guard let last = older.last, !last.isTrigger, !point.isTrigger, last.hasSameReason(as: point),
            last.at / .hour == point.at / .hour
        else { return older.append(point) }
        if point.score > last.score || last.score.isNaN { older[older.count - 1] = point }
    }

    /// Points of [from, to], oldest first.
    func points(from: Milliseconds, to: Milliseconds) -> [HistoryPoint] {
        Array(Self.slice(older, from, to)) + Array(Self.slice(recent, from, to))
    }

    private static func slice(
        _ points: [HistoryPoint], _ from: Milliseconds, _ to: Milliseconds
    ) -> ArraySlice<HistoryPoint> {
        let start = index(points, first: from)
        return points[start..<max(start, index(points, first: to + 1))]
    }

    /// Of the first point at or after `time`.
    private static func index(_ points: [HistoryPoint], first time: Milliseconds) -> Int {
        var (low, high) = (0, points.count)
        while low < high {
            let middle = (low + high) / 2
            if points[middle].at < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The decision made at a time.
    func point(at time: Milliseconds) -> HistoryPoint? { points(from: time, to: time).first }

    func version(at time: Milliseconds) -> String? { versions.last { $0.at <= time }?.version }

    /// Accuracy when a training was requested, and its mean over the two days from the new version's first score on.
    func accuracy(of training: Training) -> (before: Double?, after: Double?) {
        // Itself a mean, over the error windows.
        let before = points(from: training.requestedAt - .day, to: training.requestedAt).last { !$0.accuracy.isNaN }
            .map { Double($0.accuracy) }
        guard let version = training.newVersion,
            let first = versions.first(where: { $0.version == version && $0.at >= training.requestedAt })
        else { return (before, nil) }
        // Until the next version, at most.
        let next = versions.first { $0.at > first.at }?.at ?? .max
        let window = points(from: first.at, to: min(next - 1, first.at + 4 * .day)).filter { !$0.accuracy.isNaN }
        guard let scored = window.first else { return (before, nil) }
        return (before, mean(window.filter { $0.at <= scored.at + 2 * .day }.map(\.accuracy)))
    }

    private func mean(_ values: [Float]) -> Double? {
        let known = values.filter { !$0.isNaN }
        return known.isEmpty ? nil : Double(known.reduce(0, +)) / Double(known.count)
    }
}
