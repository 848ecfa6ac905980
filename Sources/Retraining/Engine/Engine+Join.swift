// Joining: predictions and actuals of one interval meet each other and what was retained.

extension Engine {
    /// Takes note of which names the collected rows speak of, until when.
    func noteSeen() {
        let margin = configuration.join.allowedLateness + .hour
        for lane in lanes where lane.role.advancesStreamTime {
            for row in lane.rows {
                // A half that lies ahead keeps its names until it leaves the join.
                let time = max(row.mergeTime, row.at + margin)
                entitySeen[Int(row.entity)] = max(entitySeen[Int(row.entity)], time)
                if row.version >= 0 {
                    versionSeen[Int(row.version)] = max(versionSeen[Int(row.version)], time)
                }
            }
        }
    }

    /// Takes the collected rows of predictions and actuals in the order (merge time, role, topic, partition, offset).
    func joinCollected(boundary: Milliseconds) {
        let order = laneOrder.filter { lanes[$0].role.advancesStreamTime && !lanes[$0].rows.isEmpty }
        var pending = order
        while !pending.isEmpty {
            // Take a run from the lane with the earliest head, as far as no other lane comes before it.
            var chosen = 0
            for candidate in 1..<pending.count where head(pending[candidate]) < head(pending[chosen]) {
                chosen = candidate
            }
            let lane = pending[chosen]
            var limit = Milliseconds.max
            for (position, other) in pending.enumerated() where position != chosen {
                // An equal merge time goes to the lane that comes first in the order.
                limit = min(limit, position < chosen ? head(other) - 1 : head(other))
            }
            repeat {
                let row = lanes[lane].rows[lanes[lane].cursor]
                if lanes[lane].role == .predictions {
                    join(prediction: row, lane: lane, boundary: boundary)
                } else {
                    join(actual: row, lane: lane, boundary: boundary)
                }
                lanes[lane].cursor += 1
            } while lanes[lane].cursor < lanes[lane].rows.count && head(lane) <= limit
            if lanes[lane].cursor == lanes[lane].rows.count { pending.remove(at: chosen) }
        }
    }

    private func head(_ lane: Int) -> Milliseconds { lanes[lane].rows[lanes[lane].cursor].mergeTime }

    /// What lies before this is too late: its other half has been let go. By the boundary before, since the records of
    /// this interval all came after it.
    private func isLate(_ at: Milliseconds, _ boundary: Milliseconds) -> Bool {
        at + configuration.join.allowedLateness < lastBoundary ?? boundary - configuration.drift.checkInterval
    }

    private func join(prediction row: IntakeRow, lane: Int, boundary: Milliseconds) {
        guard let model = models[Int(row.model)] else { return }
        let values = lanes[lane].values[Int(row.firstValue)..<Int(row.firstValue + row.valueCount)]
        model.lastPrediction = max(model.lastPrediction ?? .min, row.mergeTime)
        model.lastSeen = max(model.lastSeen, row.mergeTime)
        if model.ledger.firstSeen == nil { model.ledger.firstSeen = row.mergeTime }
        if !row.isShadow { serve(model, row) }
        let isServed = !row.isShadow && row.version == model.serving
        if model.entities.insert(row.entity).inserted {
            entityModels[Int(row.entity)].append(model.number)
        }
        let isFollowed =
            isServed && model.isCalibrated
            && model.skill.follow(row.entity, hash: entityNames.hash(row.entity), predicted: model.entities)
        guard !isLate(row.at, boundary) else {
            counters.latePredictions &+= 1
            return
        }
        let cell = model.join.cell(JoinTable.Key(entity: row.entity, at: row.at))
        guard
            let half = model.join.predictionRow(
                cell: cell, version: row.version, issuedAt: row.issuedAt, isShadow: row.isShadow)
        else {
            counters.evictedHalves &+= 1
            return
        }
        for value in values {
            guard let slot = model.slot(value.metric) else { continue }
            guard model.join.value(half, slot).isNaN else {
                counters.duplicatePredictions &+= 1
                continue
            }
            model.join.setValue(half, slot, value.value)
            if isServed { model.noteServed(value.value, slot, row, isFollowed: isFollowed) }
            if let actual = actual(model, cell, slot, value.metric, row) {
                meet(model, cell, half, slot, predicted: value.value, actual: actual)
            }
        }
    }

    /// The actual of a cell, taken over from those that named no model where this is the first use of it.
    private func actual(
        _ model: ModelState, _ cell: Int32, _ slot: Int, _ metric: Int32, _ row: IntakeRow
    ) -> Double? {
        let held = model.join.cells[Int(cell)].actual
        if held >= 0 {
            let value = model.join.value(held, slot)
            if !value.isNaN { return value }
        }
        guard let shared = sharedActuals.value(entity: row.entity, at: row.at, metric: metric) else { return nil }
        place(actual: shared, model, cell, slot, row.entity, row.at)
        return shared
    }

