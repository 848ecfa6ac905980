import Statistics

extension Engine {
    /// Decides about one model and says what follows from it.
    func evaluate(_ model: ModelState, _ round: inout Round, into effects: inout [Effect]) {
        for slot in model.windows.indices {
            model.windows[slot].expire(now: round.boundary, configuration.quiet.calendar)
        }
        captureBaselineIfDue(model, at: round.boundary)
        holdAssumedRefresh(model, round)
        serveTimers(model, at: round.boundary, into: &effects)
        verify(model, at: round.boundary, into: &effects)
        let signal = injectedSignal?(model.name, round.boundary) ?? measure(model, at: round.boundary)
        followScore(model, signal, at: round.boundary)
        var deliberation = deliberation(model, signal, round)
        followPlan(model, &deliberation, round)
        var conclusion = deliberation.conclude()
        let published = round.published?.first { $0.model == model.name }
        if round.published != nil { conclusion = asPublished(model, conclusion, published) }
        var decision = Decision(
            model: model.name, modelVersion: model.serving >= 0 ? versionNames[model.serving] : nil,
            evaluatedAt: round.boundary, outcome: conclusion.outcome, reason: conclusion.reason,
            text: conclusion.text, confidence: conclusion.confidence, priority: conclusion.priority,
            waitUntil: conclusion.waitUntil, requestID: model.ledger.open?.requestID, checks: conclusion.checks,
            signal: deliberation.signal, load: deliberation.load,
            history: HistoryEvidence(
                lastTraining: model.ledger.lastTraining?.at, isAssumed: model.ledger.lastTraining?.isAssumed ?? false,
                trainingsInWeek: model.ledger.counting(after: round.boundary - 7 * .day).count,
                openRequestID: model.ledger.open?.requestID, baselineVersion: model.baseline?.version,
                baselineOrigin: model.baseline?.origin, baselineCapturedAt: model.baseline?.capturedAt,
                isBaselineFrozen: model.isBaselineFrozen),
            cut: round.cut)
        followAlerts(model, deliberation, conclusion, at: round.boundary, into: &effects)
        if conclusion.outcome == .trigger {
            let request = open(model, decision, round, published)
            defer { applyOrphans(of: request.requestID, since: round.boundary, effects: &effects) }
            decision.requestID = request.requestID
            effects.append(.decision(decision))
            if model.settings.mode == .act || published != nil {
                effects.append(.request(request))
                effects.append(
                    .alert(
                        Alert(
                            kind: .trainingTriggered, severity: .info, model: model.name, requestID: request.requestID,
                            at: round.boundary, text: conclusion.text)))
                round.openRequests += 1
            }
        } else {
            effects.append(.decision(decision))
        }
        counters.decisions &+= 1
    }

    /// A training that is only assumed never makes a refresh due at once: while history is being read, the assumed one
    /// moves along, so that the refresh falls into the quietest hour of the first days of live work.
    private func holdAssumedRefresh(_ model: ModelState, _ round: Round) {
        guard let last = model.ledger.lastTraining, last.isAssumed else { return }
        let safeguards = model.settings.safeguards
        let lag = round.wallClock.map { $0 - (round.streamTime ?? round.boundary) } ?? 0
        guard lag > safeguards.maximumTriggerLag ?? .max else { return }
        model.ledger.firstSeen = max(last.at, round.boundary - max(0, safeguards.maximumAge - safeguards.refreshLead))
    }

    // MARK: Drift

