/// Everything that one decision is taken on, gathered beforehand, so that the decision itself is a pure function.
struct Deliberation {
    var now: Milliseconds
    var mode: EngineConfiguration.Mode
    var isPaused = false
    /// How far stream time lags the wall clock; nil where no wall clock was told.
    var lag: Milliseconds?
    var lastPrediction: Milliseconds?
    var lastActual: Milliseconds?
    var baselineVersion: Int?
    var signal: DriftSignal?
    /// Whether the windows hold enough for a score.
    var hasEnoughData = true
    var criticalThreshold = 0.10
    var persistence: Milliseconds = 0
    var severePersistence: Milliseconds = 0
    /// Since when the score has been severe without a break.
    var severeSince: Milliseconds?
    /// Plain scoring is nothing without a baseline.
    var needsBaseline = false
    /// Evaluations in a row above the critical threshold.
    var evaluationsAbove = 0
    var isVerifying = false
    var safeguards: SafeguardConfiguration
    var ledger: TrainingLedger
    var openRequests = 0
    var manual: CommandRecord?
    var quietRule: QuietConfiguration.Rule
    var load: LoadEvidence
    /// Absolute rule: the live score is below the threshold and the forecast stays below it long enough.
    var isQuietNow = false
    /// Whether this is the quietest hour of what is left before a forced refresh.
    var isBestForRefresh = false
    /// Adaptive rule: when the drift was first found worth a training.
    var wantedSince: Milliseconds?
    /// Adaptive rule: the planned start is here and the load agrees.
    var isPlannedNow = false
    var quietDeadline: Milliseconds = 24 * .hour
    /// Whether the load is high right now, or something else forbids a start.
    var isLoadHigh = false
    /// Whether a blackout or a busy day covers a part of the time that a training would take from now.
    var isBarred = false
    /// Whether it is this model's part of the hour; starts of many models are spread.
    var isTurn = true
    /// The version of the last training that is to come and does not predict yet: another training would be spent on
    /// the fault that this one has mended.
    var awaitedVersion: String?

    struct Conclusion: Equatable {
        var outcome: Decision.Outcome
        var reason: Reason
        var confidence: Double
        var priority = Priority.normal
        var waitUntil: Milliseconds?
        var checks: [Check]
        var text: String
    }
}

extension Deliberation {
    /// Asks every check in the order of the design and lets the first that applies decide.
    func conclude() -> Conclusion {
        var checks: [Check] = []
        var decided: Conclusion?

        func consider(_ check: Check, _ conclusion: @autoclosure () -> Conclusion) {
            checks.append(check)
            if decided == nil, check.answer == .hold || check.answer == .trigger { decided = conclusion() }
        }
        let rest = safeguardQuestions + driftQuestions
        for question in preconditions + requestQuestions + [verifyingQuestion(before: rest)] + rest {
            consider(question.check, question.conclusion)
        }
        var conclusion =
            decided ?? hold(.noWindow, confidence: signal?.confidence ?? 0, "Nothing speaks for a training.")
        conclusion.checks = checks
        return conclusion
    }

    /// Whether drift is above the threshold for long enough to be acted on.
    var isWanted: Bool {
        guard let signal, signal.recommendation == .retrain, hasEnoughData else { return false }
        guard persistence > 0 else { return true }
        guard let since = signal.aboveSince, evaluationsAbove >= 2 else { return false }
        return now - since >= persistence || severeSince.map { now - $0 >= severePersistence } ?? false
    }

    var isSevere: Bool { severeSince != nil }

    /// Whether one of the checks 1 to 4 holds, whatever the drift.
    var isSafeguarded: Bool {
        if ledger.open != nil { return true }
        if let last = ledger.lastCounting, now - last.requestedAt < safeguards.minimumInterval { return true }
        if let backoff = ledger.backoffUntil(safeguards), now < backoff { return true }
        return ledger.counting(after: now - 7 * .day).count >= safeguards.maximumPerWeek
    }

