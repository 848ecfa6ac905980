import Retraining

// What would have had to differ for another outcome.
extension Explanation {
    var differences: [String] {
        guard let place = deciding else { return ["nothing stood against it, and nothing asked for it"] }
        let check = decision.checks[place]
        return check.answer == .trigger ? differencesOfTrigger(check, place) : differencesOfHold(check)
    }

    private func differencesOfTrigger(_ check: Check, _ place: Int) -> [String] {
        var lines: [String] = []
        let rest = decision.checks[(place + 1)...]
        if let next = rest.first(where: { $0.answer == .hold || $0.answer == .trigger }) {
            lines.append(
                "without \(check.reason.rawValue), \(next.reason.rawValue) would have decided: \(next.answer.rawValue)")
        }
        let passed = decision.checks[..<place].compactMap(distance)
        for text in passed + (check.reason == .driftQuiet ? busyHour : []) {
            lines.append("it would have been held, had \(text)")
        }
        if check.reason == .driftQuiet, !decision.load.isQuiet, !isBestHour {
            lines.append(
                "no quiet hour was at hand: after \(waited) any hour will do whose load is not high")
        }
        return lines.isEmpty ? ["nothing else: this reason asks no other check"] : lines
    }

    private func differencesOfHold(_ check: Check) -> [String] {
        var lines = ["\(check.reason.rawValue): \(need(check))"]
        for other in decision.checks where other.answer == .hold && other != check && other.reason != .waitingForQuiet {
            lines.append("then also \(other.reason.rawValue): \(need(other))")
        }
        let isAboutQuiet = check.reason == .waitingForQuiet || check.reason == .noWindow
        if !isAboutQuiet, !decision.checks.contains(where: { $0.answer == .trigger }) {
            lines.append(decision.load.isQuiet ? "the hour was quiet enough" : "and a quiet hour: \(quietNeed)")
        }
        return lines
    }

    private var busyHour: [String] {
        guard let hour = decision.load.hourScore, let limit = decision.load.highLimit else { return [] }
        return ["the load of the hour been above \(Figures.score(limit)); it was \(Figures.score(hour))"]
    }

    /// Whether the planned start is here, or the hour is among the least busy ones.
    private var isBestHour: Bool {
        let load = decision.load
        if let window = load.plannedWindow, window.from <= decision.evaluatedAt { return true }
        if let hour = load.hourScore, let low = load.lowLimit { return hour <= low }
        return false
    }

    private var waited: String {
        let check = decision.checks.first { $0.reason == .quietDeadline }
        return "a wait of \(check?.value.map(Figures.hours) ?? "some hours")"
    }

    private var quietNeed: String {
        guard let window = decision.load.plannedWindow ?? decision.load.nextWindow else { return "none was in sight" }
        return "expected from \(Figures.time(window.from)) on"
    }

    /// What a holding check would have needed to pass.
    private func need(_ check: Check) -> String {
        switch check.reason {
        case .paused: return "nobody to have paused the model or the worker"
        case .noBaseline:
            return "a baseline: the first one is captured once its window spans long enough, or on command"
        case .noDrift: return driftNeed(check)
        case .persistence:
            guard let value = check.value else { return "drift to begin with" }
            return "the score above the threshold for \(Figures.fixed(check.limit, 1)) h; it was for "
                + "\(Figures.fixed(value, 1)) h"
        case .waitingForQuiet, .noWindow: return "a quiet hour: \(quietNeed)"
        case .insufficientData: return "more pairs in the windows than \(decision.signal?.pairs ?? 0)"
        case .weeklyLimit:
            return "fewer trainings in 7 days than \(Figures.fixed(check.limit, 0)); there were "
                + "\(Figures.fixed(check.value, 0))\(notBefore(check))"
        case .minimumInterval, .backoff, .trainingInProgress: return "more time\(notBefore(check))"
        case .verifying: return "the last training to be verified by then, or its version to predict"
        case .openRequestLimit:
            return
                "fewer open requests than \(Figures.fixed(check.limit, 0)); there were \(Figures.fixed(check.value, 0))"
        case .noPredictions: return "a prediction within \(Figures.fixed(check.limit, 0)) h"
        case .stalledInput: return "an actual within \(Figures.fixed(check.limit, 0)) h"
        case .catchingUp:
            return "the stream no more than \(Figures.fixed(check.limit, 0)) min behind the wall clock; it was "
                + "\(Figures.fixed(check.value, 0)) min behind"
        default: return "it would have had to pass"
        }
    }

    /// The decision waits for the check that decided, and for no other.
    private func notBefore(_ check: Check) -> String {
        guard let deciding, decision.checks[deciding] == check, let until = decision.waitUntil else { return "" }
        return ", not before \(Figures.time(until))"
    }

    private func driftNeed(_ check: Check) -> String {
        guard let signal = decision.signal, let limit = check.limit else { return "a score; nothing could be measured" }
        let missing = limit - signal.weightedScore
        let text = "a score above \(Figures.score(limit)); it was \(Figures.score(signal.score))"
        guard missing > 0 else {
            return "\(text), kept there since the model's skill is intact: an error term above "
                + Figures.score(0.7 * limit / max(1e-9, signal.weights.predictionError)) + " would have let it through"
        }
        let alone = signal.terms.predictionError + missing / max(1e-9, signal.weights.predictionError)
        return "\(text). The error term alone would have had to be \(Figures.score(alone)) instead of "
            + "\(Figures.score(signal.terms.predictionError))"
    }

    /// How far a check that passed was from holding.
    private func distance(_ check: Check) -> String? {
        guard let value = check.value, let limit = check.limit else { return nil }
        let unit = check.unit.isEmpty ? "" : " \(check.unit)"
        switch check.reason {
        case .noDrift: return "the score been \(Figures.score(limit)) or less; it was \(Figures.score(value))"
        case .persistence:
            return
                "the score been above for less than \(Figures.fixed(limit, 1))\(unit); it was for \(Figures.fixed(value, 1))\(unit)"
        case .minimumInterval:
            return
                "the last request been less than \(Figures.fixed(limit, 0))\(unit) ago; it was \(Figures.fixed(value, 0))\(unit)"
        case .weeklyLimit:
            return "there been \(Figures.fixed(limit, 0)) trainings in 7 days; there were \(Figures.fixed(value, 0))"
        default: return nil
        }
    }
}