    /// The drift signal over the model's windows; nil before there is anything to measure.
    private func measure(_ model: ModelState, at boundary: Milliseconds) -> DriftSignal? {
        guard model.lastPrediction != nil else { return nil }
        var measures = DriftSignal.ErrorMeasures(measure: model.settings.errorMeasure)
        var (mape, wape, smape, mase) = (MeanOverMetrics(), MeanOverMetrics(), MeanOverMetrics(), MeanOverMetrics())
        var statistics = MeanOverMetrics()
        var largestShift = 0.0
        var metrics: [MetricDrift] = []
        var (pairs, actuals) = (0, 0)
        for slot in model.slotsByName {
            let windows = model.windows[slot]
            let error = windows.predictionError
            mape.add(error.mape)
            wape.add(error.wape)
            smape.add(error.smape)
            mase.add(error.mase)
            measures.skippedPairs += error.skipped
            pairs += error.pairs
            actuals += windows.actualCount
            var drift = MetricDrift(
                metric: model.metricNames[slot], error: error.value(model.settings.errorMeasure),
                samples: windows.actualCount)
            if let shift = model.windows[slot].distributionShift(), let baseline = model.baseline?.metrics[slot]?.pooled
            {
                let meanShift = baseline.meanShift(of: windows.mean)
                drift.statistic = shift.statistic
                drift.pValue = shift.pValue
                drift.meanShift = meanShift
                statistics.add(shift.statistic)
                largestShift = max(largestShift, meanShift)
            }
            metrics.append(drift)
        }
        markDrifted(&metrics)
        (measures.mape, measures.wape, measures.smape, measures.mase) = (
            mape.value, wape.value, smape.value, mase.value
        )
        let plain = DriftSignal.Terms(
            predictionError: measures.selected ?? 0, distributionShift: statistics.value ?? 0,
            featureDrift: largestShift, anomalyRate: model.anomalies.rate)
        let plainScore = plain.score(configuration.drift.weights)
        var signal = DriftSignal(
            score: plainScore, scoring: .plain, weightedScore: plainScore, weights: configuration.drift.weights,
            recommendation: .healthy, confidence: 0, terms: plain, plain: plain,
            plainScore: plainScore, floors: nil, errors: measures, metrics: metrics, pairs: pairs, actuals: actuals,
            predictions: model.anomalies.count, aboveSince: nil)
        if model.isCalibrated { calibrate(&signal, model, at: boundary) }
        (signal.recommendation, signal.confidence) = DriftScore.recommendation(
            signal.score, critical: model.settings.critical, warning: model.settings.warning)
        return signal
    }

    /// The same four terms, each as the excess over its own floor.
    private func calibrate(_ signal: inout DriftSignal, _ model: ModelState, at boundary: Milliseconds) {
        let skill = model.skill.read(
            now: boundary, serving: model.serving, deployedAt: model.deployedAt,
            verification: model.verification, by: configuration.drift.skill)
        var shifts = MeanOverMetrics()
        var floors = MeanOverMetrics()
        var (largest, largestFloor) = (0.0, 0.0)
        for (position, slot) in model.slotsByName.enumerated() {
            guard let baseline = model.baseline?.metrics[slot], let statistic = signal.metrics[position].statistic,
                let meanShift = signal.metrics[position].meanShift
            else { continue }
            var (floor, moved) = (baseline.pooled, (statistic: statistic, mean: meanShift))
            if let seasonal = baseline.seasonal,
                let shift = model.windows[slot].seasonalDistributionShift(configuration.quiet.calendar)
            {
                floor = seasonal.residuals
                moved = (
                    shift.statistic,
                    floor.meanShift(of: shift.mean, magnitude: abs(baseline.pooled.distribution.mean))
                )
                signal.metrics[position].seasonalStatistic = moved.statistic
                signal.metrics[position].seasonalMeanShift = moved.mean
            }
            shifts.add(floor.excess(statistic: moved.statistic))
            floors.add(floor.statisticFloor)
            signal.metrics[position].statisticFloor = floor.statisticFloor
            signal.metrics[position].meanShiftFloor = floor.shiftFloor
            largest = max(largest, floor.excess(meanShift: moved.mean))
            largestFloor = max(largestFloor, floor.shiftFloor)
        }
        signal.scoring = .calibrated
        signal.terms = DriftSignal.Terms(
            predictionError: skill.loss, distributionShift: shifts.value ?? 0, featureDrift: largest,
            anomalyRate: max(0, signal.plain.anomalyRate - (model.baseline?.anomalyRate ?? 0)))
        let weights = configuration.drift.weights
        signal.weightedScore = signal.terms.score(weights)
        signal.score = signal.weightedScore
        // While skill is intact (less than 70 % of the loss that triggers alone) data terms may raise, never trigger.
        if weights.predictionError * skill.loss < 0.7 * model.settings.critical {
            signal.score = min(signal.score, model.settings.critical)
        }
        signal.floors = DriftSignal.Floors(
            skillRatio: skill.ratio, skillReference: skill.reference, skillLimit: skill.limit,
            fastRatio: skill.fastRatio, fastReference: skill.fastReference, fastLimit: skill.fastLimit,
            fastGain: configuration.drift.skill.fastGain, distributionShift: floors.value ?? 0,
            featureDrift: largestFloor, anomalyRate: model.baseline?.anomalyRate ?? 0)
    }

    private func markDrifted(_ metrics: inout [MetricDrift]) {
        let tested = metrics.indices.filter { metrics[$0].pValue != nil }
        guard !tested.isEmpty else { return }
        let rejected = BenjaminiHochberg.rejected(tested.map { metrics[$0].pValue! }, falseDiscoveryRate: 0.05)
        for (position, index) in tested.enumerated() { metrics[index].isDrifted = rejected[position] }
    }