    private var refreshes: Bool {
        guard let last = ledger.lastTraining, openRequests < safeguards.maximumOpenRequests, isTurn, !isBarred else {
            return false
        }
        let age = now - last.at
        return age >= safeguards.maximumAge || age >= safeguards.maximumAge - safeguards.refreshLead && isBestForRefresh
    }

    private typealias Question = (check: Check, conclusion: Conclusion)

    private func hold(_ reason: Reason, confidence: Double = 0, until: Milliseconds? = nil, _ text: String)
        -> Conclusion
    {
        Conclusion(
            outcome: .hold, reason: reason, confidence: confidence, waitUntil: until, checks: [], text: text)
    }

    private func trigger(_ reason: Reason, confidence: Double, priority: Priority = .normal, _ text: String)
        -> Conclusion
    {
        Conclusion(
            outcome: .trigger, reason: reason, confidence: confidence, priority: priority, checks: [], text: text)
    }

    private func hours(_ span: Milliseconds) -> Double { Double(span) / Double(Milliseconds.hour) }

    private func answer(_ holds: Bool) -> Check.Answer { holds ? .hold : .pass }

    // MARK: Before the checks

    private var preconditions: [Question] {
        let isManual = manual != nil
        let silence = lastPrediction.map { now - $0 }
        let actualSilence = lastActual.map { now - $0 }
        let lags = !isManual && (lag ?? 0) > (safeguards.maximumTriggerLag ?? .max)
        // An actual can only be late once a prediction was.
        let isSilent = silence.map { $0 >= safeguards.predictionSilence } ?? true
        let isStalled = !isSilent && (actualSilence.map { $0 >= safeguards.actualSilence } ?? false)
        return [
            (Check(.paused, answer(isPaused)), hold(.paused, "Triggering is paused by an operator.")),
            (
                Check(
                    .catchingUp, answer(lags), value: lag.map { hours($0) * 60 },
                    limit: safeguards.maximumTriggerLag.map { hours($0) * 60 }, unit: "min"),
                hold(.catchingUp, "The stream lags the wall clock by \(Text.duration(lag ?? 0)): still catching up.")
            ),
            (
                Check(
                    .noPredictions, answer(!isManual && isSilent), value: silence.map(hours),
                    limit: hours(safeguards.predictionSilence), unit: "h"),
                hold(.noPredictions, "No prediction of this model for \(Text.duration(silence ?? 0)).")
            ),
            (
                Check(
                    .stalledInput, answer(!isManual && isStalled), value: actualSilence.map(hours),
                    limit: hours(safeguards.actualSilence), unit: "h"),
                hold(.stalledInput, "No actual for \(Text.duration(actualSilence ?? 0)) while predictions go on.")
            ),
            (
                Check(.noBaseline, answer(!isManual && needsBaseline && baselineVersion == nil)),
                hold(.noBaseline, "There is no baseline yet.")
            ),
            (
                Check(
                    .insufficientData, answer(!isManual && !hasEnoughData && !refreshes),
                    value: signal.map { Double($0.pairs) }),
                hold(.insufficientData, "The windows hold too little for a score: \(signal?.pairs ?? 0) pairs.")
            ),
        ]
    }

    // MARK: Check 1

    private var requestQuestions: [Question] {
        let open = ledger.open
        var questions: [Question] = [
            (
                Check(.trainingInProgress, answer(open != nil)),
                hold(
                    .trainingInProgress, until: open?.deadline,
                    "Request \(open?.requestID ?? "") is \(open?.state.rawValue ?? "")."
                )
            )
        ]
        if let manual {
            questions.append(
                (
                    Check(.manual, .trigger),
                    trigger(
                        .manual, confidence: 1, priority: .high,
                        "Asked for by hand: \(manual.reason ?? "no reason given").")
                ))
        }
        return questions
    }

    /// Whether the last training is to show first what it was good for.
    private var isOnTrial: Bool { isVerifying || awaitedVersion != nil }

