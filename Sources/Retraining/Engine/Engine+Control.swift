// Trainers' answers, operators' commands, timers and alerts.

extension Engine {
    /// Takes statuses and commands in the order (merge time, role, topic, partition, offset).
    func applyControls(boundary: Milliseconds, effects: inout [Effect]) {
        var controls: [(mergeTime: Milliseconds, record: ControlRecord)] = []
        for lane in laneOrder { controls += lanes[lane].controls }
        guard !controls.isEmpty else { return }
        // A stable order: equal merge times stay as the lanes had them.
        for (_, control) in controls.enumerated().sorted(by: {
            ($0.element.mergeTime, $0.offset) < ($1.element.mergeTime, $1.offset)
        }) {
            switch control.record {
            case .status(let status): apply(status, at: control.mergeTime, effects: &effects)
            case .command(let command): apply(command, at: control.mergeTime, effects: &effects)
            }
        }
    }

    private func apply(_ status: TrainingStatusRecord, at time: Milliseconds, effects: inout [Effect]) {
        guard let number = requestModels[status.requestID], let model = models[Int(number)] else {
            counters.unknownRequests &+= 1
            orphans.append((status, time))
            if orphans.count > Self.orphanLimit { orphans.removeFirst() }
            return
        }
        let id = status.requestID
        switch model.ledger.apply(status, at: time) {
        case .unknown: counters.unknownRequests &+= 1
        case .none: counters.repeatedStatuses &+= 1
        case .accepted, .started: break
        case .succeeded:
            settle(model, at: time)
            model.suppliedBaseline = status.baseline
            say(model, .trainingSucceeded, .info, id, time, "Training \(id) succeeded.", into: &effects)
        case .failed:
            let why = status.errors.first.map { ": \($0)" } ?? "."
            say(model, .trainingFailed, .critical, id, time, "Training \(id) failed\(why)", into: &effects)
        case .cancelled:
            say(model, .trainingFailed, .warning, id, time, "Training \(id) was cancelled.", into: &effects)
        case .rejected:
            let why = status.errors.first.map { ": \($0)" } ?? "."
            say(model, .trainingFailed, .warning, id, time, "Request \(id) was rejected\(why)", into: &effects)
        }
    }

    private static let orphanLimit = 1000

    /// Gives a request that has just become known the statuses that came before it.
    func applyOrphans(of requestID: String, since requestedAt: Milliseconds, effects: inout [Effect]) {
        guard orphans.contains(where: { $0.status.requestID == requestID }) else { return }
        let own = orphans.filter { $0.status.requestID == requestID }
        orphans.removeAll { $0.status.requestID == requestID }
        for orphan in own { apply(orphan.status, at: max(orphan.at, requestedAt), effects: &effects) }
    }

    /// What follows from a succeeded training: a new baseline, and where versions have no names, new windows.
    private func settle(_ model: ModelState, at time: Milliseconds) {
        model.captureBaseline = .training
        if model.serving < 0 {
            model.pairsFrom = time
            model.deployedAt = time
            model.skill.forgetUnnamed()
            model.resetErrors()
        }
        model.aboveSince = nil
        model.severeSince = nil
        model.evaluationsAbove = 0
    }

    private func apply(_ command: CommandRecord, at time: Milliseconds, effects: inout [Effect]) {
        let named = command.requestID.flatMap { requestModels[$0] }.map { modelNames[$0] }
        guard let name = command.model ?? named else {
            switch command.kind {
            case .pause: isPaused = true
            case .resume: isPaused = false
            default: counters.unknownRequests &+= 1
            }
            return
        }
        guard let number = modelNames.find(name), let model = models[Int(number)] else {
            counters.unknownRequests &+= 1
            return
        }
        switch command.kind {
        case .pause: model.isPaused = true
        case .resume: model.isPaused = false
        case .request: model.manual = command
        case .cancel:
            if let asked = command.requestID, asked != model.ledger.open?.requestID {
                counters.repeatedStatuses &+= 1
                return
            }
            model.manual = nil
            if let gone = model.ledger.cancelOpen(at: time) {
                say(
                    model, .trainingFailed, .warning, gone.requestID, time,
                    "Request \(gone.requestID) was cancelled by \(command.by ?? "an operator").", into: &effects)
            }
        case .baselineFreeze: model.isBaselineFrozen = true
        case .baselineReset:
            model.isBaselineFrozen = false
            model.captureBaseline = .command
        }
    }

    // MARK: Timers, on stream time

    func serveTimers(_ model: ModelState, at now: Milliseconds, into effects: inout [Effect]) {
        let training = configuration.training
        if let open = model.ledger.open {
            if training.status == .none, now >= open.requestedAt + training.assumedDuration {
                _ = model.ledger.assumeTrained(at: now)
                settle(model, at: now)
            } else if let expired = model.ledger.expireOpen(at: now) {
                say(
                    model, .trainingOverdue, .critical, expired.requestID, now,
                    "Request \(expired.requestID) did not end by its deadline and has expired.", into: &effects)
            } else if training.status == .topic, open.state == .requested,
                now >= open.sentAt + training.acceptTimeout
            {
                resend(model, open, at: now, into: &effects)
            }
        }
        noteDeployment(model, at: now, into: &effects)
    }