    private func followScore(_ model: ModelState, _ signal: DriftSignal?, at boundary: Milliseconds) {
        guard signal?.recommendation == .retrain else {
            model.aboveSince = nil
            model.severeSince = nil
            model.evaluationsAbove = 0
            return
        }
        model.severeSince =
            signal!.score > model.settings.safeguards.breachThreshold ? model.severeSince ?? boundary : nil
        model.aboveSince = model.aboveSince ?? boundary
        model.evaluationsAbove += 1
    }

    private func captureBaselineIfDue(_ model: ModelState, at boundary: Milliseconds) {
        let drift = configuration.drift
        if model.captureBaseline == nil, model.baseline == nil, model.servingSince != .min,
            let first = model.firstActualAt, boundary - first >= drift.baselineSpan
        {
            model.captureBaseline = .first
        }
        let calendar = configuration.quiet.calendar
        // Windows that do not span what a baseline needs make none of a training; it waits for them.
        let isReady = model.firstActualAt.map { boundary - $0 >= drift.baselineSpan } ?? false
        if let origin = model.captureBaseline,
            origin != .training || isReady || !model.suppliedBaseline.isEmpty
        {
            let supplied = origin == .training ? model.suppliedBaseline : [:]
            model.captureBaseline = nil
            model.suppliedBaseline = [:]
            if !(model.isBaselineFrozen && origin == .training && model.baseline != nil) {
                model.capture(
                    origin: supplied.isEmpty ? origin : .trainer, supplied: supplied, size: drift.baselineSize,
                    calendar: calendar, at: boundary)
            }
        }
        model.captureLateMetrics(
            at: boundary, after: drift.baselineSpan, size: drift.baselineSize, calendar: calendar)
    }

    private func hasEnough(_ model: ModelState, _ signal: DriftSignal?) -> Bool {
        guard let signal else { return false }
        if injectedSignal != nil { return true }
        if signal.floors?.skillRatio != nil || signal.floors?.fastRatio != nil { return true }
        let enough = configuration.drift.minimumSamples
        if signal.pairs >= enough { return true }
        // A rare series never fills its window: half of the span with a pair or so every three hours will do.
        let coverage = model.windows.map(\.errorCoverage).max() ?? 0
        return signal.pairs >= min(24, enough) && coverage >= configuration.drift.errorSpan / 2
    }

    // MARK: Verification

    /// Says of trials that nobody will judge any more how far they came.
    private func tellSuperseded(_ model: ModelState, at boundary: Milliseconds, into effects: inout [Effect]) {
        for ended in model.superseded {
            let trial = ended.trial
            let (new, old) = (versionName(trial.newVersion), versionName(trial.oldVersion))
            effects.append(
                .verdict(
                    Verdict(
                        model: model.name, requestID: trial.requestID, newVersion: new, oldVersion: old,
                        outcome: .superseded, ratio: ended.ratio, againstShadowForecaster: false,
                        pairs: ended.pairs, at: boundary, recommendsRollback: false,
                        text:
                            "Version \(versionName(ended.successor)) took the place of \(new) before its trial was over."
                    )))
        }
        model.superseded.removeAll()
    }

    private func verify(_ model: ModelState, at boundary: Milliseconds, into effects: inout [Effect]) {
        tellSuperseded(model, at: boundary, into: &effects)
        guard var verification = model.verification else { return }
        let step = verification.look(
            now: boundary, comparison: model.skill.comparison,
            newRatio: model.skill.ratio(of: verification.newVersion, now: boundary, by: configuration.drift.skill))
        model.verification = verification
        guard case .decided(let outcome, let ratio, let againstShadow) = step else { return }
        model.verification = nil
        let isRegressed = outcome == .regressed
        if isRegressed {
            model.skill.lastRollback = boundary
            // Rolling back comes first: drift of the version that goes is not drift of the one that comes back.
            model.aboveSince = nil
            model.severeSince = nil
            model.evaluationsAbove = 0
            model.wantedSince = nil
            // What all is well looks like is not learned from a training that went wrong.
            model.restoreBaseline(calendar: configuration.quiet.calendar)
        }
        let (new, old) = (versionName(verification.newVersion), versionName(verification.oldVersion))
        let percent = Text.number(abs(ratio - 1) * 100)
        let than = againstShadow ? "\(old), by skill" : old
        let text =
            "Version \(new) forecasts \(percent) % \(ratio > 1 ? "worse" : "better") than \(than): \(outcome.rawValue)"
            + (isRegressed ? "; rolling back is recommended." : ".")
        effects.append(
            .verdict(
                Verdict(
                    model: model.name, requestID: verification.requestID, newVersion: new, oldVersion: old,
                    outcome: outcome, ratio: ratio, againstShadowForecaster: againstShadow,
                    pairs: model.skill.comparison.pairs, at: boundary, recommendsRollback: isRegressed, text: text)))
        if isRegressed {
            effects.append(
                .alert(
                    Alert(
                        kind: .modelRegressed, severity: .critical, model: model.name,
                        requestID: verification.requestID, at: boundary, text: text)))
        }
    }