    /// While the last training is being verified, only a forced refresh and a breach may trigger: it holds unless one of
    /// them, which are asked later, does.
    private func verifyingQuestion(before rest: [Question]) -> Question {
        let next = rest.first { $0.check.answer == .hold || $0.check.answer == .trigger }
        return (
            Check(.verifying, answer(isOnTrial && next?.check.answer != .trigger)),
            hold(
                .verifying,
                awaitedVersion.map { "Version \($0) was trained and does not predict yet." }
                    ?? "The last training is still being verified.")
        )
    }

    // MARK: Checks 2 to 4

    private var safeguardQuestions: [Question] {
        let sinceCounting = ledger.lastCounting.map { now - $0.requestedAt }
        let isTooSoon = sinceCounting.map { $0 < safeguards.minimumInterval } ?? false
        let backoff = ledger.backoffUntil(safeguards)
        let backsOff = backoff.map { now < $0 } ?? false
        let age = ledger.lastTraining.map { now - $0.at }
        let isOld = age.map { $0 >= safeguards.maximumAge } ?? false
        let week = ledger.counting(after: now - 7 * .day)
        let isOverWeek = week.count >= safeguards.maximumPerWeek
        let weekFrees = isOverWeek ? week[week.count - safeguards.maximumPerWeek].requestedAt + 7 * .day : nil
        let isManual = manual != nil
        return [
            (
                Check(
                    .minimumInterval, answer(isTooSoon && !isManual), value: sinceCounting.map(hours),
                    limit: hours(safeguards.minimumInterval), unit: "h"),
                hold(
                    .minimumInterval, until: ledger.lastCounting.map { $0.requestedAt + safeguards.minimumInterval },
                    "Too soon: the last training was requested \(Text.duration(sinceCounting ?? 0)) ago.")
            ),
            (
                Check(.backoff, answer(backsOff && !isManual), value: backoff.map { hours($0 - now) }, unit: "h"),
                hold(
                    .backoff, until: backoff,
                    "Backing off: \(ledger.failuresInARow) request\(ledger.failuresInARow == 1 ? "" : "s") in a row without a training."
                )
            ),
            (
                Check(
                    .forcedRefresh, refreshes ? .trigger : .pass, value: age.map { hours($0) / 24 },
                    limit: hours(safeguards.maximumAge) / 24, unit: "d"),
                trigger(
                    .forcedRefresh, confidence: 1, priority: .high,
                    isOld
                        ? "Forced refresh: \(Text.duration(age ?? 0)) without training."
                        : "Forced refresh, early: this is the quietest time before the limit.")
            ),
            (
                Check(
                    .weeklyLimit, answer(isOverWeek), value: Double(week.count),
                    limit: Double(safeguards.maximumPerWeek), unit: "trainings"),
                hold(
                    .weeklyLimit, until: weekFrees,
                    "Weekly limit: \(week.count) of \(safeguards.maximumPerWeek) trainings in 7 days.")
            ),
        ]
    }

    // MARK: Checks 5 to 8

    private var driftQuestions: [Question] {
        let score = signal?.score
        let isAbove = signal?.recommendation == .retrain
        var questions: [Question] = [
            (
                Check(.noDrift, score == nil ? .unknown : answer(!isAbove), value: score, limit: criticalThreshold),
                hold(
                    .noDrift, confidence: max(0, min(1, 1 - (score ?? 0))),
                    "No drift: score \(Text.number(score ?? 0)), threshold \(Text.number(criticalThreshold)).")
            ),
            (
                Check(
                    .persistence, answer(isAbove && !isWanted),
                    value: signal?.aboveSince.map { hours(now - $0) },
                    limit: hours(isSevere ? severePersistence : persistence), unit: "h"),
                hold(
                    .persistence, confidence: signal?.confidence ?? 0,
                    until: signal?.aboveSince.map { $0 + persistence },
                    "Drift, but not for long enough yet: score \(Text.number(score ?? 0)).")
            ),
            (
                Check(
                    .openRequestLimit, answer(openRequests >= safeguards.maximumOpenRequests),
                    value: Double(openRequests), limit: Double(safeguards.maximumOpenRequests), unit: "requests"),
                hold(
                    .openRequestLimit, confidence: signal?.confidence ?? 0,
                    "\(openRequests) requests are open over all models.")
            ),
        ]
        questions += quietRule == .absolute ? absoluteQuestions : adaptiveQuestions
        return questions
    }

