// Collecting: what happens to a record between two evaluations. Names become numbers, the row is put by.

extension Engine {
    /// Counts a record that nobody could read, so that the position moves on.
    public func skip(lane: Int, offset: Int64) { lanes[lane].nextOffset = offset + 1 }

    public func collect(
        lane: Int, offset: Int64, timestamp: Milliseconds, prediction: PredictionRecord
    ) -> EngineRejection? {
        let lane = lanes[lane]
        lane.nextOffset = offset + 1
        let mergeTime = max(lane.mergeTime, timestamp)
        guard prediction.at <= mergeTime + configuration.join.maximumHorizon else { return .beyondHorizon }
        if prediction.issuedAt != .unknownTime {
            guard prediction.issuedAt <= mergeTime + .hour,
                prediction.at - prediction.issuedAt <= configuration.join.maximumHorizon + .day
            else { return .beyondHorizon }
        }
        let names: Names
        switch look(up: prediction.model, prediction.entity, version: prediction.version, prediction.values, lane) {
        case .success(let found): names = found
        case .failure(let refusal): return refusal.reason
        }
        let first = lane.values.count - prediction.values.count
        append(
            lane,
            IntakeRow(
                mergeTime: mergeTime, at: prediction.at,
                issuedAt: prediction.issuedAt == .unknownTime ? mergeTime : prediction.issuedAt, model: names.model,
                entity: names.entity, version: names.version, isShadow: prediction.isShadow, firstValue: Int32(first),
                valueCount: Int32(prediction.values.count)), offset)
        counters.predictions &+= 1
        return nil
    }

    public func collect(lane: Int, offset: Int64, timestamp: Milliseconds, actual: ActualRecord) -> EngineRejection? {
        let lane = lanes[lane]
        lane.nextOffset = offset + 1
        let mergeTime = max(lane.mergeTime, timestamp)
        // What happened cannot lie ahead: an hour is for clocks that differ.
        guard actual.at <= mergeTime + .hour else { return .beyondHorizon }
        let names: Names
        switch look(up: actual.model, actual.entity, version: nil, actual.values, lane) {
        case .success(let found): names = found
        case .failure(let refusal): return refusal.reason
        }
        let first = lane.values.count - actual.values.count
        append(
            lane,
            IntakeRow(
                mergeTime: mergeTime, at: actual.at, issuedAt: 0, model: names.model, entity: names.entity,
                version: -1, isShadow: false, firstValue: Int32(first), valueCount: Int32(actual.values.count)), offset)
        counters.actuals &+= 1
        return nil
    }

    public func collect(lane: Int, offset: Int64, timestamp: Milliseconds, load: LoadRecord) -> EngineRejection? {
        let lane = lanes[lane]
        lane.nextOffset = offset + 1
        let mergeTime = max(lane.mergeTime, timestamp)
        // Load is measured, never forecast: an hour is for clocks that differ.
        guard load.at <= mergeTime + .hour else { return .beyondHorizon }
        guard hasRoom(for: load.entity, in: machineNames, limit: configuration.limits.entities),
            load.pool.isAbsent || hasRoom(for: load.pool, in: poolNames, limit: Self.poolLimit)
        else { return .tooManyEntities }
        let machine = machineNames.intern(load.entity)
        let pool = load.pool.isAbsent ? -1 : poolNames.intern(load.pool)
        let first = lane.values.count
        // Three places: CPU, rate, incident; NaN where the record is silent.
        lane.values.append(IntakeValue(metric: 0, value: load.cpuPercent ?? .nan))
        lane.values.append(IntakeValue(metric: 1, value: load.predictionsPerSecond ?? .nan))
        lane.values.append(IntakeValue(metric: 2, value: load.incident.map { $0 ? 1 : 0 } ?? .nan))
        append(
            lane,
            IntakeRow(
                mergeTime: mergeTime, at: load.at, issuedAt: 0, model: -1, entity: machine, version: pool,
                isShadow: false, firstValue: Int32(first), valueCount: 3), offset)
        counters.load &+= 1
        return nil
    }

    public func collect(lane: Int, offset: Int64, timestamp: Milliseconds, status: TrainingStatusRecord) {
        lanes[lane].nextOffset = offset + 1
        lanes[lane].mergeTime = mergeTime(lane: lane, timestamp: timestamp)
        lanes[lane].controls.append((lanes[lane].mergeTime, .status(status)))
        counters.statuses &+= 1
    }

    public func collect(lane: Int, offset: Int64, timestamp: Milliseconds, command: CommandRecord) {
        lanes[lane].nextOffset = offset + 1
        lanes[lane].mergeTime = mergeTime(lane: lane, timestamp: timestamp)
        lanes[lane].controls.append((lanes[lane].mergeTime, .command(command)))
        counters.commands &+= 1
    }

    /// A pool keeps a month of load: about 100 kB.
    private static let poolLimit = 1000

    private func append(_ lane: Lane, _ row: IntakeRow, _ offset: Int64) {
        lane.mergeTime = row.mergeTime
        lane.rows.append(row)
        lane.offsets.note(offset: offset, mergeTime: row.mergeTime)
        if lane.role.advancesStreamTime, row.mergeTime > (streamTime ?? .min) { streamTime = row.mergeTime }
    }

