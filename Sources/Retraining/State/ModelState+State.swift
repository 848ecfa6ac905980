extension ModelState {
    /// Writes all that the last evaluation left, in the names that the engine has for it.
    func encode(_ engine: Engine, into writer: inout StateWriter) {
        engine.modelNames.withBytes(number) { writer.text($0) }
        let names = names(engine)
        writer.count(names.slots.count)
        for slot in names.slots { engine.metricNames.withBytes(metricNumbers[slot]) { writer.text($0) } }
        names.entities.encode(engine.entityNames, into: &writer)
        names.versions.encode(engine.versionNames, into: &writer)
        let predicted = entities.keys.map { names.entities.index($0) }.sorted()
        writer.count(predicted.count)
        for entity in predicted { writer.count(entity) }
        encodeLastActuals(names, into: &writer)
        encodeVersions(names.versions, into: &writer)
        encodeDecisions(into: &writer)
        for slot in names.slots { windows[slot].encode(into: &writer) }
        anomalies.encode(into: &writer)
        writer.optional(baseline) { $1.encode(slots: names.slots, into: &$0) }
        writer.optional(replacedBaseline) { $1.encode(slots: names.slots, into: &$0) }
        writer.count(baselineVersions)
        writer.bool(isBaselineFrozen)
        writer.optional(captureBaseline) { $0.name($1) }
        QuantileSummary.encode(suppliedBaseline, into: &writer)
        if isCalibrated { skill.encode(names, into: &writer) }
        writer.optional(verification) { $1.encode(names.versions, into: &$0) }
        join.encode(slots: names.slots, names.entities, names.versions, into: &writer)
    }

    private func names(_ engine: Engine) -> ModelNames {
        let slots = slotsByName.filter { $0 < metricsAtCut ?? 0 }
        var places = [Int](repeating: 0, count: metricCount)
        for (place, slot) in slots.enumerated() { places[slot] = place }
        var entityNumbers = entities.keys + lastActuals.keys.map(\.entity) + skill.entitiesNamed
        var versionNumbers = versions
        join.collectNames(entities: &entityNumbers, versions: &versionNumbers)
        return ModelNames(
            slots: slots, places: places, entities: NameDictionary(entityNumbers, in: engine.entityNames),
            versions: NameDictionary(versionNumbers, in: engine.versionNames))
    }

    private func encodeLastActuals(_ names: ModelNames, into writer: inout StateWriter) {
        let sorted = zip(lastActuals.keys, lastActuals.values).map {
            (names.entities.index($0.entity), names.places[$0.slot], $1)
        }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
        writer.count(sorted.count)
        for (entity, metric, _) in sorted {
            writer.count(entity)
            writer.count(metric)
        }
        writer.column(times: sorted.map(\.2.at))
        writer.column(sorted.map(\.2.value))
    }

    private func encodeVersions(_ versions: NameDictionary, into writer: inout StateWriter) {
        writer.count(versions.indexOrNone(serving))
        writer.count(previousVersions.count)
        for version in previousVersions { writer.count(versions.indexOrNone(version)) }
        writer.time(servingSince)
        writer.optionalTime(deployedAt)
        writer.time(servingLastIssued)
        writer.optional(returning) {
            $0.count(versions.indexOrNone($1.version))
            $0.time($1.issuedAt)
        }
        writer.time(pairsFrom)
        writer.count(briefVersions)
    }

    private func encodeDecisions(into writer: inout StateWriter) {
        ledger.encode(into: &writer)
        writer.bool(isPaused)
        writer.optional(manual) { $1.encode(into: &$0) }
        for time in [aboveSince, severeSince, wantedSince, lastPrediction, lastActual, firstActualAt] {
            writer.optionalTime(time)
        }
        writer.count(evaluationsAbove)
        writer.optional(plan) { $1.encode(into: &$0) }
        let alerts = activeAlerts.sorted { $0.key.rawValue < $1.key.rawValue }
        writer.count(alerts.count)
        for (kind, since) in alerts {
            writer.name(kind)
            writer.time(since)
        }
        writer.time(lastSeen)
        // As it was sent: only while it may have to be sent again.
        let open = ledger.open
        let mayResend = open?.state == .requested && open?.requestID == lastRequest?.requestID
        writer.optional(mayResend ? lastRequest : nil) { $1.encode(into: &$0) }
    }

    // MARK: Reading

    /// Reads into a model without content, whose name has been read.
    func decode(
        _ engine: Engine, _ stored: StateSettings, from reader: inout StateReader
    ) throws(StateError) {
        let settings = StateSettings(engine.configuration)
        for _ in 0..<(try reader.count()) {
            let name = try reader.borrowedText()
            let metric = engine.metricNames.intern(BorrowedText(base: name.baseAddress, count: name.count))
            guard slot(metric) == nil else { throw reader.failure("a metric occurs twice") }
            _ = addMetric(metric, name: engine.metricNames[metric])
        }
        let known = try reader.names { engine.restored(entity: $0) }
        let names = StoredModelNames(
            metricCount: metricCount, entities: known, versions: try reader.names { engine.restored(version: $0) },
            hashes: known.map { engine.entityNames.hash($0) })
        for _ in 0..<(try reader.count()) {
            let entity = try reader.number(names.entities)
            guard entities.insert(entity) else { throw reader.failure("an entity occurs twice") }
            engine.entityModels[Int(entity)].append(number)
        }
        try decodeLastActuals(names, from: &reader)
        try decodeVersions(names.versions, from: &reader)
        try decodeDecisions(from: &reader)
        for slot in 0..<metricCount {
            windows[slot] = try MetricWindows(from: &reader, stored, engine.configuration.drift, settings)
        }
        anomalies = try AnomalyWindow(from: &reader, capacity: engine.configuration.drift.windowSize)
        baseline = try reader.bool() ? try Baseline(metricCount: metricCount, from: &reader) : nil
        replacedBaseline = try reader.bool() ? try Baseline(metricCount: metricCount, from: &reader) : nil
        baselineVersions = try reader.integer()
        isBaselineFrozen = try reader.bool()
        captureBaseline = try reader.bool() ? try reader.name(Baseline.Origin.self) : nil
        suppliedBaseline = try QuantileSummary.decode(from: &reader)
        if stored.timeZone != settings.timeZone {
            baseline?.dropSeasons()
            replacedBaseline?.dropSeasons()
        }
        if stored.scoring == .calibrated { skill = try Skill(names, stored, settings, from: &reader) }
        verification = try reader.bool() ? try Verification(names.versions, from: &reader) : nil
        if !isCalibrated {
            skill = Skill()
            verification = nil
        }
        try join.decode(metricCount: metricCount, names.entities, names.versions, from: &reader)
        let calendar = engine.configuration.quiet.calendar
        for slot in 0..<metricCount { windows[slot].compare(with: baseline?.metrics[slot], calendar) }
        metricsAtCut = metricCount
    }

    private func decodeLastActuals(_ names: StoredModelNames, from reader: inout StateReader) throws(StateError) {
        var keys: [SeriesKey] = []
        for _ in 0..<(try reader.count(ofAtLeast: 2)) {
            keys.append(
                SeriesKey(
                    entity: try reader.number(names.entities), slot: try reader.index(below: names.metricCount)))
        }
        var times = [Milliseconds](repeating: 0, count: keys.count)
        try reader.column(times: keys.count) { times[$0] = $1 }
        try reader.column(count: keys.count) { lastActuals[keys[$0]] = LastActual(at: times[$0], value: $1) }
    }

    private func decodeVersions(_ versions: [Int32], from reader: inout StateReader) throws(StateError) {
        serving = try reader.numberOrNone(versions)
        for _ in 0..<(try reader.count()) { previousVersions.append(try reader.numberOrNone(versions)) }
        servingSince = try reader.time()
        deployedAt = try reader.optionalTime()
        servingLastIssued = try reader.time()
        if try reader.bool() { returning = (try reader.numberOrNone(versions), try reader.time()) }
        pairsFrom = try reader.time()
        if reader.format >= 2 { briefVersions = try reader.index(below: ModelState.namesOnly + 1) }
    }

    private func decodeDecisions(from reader: inout StateReader) throws(StateError) {
        ledger = try TrainingLedger(from: &reader)
        isPaused = try reader.bool()
        manual = try reader.bool() ? try CommandRecord(from: &reader) : nil
        aboveSince = try reader.optionalTime()
        severeSince = try reader.optionalTime()
        wantedSince = try reader.optionalTime()
        lastPrediction = try reader.optionalTime()
        lastActual = try reader.optionalTime()
        firstActualAt = try reader.optionalTime()
        evaluationsAbove = try reader.integer()
        plan = try reader.bool() ? try QuietWindow(from: &reader) : nil
        for _ in 0..<(try reader.count(ofAtLeast: 2)) {
            let kind = try reader.name(Alert.Kind.self)
            activeAlerts[kind] = try reader.time()
        }
        lastSeen = try reader.time()
        lastRequest = try reader.bool() ? try TrainingRequest(from: &reader) : nil
    }
}
