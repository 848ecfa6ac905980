package import Retraining

/// What became of one model over a replay: figures, trainings, and a series thin enough to be drawn.
package struct ModelTrace: Sendable {
    /// One moment, or the mean of several.
    package struct Point: Sendable {
        package var at: Milliseconds
        package var score: Double?
        /// The largest score among those that were put together.
        package var peak: Double?
        /// Weighted: what each term adds to the score.
        package var parts: DriftSignal.Terms
        package var accuracy: Double?
        package var load: Double?
        package var isQuiet: Bool
        fileprivate var count = 1.0
    }

    package struct Training: Sendable {
        package var at: Milliseconds
        package var reason: Reason
        package var text: String
        package var score: Double?
        package var load: Double?
        package var isHighLoad: Bool
        package var requestID: String?
        /// When the score first stood above the threshold, when that had lasted long enough, and when nothing but the
        /// quiet rule held it any more. Nil for trainings that drift did not ask for.
        package var onset: Milliseconds?
        package var detected: Milliseconds?
        package var ready: Milliseconds?
        package var verdict: String?
    }

    package let model: String
    package private(set) var points: [Point] = []
    package private(set) var trainings: [Training] = []
    /// Evaluations by reason code.
    package private(set) var reasons: [Reason: Int] = [:]
    package private(set) var decisions = 0
    package private(set) var verdicts: [Verdict] = []
    package private(set) var first: Milliseconds?
    package private(set) var last: Milliseconds?
    /// Evaluations with an error figure, their sum, and how many lay below 10 % and above what was agreed.
    package private(set) var rated = 0
    package private(set) var errorSum = 0.0
    package private(set) var belowTenPercent = 0
    package private(set) var breached = 0
    /// Evaluations with the score above the threshold.
    package private(set) var aboveThreshold = 0
    private var detected: Milliseconds?
    private var ready: Milliseconds?
    private var binSpan: Milliseconds
    private var pointsMax: Int
    private let isAdaptive: Bool

    /// - Parameter isAdaptive: whether quiet hours are the lowest of the past, and not those below a threshold.
    package init(model: String, interval: Milliseconds, pointsMax: Int, isAdaptive: Bool = true) {
        self.model = model
        self.isAdaptive = isAdaptive
        self.pointsMax = max(64, pointsMax)
        binSpan = max(interval, .hour)
    }

    package var meanError: Double? { rated > 0 ? errorSum / Double(rated) : nil }

    package mutating func note(_ decision: Decision, breach: Double) {
        let at = decision.evaluatedAt
        first = first ?? at
        last = at
        decisions += 1
        reasons[decision.reason, default: 0] += 1
        if let error = decision.signal?.errors.selected {
            rated += 1
            errorSum += error
            if error < 0.10 { belowTenPercent += 1 }
            if error > breach { breached += 1 }
        }
        if decision.signal?.recommendation == .retrain { aboveThreshold += 1 }
        follow(decision)
        if decision.outcome == .trigger {
            let byDrift = [.driftQuiet, .slaBreach, .quietDeadline].contains(decision.reason)
            let isHigh = decision.load.hourScore.flatMap { score in decision.load.highLimit.map { score > $0 } }
            trainings.append(
                Training(
                    at: at, reason: decision.reason, text: decision.text, score: decision.signal?.score,
                    load: decision.load.hourScore ?? decision.load.score, isHighLoad: isHigh ?? false,
                    requestID: decision.requestID, onset: byDrift ? decision.signal?.aboveSince : nil,
                    detected: byDrift ? detected : nil, ready: byDrift ? ready : nil))
            (detected, ready) = (nil, nil)
        }
        add(point(decision))
    }

    package mutating func note(_ verdict: Verdict) {
        verdicts.append(verdict)
        if let index = trainings.lastIndex(where: { $0.requestID == verdict.requestID }) {
            trainings[index].verdict = verdict.outcome.rawValue
        }
    }

    /// Follows an episode of drift: when it was established, and since when only the quiet rule holds it.
    private mutating func follow(_ decision: Decision) {
        func passes(_ reason: Reason) -> Bool {
            decision.checks.first { $0.reason == reason }.map { $0.answer == .pass } ?? true
        }
        guard passes(.insufficientData), passes(.noDrift), passes(.persistence), decision.signal != nil else {
            (detected, ready) = (nil, nil)
            return
        }
        detected = detected ?? decision.evaluatedAt
        let quiet = decision.checks.firstIndex { $0.reason == .driftQuiet } ?? decision.checks.count
        let isFree = decision.checks[..<quiet].allSatisfy { $0.answer == .pass || $0.answer == .unknown }
        if isFree { ready = ready ?? decision.evaluatedAt }
    }

    private func point(_ decision: Decision) -> Point {
        var parts = decision.signal?.terms ?? DriftSignal.Terms()
        if let weights = decision.signal?.weights {
            parts.predictionError *= weights.predictionError
            parts.distributionShift *= weights.distributionShift
            parts.featureDrift *= weights.featureDrift
            parts.anomalyRate *= weights.anomalyRate
        }
        // What the adaptive rule goes by; the absolute one has its own answer.
        let isLow =
            isAdaptive
            ? decision.load.hourScore.flatMap { score in decision.load.lowLimit.map { score <= $0 } } : nil
        return Point(
            at: decision.evaluatedAt, score: decision.signal?.score, peak: decision.signal?.score, parts: parts,
            accuracy: decision.signal?.accuracy, load: decision.load.hourScore ?? decision.load.score,
            isQuiet: isLow ?? decision.load.isQuiet)
    }

    private mutating func add(_ point: Point) {
        if let last = points.last, point.at.floored(to: binSpan) == last.at.floored(to: binSpan) {
            points[points.count - 1].merge(point)
            return
        }
        points.append(point)
        thin()
    }

    /// Keeps fewer points from now on, so that more models find room.
    package mutating func keep(points most: Int) {
        pointsMax = min(pointsMax, max(64, most))
        thin()
    }

    private mutating func thin() {
        while points.count > pointsMax {
            binSpan *= 2
            let all = points
            points = []
            for point in all {
                if let last = points.last, point.at.floored(to: binSpan) == last.at.floored(to: binSpan) {
                    points[points.count - 1].merge(point)
                } else {
                    points.append(point)
                }
            }
        }
    }
}

extension ModelTrace.Point {
    fileprivate mutating func merge(_ other: Self) {
        let total = count + other.count
        func mean(_ left: Double?, _ right: Double?) -> Double? {
            guard let left, let right else { return left ?? right }
            return (left * count + right * other.count) / total
        }
        score = mean(score, other.score)
        peak = peak.map { max($0, other.peak ?? $0) } ?? other.peak
        parts = DriftSignal.Terms(
            predictionError: mean(parts.predictionError, other.parts.predictionError)!,
            distributionShift: mean(parts.distributionShift, other.parts.distributionShift)!,
            featureDrift: mean(parts.featureDrift, other.parts.featureDrift)!,
            anomalyRate: mean(parts.anomalyRate, other.parts.anomalyRate)!)
        accuracy = mean(accuracy, other.accuracy)
        load = mean(load, other.load)
        isQuiet = isQuiet || other.isQuiet
        count = total
    }
}