    // MARK: Names

    private struct Refusal: Error { var reason: EngineRejection }

    /// The names of a record as numbers.
    private struct Names {
        /// -1 where an actual serves every model.
        var model: Int32
        var entity: Int32
        /// -1 for none.
        var version: Int32
    }

    /// Numbers the names of a record and appends its values to the lane. Every limit is asked before any name is
    /// interned: a refused row leaves no trace.
    ///
    /// - Parameter version: nil for an actual, which has none and may do without a model.
    private func look(
        up modelName: BorrowedText, _ entity: BorrowedText, version: BorrowedText?,
        _ values: UnsafeBufferPointer<MetricValue>, _ lane: Lane
    ) -> Result<Names, Refusal> {
        var known: ModelState?
        // Without a model an actual serves every model that predicted the entity, unless a default model is set.
        let isShared = modelName.isAbsent && version == nil && defaultModel == nil
        if modelName.isAbsent {
            known = defaultModel.flatMap { models[Int($0)] }
            if known == nil, !isShared { return .failure(Refusal(reason: .noModel)) }
        } else {
            known = modelNames.find(modelName).flatMap { models[Int($0)] }
            guard known != nil || isReplaying || modelNames.count < configuration.limits.models else {
                return .failure(Refusal(reason: .tooManyModels))
            }
        }
        guard hasRoom(for: entity, in: entityNames, limit: configuration.limits.entities) else {
            return .failure(Refusal(reason: .tooManyEntities))
        }
        let version = version ?? .absent
        guard version.isAbsent || hasRoom(for: version, in: versionNames, limit: 8 * configuration.limits.models + 64)
        else { return .failure(Refusal(reason: .tooManyVersions)) }
        let first = lane.values.count
        let isComplete = appendKnown(values, of: known, isShared: isShared, lane)
        if !isComplete, !isReplaying, !hasRoom(for: values, of: known, isShared: isShared) {
            lane.values.removeLast(values.count)
            return .failure(Refusal(reason: .tooManyMetrics))
        }
        let model = isShared ? nil : known ?? modelState(modelNames.intern(modelName))
        if !isComplete { internMetrics(values, of: model, lane, from: first) }
        return .success(
            Names(
                model: model?.number ?? -1, entity: number(entity),
                version: version.isAbsent ? -1 : number(version: version)))
    }

    /// Appends all values, with -1 for a metric that the model does not have yet; false where there is one.
    private func appendKnown(
        _ values: UnsafeBufferPointer<MetricValue>, of model: ModelState?, isShared: Bool, _ lane: Lane
    ) -> Bool {
        var isComplete = true
        for value in values {
            var metric = metricNames.find(value.name) ?? -1
            var slot: Int32 = -1
            if metric >= 0, !isShared {
                slot = model?.slot(metric).map { Int32($0) } ?? -1
                if slot < 0 { metric = -1 }
            }
            if metric < 0 { isComplete = false }
            lane.values.append(IntakeValue(metric: metric, slot: slot, value: value.value))
        }
        return isComplete
    }

    /// Whether the metrics that are new to the model, or to the engine, keep within their limits.
    private func hasRoom(
        for values: UnsafeBufferPointer<MetricValue>, of model: ModelState?, isShared: Bool
    ) -> Bool {
        var newToModel: Set<String> = []
        var newToAll: Set<String> = []
        for value in values {
            let metric = metricNames.find(value.name)
            if metric == nil { newToAll.insert(value.name.string) }
            if !isShared, metric.flatMap({ model?.slot($0) }) == nil { newToModel.insert(value.name.string) }
        }
        let limit = configuration.limits.metricsPerModel
        return (newToModel.isEmpty || (model?.metricCount ?? 0) + newToModel.count <= limit)
            && (newToAll.isEmpty || metricNames.count + newToAll.count <= 64 * limit)
    }

    private func internMetrics(
        _ values: UnsafeBufferPointer<MetricValue>, of model: ModelState?, _ lane: Lane, from first: Int
    ) {
        for (index, value) in values.enumerated() where lane.values[first + index].metric < 0 {
            let metric = metricNames.intern(value.name)
            lane.values[first + index].metric = metric
            guard let model else { continue }
            let slot = model.slot(metric) ?? model.addMetric(metric, name: metricNames[metric])
            lane.values[first + index].slot = Int32(slot)
        }
    }

    private func hasRoom(for name: BorrowedText, in table: NameTable, limit: Int) -> Bool {
        isReplaying || table.count < limit || table.find(name) != nil
    }

    /// The number of an entity. Only an evaluation makes it seen.
    private func number(_ entity: BorrowedText) -> Int32 {
        let number = entityNames.intern(entity)
        reserve(entity: number)
        return number
    }

    func reserve(entity number: Int32) {
        while entityModels.count <= Int(number) {
            entityModels.append([])
            entitySeen.append(.min)
        }
    }

    func number(version: BorrowedText) -> Int32 {
        let number = versionNames.intern(version)
        while versionSeen.count <= Int(number) { versionSeen.append(.min) }
        return number
    }
}
