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
        orderRows(of: order)
        sortedRows.removeAll(keepingCapacity: true)
        rowOrder.withItems { items in
            for item in items { sortedRows.append(lanes[order[Int(item >> 32)]].rows[Int(item & 0xFFFF_FFFF)]) }
        }
        let late = lateLimit(boundary)
        // Without a reference counted for each row: the engine holds its models.
        let held = models.map { $0.map(Unmanaged.passUnretained) }
        func prefetch(_ position: Int, _ body: (JoinTable, JoinTable.Key) -> Void) {
            guard position < sortedRows.count, sortedRows[position].model >= 0 else { return }
            let row = sortedRows[position]
            held[Int(row.model)]?._withUnsafeGuaranteedRef {
                body($0.join, JoinTable.Key(entity: row.entity, at: row.at))
            }
        }
        for position in sortedRows.indices {
            prefetch(position + 24) { $0.prefetchSlot($1) }
            prefetch(position + 16) { $0.prefetchCell($1) }
            prefetch(position + 8) { $0.prefetchRow($1) }
            let row = sortedRows[position]
            let lane = lanes[order[Int(rowOrder.item(position) >> 32)]]
            lane.values.withUnsafeBufferPointer { values in
                let first = Int(row.firstValue)
                let own = UnsafeBufferPointer(rebasing: values[first..<first + Int(row.valueCount)])
                guard row.model >= 0 else { return join(sharedActual: row, own, late) }
                held[Int(row.model)]?._withUnsafeGuaranteedRef { model in
                    if lane.role == .predictions {
                        join(prediction: row, own, model, late)
                    } else {
                        join(actual: row, own, model, late)
                    }
                }
            }
        }
    }

    /// Rows of a lane are in order already; an equal merge time goes to the lane that comes first.
    private func orderRows(of order: [Int]) {
        rowOrder.removeAll()
        var (earliest, latest) = (Milliseconds.max, Milliseconds.min)
        for lane in order {
            earliest = min(earliest, lanes[lane].rows[0].mergeTime)
            latest = max(latest, lanes[lane].rows[lanes[lane].rows.count - 1].mergeTime)
        }
        let timeBits = order.isEmpty ? 0 : UInt64.bitWidth - UInt64(bitPattern: latest &- earliest).leadingZeroBitCount
        let laneBits = UInt64.bitWidth - UInt64(order.count).leadingZeroBitCount
        // Times of geological distance lose their last bits here, and are compared whole afterwards.
        let lost = UInt64(max(0, timeBits + laneBits - UInt64.bitWidth))
        for (place, number) in order.enumerated() {
            let lane = lanes[number]
            for index in lane.rows.indices {
                let time = UInt64(bitPattern: lane.rows[index].mergeTime &- earliest) >> lost
                rowOrder.append(
                    key: time << UInt64(laneBits) | UInt64(place), item: UInt64(place) << 32 | UInt64(index))
            }
        }
        rowOrder.sort()
        guard lost > 0 else { return }
        rowOrder.sortTies { left, right in
            func time(_ item: UInt64) -> Milliseconds {
                lanes[order[Int(item >> 32)]].rows[Int(item & 0xFFFF_FFFF)].mergeTime
            }
            return (time(left), left) < (time(right), right)
        }
    }

    /// What lies before this is too late: its other half has been let go. By the boundary before, since the records of
    /// this interval all came after it.
    private func lateLimit(_ boundary: Milliseconds) -> Milliseconds {
        (lastBoundary ?? boundary - configuration.drift.checkInterval) - configuration.join.allowedLateness
    }

    private func join(
        prediction row: IntakeRow, _ values: UnsafeBufferPointer<IntakeValue>, _ model: ModelState,
        _ late: Milliseconds
    ) {
        model.lastPrediction = max(model.lastPrediction ?? .min, row.mergeTime)
        model.lastSeen = max(model.lastSeen, row.mergeTime)
        if model.ledger.firstSeen == nil { model.ledger.firstSeen = row.mergeTime }
        if !row.isShadow { serve(model, row) }
        let isServed = !row.isShadow && row.version == model.serving
        if model.entities.insert(row.entity) {
            entityModels[Int(row.entity)].append(model.number)
        }
        let isFollowed =
            isServed && model.isCalibrated
            && model.skill.follow(row.entity, hash: entityNames.hash(row.entity), predicted: model.entities)
        guard row.at >= late else {
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
            let slot = Int(value.slot)
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

    private func join(
        actual row: IntakeRow, _ values: UnsafeBufferPointer<IntakeValue>, _ model: ModelState, _ late: Milliseconds
    ) {
        guard row.at >= late else {
            counters.lateActuals &+= 1
            return
        }
        join(values, row, model)
    }

    private func join(sharedActual row: IntakeRow, _ values: UnsafeBufferPointer<IntakeValue>, _ late: Milliseconds) {
        guard row.at >= late else {
            counters.lateActuals &+= 1
            return
        }
        sharedActuals.add(entity: row.entity, at: row.at, values)
        for number in entityModels[Int(row.entity)] {
            if let model = models[Int(number)] { join(values, row, model) }
        }
    }

    private func join(_ values: UnsafeBufferPointer<IntakeValue>, _ row: IntakeRow, _ model: ModelState) {
        model.lastSeen = max(model.lastSeen, row.mergeTime)
        model.lastActual = max(model.lastActual ?? .min, row.mergeTime)
        // What happened before the first forecast is the past that its shadow needs.
        if model.isCalibrated {
            _ = model.skill.follow(row.entity, hash: entityNames.hash(row.entity), predicted: model.entities)
        }
        var cell: Int32 = -1
        for value in values {
            guard let slot = row.model >= 0 ? Int(value.slot) : model.slot(value.metric) else { continue }
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
        if hasServed {
            model.briefVersions = 0
        } else if old != nil, model.isAnotherName(row.version, isTrained: isTrained, at: row.mergeTime) {
            model.rename(to: row.version, at: row.mergeTime)
            model.servingLastIssued = row.issuedAt
            return
        }
        supersedeTrial(model, row)
        model.serve(version: row.version, at: row.mergeTime)
        model.servingLastIssued = row.issuedAt
        if hasServed {
            // A roll-back, recommended by a verdict or not: the training did not help.
            model.skill.lastRollback = max(model.skill.lastRollback ?? .min, row.mergeTime)
            model.restoreBaseline(calendar: configuration.quiet.calendar)
        } else if let old, model.isCalibrated {
            model.deployedAt = row.mergeTime
            model.verification = Verification(
                newVersion: row.version, oldVersion: old, since: row.mergeTime,
                requestID: request(behind: row.version, of: model),
                oldRatio: model.skill.ratio(of: old, now: row.mergeTime, by: configuration.drift.skill))
            model.skill.beginComparison()
        }
    }

    /// The training that made a version: the last that succeeded, unless its trainer said that it made another one.
    private func request(behind version: Int32, of model: ModelState) -> String? {
        let name = version >= 0 ? versionNames[version] : nil
        return model.ledger.trainings.last {
            $0.state == .succeeded && ($0.modelVersion == nil || name == nil || $0.modelVersion == name)
        }?.requestID
    }

    /// A trial ends without a verdict of its own where another version comes to serve.
    private func supersedeTrial(_ model: ModelState, _ row: IntakeRow) {
        guard let trial = model.verification else { return }
        let comparison = model.skill.comparison
        model.superseded.append(
            Verification.Superseded(
                trial: trial, successor: row.version,
                ratio: comparison.ratio(now: row.mergeTime.flooredDivision(by: .hour)), pairs: comparison.pairs))
        model.verification = nil
    }
}