    private func join(actual row: IntakeRow, lane: Int, boundary: Milliseconds) {
        let values = lanes[lane].values[Int(row.firstValue)..<Int(row.firstValue + row.valueCount)]
        guard !isLate(row.at, boundary) else {
            counters.lateActuals &+= 1
            return
        }
        if row.model >= 0 {
            guard let model = models[Int(row.model)] else { return }
            join(values, row, model)
        } else {
            sharedActuals.add(entity: row.entity, at: row.at, values)
            for number in entityModels[Int(row.entity)] {
                if let model = models[Int(number)] { join(values, row, model) }
            }
        }
    }

    private func join(_ values: ArraySlice<IntakeValue>, _ row: IntakeRow, _ model: ModelState) {
        model.lastSeen = max(model.lastSeen, row.mergeTime)
        model.lastActual = max(model.lastActual ?? .min, row.mergeTime)
        // What happened before the first forecast is the past that its shadow needs.
        if model.isCalibrated {
            _ = model.skill.follow(row.entity, hash: entityNames.hash(row.entity), predicted: model.entities)
        }
        var cell: Int32 = -1
        for value in values {
            guard let slot = model.slot(value.metric) else { continue }
            if cell < 0 { cell = model.join.cell(JoinTable.Key(entity: row.entity, at: row.at)) }
            let held = model.join.cells[Int(cell)].actual
            if held >= 0, !model.join.value(held, slot).isNaN {
                counters.duplicateActuals &+= 1
                continue
            }
            place(actual: value.value, model, cell, slot, row.entity, row.at)
            var half = model.join.cells[Int(cell)].firstPrediction
            while half >= 0 {
                let predicted = model.join.value(half, slot)
                if !predicted.isNaN { meet(model, cell, half, slot, predicted: predicted, actual: value.value) }
                half = model.join.rows[Int(half)].next
            }
        }
    }

    private func place(
        actual: Double, _ model: ModelState, _ cell: Int32, _ slot: Int, _ entity: Int32, _ at: Milliseconds
    ) {
        let row = model.join.actualRow(cell: cell)
        model.join.setValue(row, slot, actual)
        model.newActuals.append(JoinedActual(at: at, entity: entity, slot: slot, value: actual))
    }

    private func meet(
        _ model: ModelState, _ cell: Int32, _ half: Int32, _ slot: Int, predicted: Double, actual: Double
    ) {
        let row = model.join.rows[Int(half)]
        let key = model.join.cells[Int(cell)].key
        model.join.markMatched(half)
        model.join.markMatched(model.join.cells[Int(cell)].actual)
        model.pairs.append(
            JoinedPair(
                at: key.at, entity: key.entity, slot: slot, issuedAt: row.issuedAt, version: row.version,
                isShadow: row.isShadow, predicted: predicted, actual: actual))
        counters.pairs &+= 1
    }

    /// Follows which version serves: a new one from its first word. One that served before is a straggler, and comes
    /// back (a roll-back) once it has spoken at two later times while the one in service said nothing.
    private func serve(_ model: ModelState, _ row: IntakeRow) {
        if row.version == model.serving, model.servingSince != .min {
            model.servingLastIssued = max(model.servingLastIssued, row.issuedAt)
            model.returning = nil
            return
        }
        // One that a training has just made again is new.
        let trained = model.ledger.trainings.last { $0.state == .succeeded && !$0.deploymentSettled }?.modelVersion
        let isTrained = trained != nil && row.version >= 0 && versionNames[row.version] == trained
        let hasServed = model.previousVersions.contains(row.version) && !isTrained
        if hasServed {
            guard row.issuedAt > model.servingLastIssued else { return }
            guard let returning = model.returning, returning.version == row.version else {
                model.returning = (row.version, row.issuedAt)
                return
            }
            guard row.issuedAt > returning.issuedAt else { return }
        }
        let old = model.servingSince == .min ? nil : Optional(model.serving)
        model.serve(version: row.version, at: row.mergeTime)
        model.servingLastIssued = row.issuedAt
        if hasServed {
            // A roll-back, recommended by a verdict or not: the training did not help.
            model.verification = nil
            model.skill.lastRollback = max(model.skill.lastRollback ?? .min, row.mergeTime)
            model.restoreBaseline(calendar: configuration.quiet.calendar)
        } else if let old, model.isCalibrated {
            model.deployedAt = row.mergeTime
            model.verification = Verification(
                newVersion: row.version, oldVersion: old, since: row.mergeTime,
                requestID: model.ledger.trainings.last { $0.state == .succeeded }?.requestID,
                oldRatio: model.skill.ratio(of: old, now: row.mergeTime, by: configuration.drift.skill))
            model.skill.beginComparison()
        }
    }
}