    private func resend(
        _ model: ModelState, _ open: TrainingLedger.Training, at now: Milliseconds, into effects: inout [Effect]
    ) {
        guard open.attempt < configuration.training.maximumAttempts else {
            raise(
                model, .trainingOverdue, .warning, open.requestID, now,
                "No trainer accepted request \(open.requestID) after \(open.attempt) attempts.", into: &effects)
            return
        }
        guard var request = model.lastRequest, request.requestID == open.requestID,
            let again = model.ledger.resend(at: now)
        else { return }
        request.attempt = again.attempt
        effects.append(.request(request))
    }

    /// A training that succeeded must be followed by predictions of its version.
    private func noteDeployment(_ model: ModelState, at now: Milliseconds, into effects: inout [Effect]) {
        guard let last = model.ledger.trainings.last(where: { $0.state == .succeeded && !$0.deploymentSettled }),
            let ended = last.endedAt
        else { return }
        let isServing = last.modelVersion.map { model.serving >= 0 && versionNames[model.serving] == $0 }
        let isDeployed = isServing ?? (model.servingSince > last.requestedAt || model.serving < 0)
        if isDeployed {
            model.ledger.settleDeployment(of: last.requestID)
            resolve(model, .notDeployed, last.requestID, now, into: &effects)
        } else if now - ended >= configuration.training.deploymentTimeout {
            raise(
                model, .notDeployed, .warning, last.requestID, now,
                "No prediction of version \(last.modelVersion ?? "that was trained") since training \(last.requestID) succeeded.",
                into: &effects)
        }
    }

    // MARK: Alerts

    /// Raises and resolves the alerts that follow a model's state.
    func followAlerts(
        _ model: ModelState, _ deliberation: Deliberation, _ conclusion: Deliberation.Conclusion,
        at now: Milliseconds, into effects: inout [Effect]
    ) {
        let breach = model.settings.safeguards.breachThreshold
        if deliberation.hasEnoughData, let error = deliberation.signal?.errors.selected {
            if error > breach {
                raise(
                    model, .slaBreach, .critical, nil, now,
                    "Accuracy \(Text.number(max(0, 100 * (1 - error)))) % is below the agreed \(Text.number(100 * (1 - breach))) %.",
                    into: &effects)
            } else {
                resolve(model, .slaBreach, nil, now, into: &effects)
            }
        }
        if conclusion.reason == .stalledInput {
            raise(model, .stalledInput, .warning, nil, now, conclusion.text, into: &effects)
        } else {
            resolve(model, .stalledInput, nil, now, into: &effects)
        }
        if model.ledger.open?.state != .requested { resolve(model, .trainingOverdue, nil, now, into: &effects) }
    }

    /// A wall-clock tick: says that nothing comes in any more. It decides nothing.
    ///
    /// - Parameter lastArrival: when, by the same clock, a prediction or an actual last came in.
    public func tick(wallClock: Milliseconds, lastArrival: Milliseconds, into effects: inout [Effect]) {
        guard let streamTime, wallClock - lastArrival >= configuration.safeguards.actualSilence else { return }
        if let stallAlert, wallClock - stallAlert < configuration.alerts.repeatInterval { return }
        stallAlert = wallClock
        effects.append(
            .alert(
                Alert(
                    kind: .stalledInput, severity: .critical, at: streamTime,
                    text: "No prediction and no actual of any model for \(Text.duration(wallClock - lastArrival)).")))
    }

    /// Takes over that nothing came in: between two evaluations it is the only thing that a clock alone changes.
    public func restore(stallAlert time: Milliseconds?) { stallAlert = time }

    func resolveStall(at boundary: Milliseconds, into effects: inout [Effect]) {
        guard stallAlert != nil else { return }
        stallAlert = nil
        effects.append(
            .alert(
                Alert(
                    kind: .stalledInput, severity: .info, state: .resolved, at: boundary, text: "Records come in again."
                )))
    }

    /// Says something once.
    private func say(
        _ model: ModelState, _ kind: Alert.Kind, _ severity: Alert.Severity, _ requestID: String?,
        _ at: Milliseconds, _ text: String, into effects: inout [Effect]
    ) {
        effects.append(
            .alert(Alert(kind: kind, severity: severity, model: model.name, requestID: requestID, at: at, text: text)))
    }

    /// Says that something is so, once, and again after the repeat interval while it stays so.
    private func raise(
        _ model: ModelState, _ kind: Alert.Kind, _ severity: Alert.Severity, _ requestID: String?,
        _ at: Milliseconds, _ text: String, into effects: inout [Effect]
    ) {
        if let said = model.activeAlerts[kind], at - said < configuration.alerts.repeatInterval { return }
        model.activeAlerts[kind] = at
        say(model, kind, severity, requestID, at, text, into: &effects)
    }

    private func resolve(
        _ model: ModelState, _ kind: Alert.Kind, _ requestID: String?, _ at: Milliseconds, into effects: inout [Effect]
    ) {
        guard model.activeAlerts.removeValue(forKey: kind) != nil else { return }
        effects.append(
            .alert(
                Alert(
                    kind: kind, severity: .info, state: .resolved, model: model.name, requestID: requestID, at: at,
                    text: "\(kind.rawValue) is over.")))
    }
}