    private func versionName(_ version: Int32) -> String { version >= 0 ? versionNames[version] : "unnamed" }

    // MARK: Deliberation

    private func deliberation(_ model: ModelState, _ signal: DriftSignal?, _ round: Round) -> Deliberation {
        let load = round.loads[pool(of: model)] ?? round.loads[-1]!
        let reading = load.reading
        let blackout = planner.blackout(at: round.boundary)
        let drift = configuration.drift
        let isBelow = reading.score.map { $0 < configuration.quiet.loadThreshold } ?? false
        let isOpen = reading.incident || blackout != nil
        let isQuiet = (reading.score == nil ? load.staysQuiet : isBelow) && !isOpen
        var signal = signal
        signal?.aboveSince = model.aboveSince
        var deliberation = Deliberation(
            now: round.boundary, mode: model.settings.mode, safeguards: model.settings.safeguards,
            ledger: model.ledger, quietRule: configuration.quiet.rule,
            load: LoadEvidence(
                score: reading.score, form: reading.form, meanCPUPercent: reading.meanCPUPercent,
                ratePerSecond: reading.ratePerSecond, rateP95: reading.rateP95, machines: reading.machines,
                isQuiet: isQuiet, incident: reading.incident, blackout: blackout?.name, nextWindow: load.nextWindow,
                plannedWindow: model.plan, hourScore: load.hourScore, lowLimit: load.lowLimit,
                highLimit: load.highLimit, profileHours: load.hours))
        deliberation.isPaused = isPaused || model.isPaused
        deliberation.lag = round.wallClock.map { $0 - (round.streamTime ?? round.boundary) }
        deliberation.lastPrediction = model.lastPrediction
        deliberation.lastActual = model.lastActual ?? model.ledger.firstSeen
        deliberation.baselineVersion = model.baseline?.version
        deliberation.signal = signal
        deliberation.hasEnoughData = hasEnough(model, signal)
        deliberation.criticalThreshold = model.settings.critical
        if drift.scoring == .calibrated {
            deliberation.persistence = drift.persistence
            deliberation.severePersistence = drift.severePersistence
        }
        deliberation.needsBaseline = !model.isCalibrated && injectedSignal == nil
        deliberation.isVerifying = model.verification.map { !$0.isAhead && !$0.isAlone } ?? false
        deliberation.awaitedVersion = awaitedVersion(of: model, at: round.boundary)
        deliberation.severeSince = model.severeSince
        deliberation.evaluationsAbove = model.evaluationsAbove
        deliberation.openRequests = round.openRequests
        deliberation.manual = model.manual
        deliberation.isQuietNow = isQuiet && (load.staysQuiet || !load.outlook.hasHistory && reading.score != nil)
        if configuration.quiet.rule == .adaptive { deliberation.isTurn = isTurn(of: model, round) }
        // With turns the hour is chosen, and the model's part of it.
        let start = turnsAnHour > 1 ? load.bestWindow?.from.floored(to: .hour) : load.bestWindow?.from
        deliberation.isBestForRefresh = start.map { $0 <= round.boundary } ?? false && !load.isHigh && !isOpen
        deliberation.isLoadHigh = load.isHigh || isOpen
        let steps = Int((configuration.quiet.minimumDuration + QuietPlanner.step - 1) / QuietPlanner.step)
        deliberation.isBarred = load.outlook.isBarred.prefix(max(1, steps)).contains(true)
        deliberation.quietDeadline = configuration.quiet.deadline
        return deliberation
    }

    private func awaitedVersion(of model: ModelState, at now: Milliseconds) -> String? {
        guard model.serving >= 0,
            let last = model.ledger.trainings.last(where: { $0.state == .succeeded }), !last.deploymentSettled,
            let ended = last.endedAt, now - ended < configuration.training.deploymentTimeout
        else { return nil }
        return last.modelVersion
    }

    func pool(of model: ModelState) -> Int32 {
        guard let name = model.settings.pool, let number = poolNames.find(name) else { return -1 }
        return pools[number] == nil ? -1 : number
    }