    /// Quiet as the source design has it: below the threshold now, else the next window, else a breach or nothing.
    private var absoluteQuestions: [Question] {
        let confidence = signal?.confidence ?? 0
        let breaches =
            (signal?.score ?? 0) > safeguards.breachThreshold && !isBarred && awaitedVersion == nil
        let window = load.nextWindow
        return [
            (quietNowCheck, driftQuiet),
            (
                Check(.waitingForQuiet, answer(window != nil && !isOnTrial)),
                hold(
                    .waitingForQuiet, confidence: confidence, until: window?.from,
                    "Drift detected, waiting for the quiet window at \(Text.time(window?.from ?? now)).")
            ),
            (
                Check(
                    .slaBreach, breaches ? .trigger : .pass, value: signal?.score, limit: safeguards.breachThreshold),
                trigger(
                    .slaBreach, confidence: confidence, priority: .critical,
                    "No quiet window within 24 h and the score is \(Text.number(signal?.score ?? 0)): training despite load."
                )
            ),
            (
                Check(.noWindow, .hold),
                hold(.noWindow, confidence: confidence, "Moderate drift, no quiet window within 24 h.")
            ),
        ]
    }

    /// The planned window, the deadline, and the breach that need not wait for either.
    private var adaptiveQuestions: [Question] {
        let confidence = signal?.confidence ?? 0
        let waited = wantedSince.map { now - $0 }
        // With patience gone any hour that is not high will do (`isPlannedNow`); later any hour at all.
        let limit = isSevere ? quietDeadline : 2 * quietDeadline
        let isOver = isTurn && !isBarred && awaitedVersion == nil && waited.map { $0 >= limit } ?? false
        // The source trains at once on a breach without a window. Measured on real servers that costs more than it
        // gives: 15 % of trainings in high load, at a larger error. So a breach only makes the wait shorter.
        let breaches = isSevere && load.score != nil && load.nextWindow == nil
        return [
            (quietNowCheck, driftQuiet),
            (
                Check(
                    .slaBreach, isOver && breaches ? .trigger : .pass, value: signal?.score,
                    limit: safeguards.breachThreshold),
                trigger(
                    .slaBreach, confidence: confidence, priority: .critical,
                    "No window below the quiet threshold within 24 h and the score is \(Text.number(signal?.score ?? 0))."
                )
            ),
            (
                Check(
                    .quietDeadline, isOver && !isVerifying ? .trigger : .pass, value: waited.map(hours),
                    limit: hours(limit), unit: "h"),
                trigger(
                    .quietDeadline, confidence: confidence, priority: .high,
                    "No quiet hour held for \(Text.duration(waited ?? 0)): training now.")
            ),
            (
                Check(.waitingForQuiet, .hold),
                hold(
                    .waitingForQuiet, confidence: confidence,
                    until: load.plannedWindow?.from ?? wantedSince.map { $0 + quietDeadline },
                    "Drift detected, waiting for the quietest time, \(Text.time(load.plannedWindow?.from ?? now)).")
            ),
        ]
    }

    private var quietNowCheck: Check {
        let isQuiet = (quietRule == .absolute ? isQuietNow : isPlannedNow) && !isOnTrial
        return Check(.driftQuiet, isQuiet ? .trigger : .pass, value: load.score, unit: "load")
    }

    private var driftQuiet: Conclusion {
        trigger(
            .driftQuiet, confidence: signal?.confidence ?? 0,
            "Drift detected at a quiet time: score \(Text.number(signal?.score ?? 0)), load "
                + "\(load.score.map { Text.number($0) } ?? "unknown")."
        )
    }
}