    /// How long a load below the quiet threshold waits for a better hour: the design asks for a request within 4 h then.
    private static let quietPatience: Milliseconds = 3 * .hour

    /// Adaptive rule: plans the start at the first wish, checks it live, plans again where it fails.
    private func followPlan(_ model: ModelState, _ deliberation: inout Deliberation, _ round: Round) {
        guard deliberation.isWanted, !deliberation.isSafeguarded else {
            model.wantedSince = nil
            model.plan = nil
            deliberation.load.plannedWindow = nil
            return
        }
        let now = round.boundary
        model.wantedSince = model.wantedSince ?? now
        deliberation.wantedSince = model.wantedSince
        guard configuration.quiet.rule == .adaptive else { return }
        let load = round.loads[pool(of: model)] ?? round.loads[-1]!
        if let plan = model.plan, plan.from <= now - .hour || (plan.from <= now && deliberation.isLoadHigh) {
            model.plan = nil
        }
        if model.plan == nil { model.plan = load.bestWindow }
        // Without a window that is not barred there is nothing to wait for but the deadline.
        let isDue = model.plan.map { $0.from <= now } ?? false
        let waited = now - model.wantedSince!
        // Below the quiet threshold there is little to gain by a quieter hour.
        let patience =
            deliberation.load.isQuiet
            ? min(Self.quietPatience, configuration.quiet.deadline)
            : deliberation.isSevere ? configuration.quiet.deadline / 6 : configuration.quiet.deadline
        deliberation.isPlannedNow =
            !deliberation.isLoadHigh && !deliberation.isBarred && deliberation.isTurn
            && (isDue || load.isLow || waited >= patience)
        deliberation.load.plannedWindow = model.plan
    }

    // MARK: Requests

    private func open(
        _ model: ModelState, _ decision: Decision, _ round: Round, _ published: PublishedRequest?
    ) -> TrainingRequest {
        let training = configuration.training
        let isObserved = model.settings.mode == .observe && published == nil
        let id =
            published?.requestID
            ?? RequestID.make(applicationID: configuration.applicationID, model: model.name, sequence: round.boundary)
        let before = model.ledger.trainings
        model.ledger.begin(
            requestID: id, reason: decision.reason, at: round.boundary, deadline: round.boundary + training.deadline,
            isObserved: isObserved)
        // A request is known as long as its ledger remembers it.
        let kept = Set(model.ledger.trainings.map(\.requestID))
        for old in before where !kept.contains(old.requestID) { requestModels[old.requestID] = nil }
        if !isObserved { requestModels[id] = model.number }
        model.manual = nil
        model.wantedSince = nil
        model.plan = nil
        let from = (round.boundary - training.window).floored(to: .hour)
        let (ranges, isComplete) = offsets(from: from)
        let request = TrainingRequest(
            requestID: id, attempt: 1, model: model.name, modelVersion: decision.modelVersion,
            requestedAt: round.boundary, mode: training.mode, epochs: training.epochs, trainingFrom: from,
            trainingTo: round.boundary, offsets: ranges, offsetsComplete: isComplete, keepShadow: training.keepShadow,
            driftOnset: decision.signal?.aboveSince, reason: decision.reason, text: decision.text,
            priority: decision.priority, confidence: decision.confidence, signal: decision.signal,
            decisionID: decision.id, deadline: round.boundary + training.deadline, replyTopic: training.replyTopic)
        if !isObserved { model.lastRequest = request }
        return request
    }

    /// The stretch of every input with data, from a time up to what this evaluation had seen.
    private func offsets(from time: Milliseconds) -> ([TrainingRequest.OffsetRange], Bool) {
        var isComplete = true
        var ranges: [TrainingRequest.OffsetRange] = []
        for lane in lanes where lane.role.advancesStreamTime || lane.role == .load {
            guard let start = lane.offsets.offset(from: time, end: lane.nextOffset) else { continue }
            if !start.isComplete { isComplete = false }
            ranges.append(
                TrainingRequest.OffsetRange(
                    topic: lane.topic, partition: lane.partition, from: start.offset, to: lane.nextOffset))
        }
        return (ranges.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }, isComplete)
    }

    /// Where a boundary is evaluated again, what was published decides whether there was a request.
    private func asPublished(
        _ model: ModelState, _ own: Deliberation.Conclusion, _ published: PublishedRequest?
    ) -> Deliberation.Conclusion {
        var conclusion = own
        if let published {
            conclusion.outcome = .trigger
            conclusion.reason = published.reason
        } else if own.outcome == .trigger, model.settings.mode == .act {
            conclusion.outcome = .hold
        }
        return conclusion
    }
}
