// Collecting: what happens to a record between two evaluations. Names become numbers, the row is put by.

extension Engine {
    /// Counts a record that nobody could read, so that the position moves on.
    public func skip(lane: Int, offset: Int64) { lanes[lane].nextOffset = offset + 1 }

    public func collect(
        lane: Int, offset: Int64, timestamp: Milliseconds, prediction: PredictionRecord
    ) -> EngineRejection? {
        lanes[lane].nextOffset = offset + 1
        let mergeTime = mergeTime(lane: lane, timestamp: timestamp)
        guard prediction.at <= mergeTime + configuration.join.maximumHorizon else { return .beyondHorizon }
        if prediction.issuedAt != .unknownTime {
            guard prediction.issuedAt <= mergeTime + .hour,
                prediction.at - prediction.issuedAt <= configuration.join.maximumHorizon + .day
            else { return .beyondHorizon }
        }
        let model: ModelState
        switch find(model: prediction.model) {
        case .success(let found): model = found
        case .failure(let refusal): return refusal.reason
        }
        guard let entity = intern(entity: prediction.entity, at: mergeTime) else { return .tooManyEntities }
        guard let version = intern(version: prediction.version, at: mergeTime) else { return .tooManyVersions }
        let first = lanes[lane].values.count
        for value in prediction.values {
            guard let metric = metric(value.name, of: model) else {
                lanes[lane].values.removeLast(lanes[lane].values.count - first)
                return .tooManyMetrics
            }
            lanes[lane].values.append(IntakeValue(metric: metric, value: value.value))
        }
        append(
            lane,
            IntakeRow(
                mergeTime: mergeTime, at: prediction.at,
                issuedAt: prediction.issuedAt == .unknownTime ? mergeTime : prediction.issuedAt, model: model.number,
                entity: entity, version: version, isShadow: prediction.isShadow, firstValue: Int32(first),
                valueCount: Int32(prediction.values.count)), offset)
        counters.predictions &+= 1
        return nil
    }

    public func collect(lane: Int, offset: Int64, timestamp: Milliseconds, actual: ActualRecord) -> EngineRejection? {
        lanes[lane].nextOffset = offset + 1
        let mergeTime = mergeTime(lane: lane, timestamp: timestamp)
        // What happened cannot lie ahead: an hour is for clocks that differ.
        guard actual.at <= mergeTime + .hour else { return .beyondHorizon }
        var model: ModelState?
        // Without a model an actual serves every model that predicted the entity, unless a default model is set.
        if !actual.model.isAbsent || defaultModel != nil {
            switch find(model: actual.model) {
            case .success(let found): model = found
            case .failure(let refusal): return refusal.reason
            }
        }
        guard let entity = intern(entity: actual.entity, at: mergeTime) else { return .tooManyEntities }
        let first = lanes[lane].values.count
        for value in actual.values {
            let metric = model.map { self.metric(value.name, of: $0) } ?? sharedMetric(value.name)
            guard let metric else {
                lanes[lane].values.removeLast(lanes[lane].values.count - first)
                return .tooManyMetrics
            }
            lanes[lane].values.append(IntakeValue(metric: metric, value: value.value))
        }
        append(
            lane,
            IntakeRow(
                mergeTime: mergeTime, at: actual.at, issuedAt: 0, model: model?.number ?? -1, entity: entity,
                version: -1, isShadow: false, firstValue: Int32(first), valueCount: Int32(actual.values.count)), offset)
        counters.actuals &+= 1
        return nil
    }

    public func collect(lane: Int, offset: Int64, timestamp: Milliseconds, load: LoadRecord) -> EngineRejection? {
        lanes[lane].nextOffset = offset + 1
        let mergeTime = mergeTime(lane: lane, timestamp: timestamp)
        // Load is measured, never forecast: an hour is for clocks that differ.
        guard load.at <= mergeTime + .hour else { return .beyondHorizon }
        guard let machine = Self.intern(load.entity, in: &machineNames, limit: configuration.limits.entities) else {
            return .tooManyEntities
        }
        var pool: Int32 = -1
        if !load.pool.isAbsent {
            guard let found = Self.intern(load.pool, in: &poolNames, limit: Self.poolLimit) else {
                return .tooManyEntities
            }
            pool = found
        }
        let first = lanes[lane].values.count
        // Three places: CPU, rate, incident; NaN where the record is silent.
        lanes[lane].values.append(IntakeValue(metric: 0, value: load.cpuPercent ?? .nan))
        lanes[lane].values.append(IntakeValue(metric: 1, value: load.predictionsPerSecond ?? .nan))
        lanes[lane].values.append(IntakeValue(metric: 2, value: load.incident.map { $0 ? 1 : 0 } ?? .nan))
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

    private func append(_ lane: Int, _ row: IntakeRow, _ offset: Int64) {
        lanes[lane].mergeTime = row.mergeTime
        lanes[lane].rows.append(row)
        lanes[lane].offsets.note(
            offset: offset, mergeTime: row.mergeTime, keeping: configuration.training.window + 2 * .day)
        if lanes[lane].role.advancesStreamTime, row.mergeTime > (streamTime ?? .min) { streamTime = row.mergeTime }
    }

    // MARK: Names

    private struct Refusal: Error { var reason: EngineRejection }

    private func find(model name: BorrowedText) -> Result<ModelState, Refusal> {
        if name.isAbsent {
            guard let defaultModel, let model = models[Int(defaultModel)] else {
                return .failure(Refusal(reason: .noModel))
            }
            return .success(model)
        }
        if let number = modelNames.find(name), let model = models[Int(number)] { return .success(model) }
        guard modelNames.count < configuration.limits.models else { return .failure(Refusal(reason: .tooManyModels)) }
        return .success(modelState(modelNames.intern(name)))
    }

    private func intern(entity: BorrowedText, at mergeTime: Milliseconds) -> Int32? {
        guard let number = Self.intern(entity, in: &entityNames, limit: configuration.limits.entities) else {
            return nil
        }
        while entityModels.count <= Int(number) {
            entityModels.append([])
            entitySeen.append(.min)
        }
        entitySeen[Int(number)] = max(entitySeen[Int(number)], mergeTime)
        return number
    }

    /// -1 for none; nil where there are too many.
    private func intern(version: BorrowedText, at mergeTime: Milliseconds) -> Int32? {
        guard !version.isAbsent else { return -1 }
        let limit = 8 * configuration.limits.models + 64
        guard let number = Self.intern(version, in: &versionNames, limit: limit) else { return nil }
        while versionSeen.count <= Int(number) { versionSeen.append(.min) }
        versionSeen[Int(number)] = max(versionSeen[Int(number)], mergeTime)
        return number
    }

    private func metric(_ name: BorrowedText, of model: ModelState) -> Int32? {
        if let number = metricNames.find(name), model.slot(number) != nil { return number }
        guard model.metricCount < configuration.limits.metricsPerModel, let number = sharedMetric(name) else {
            return nil
        }
        _ = model.addMetric(number, name: metricNames[number])
        return number
    }

    private func sharedMetric(_ name: BorrowedText) -> Int32? {
        Self.intern(name, in: &metricNames, limit: 64 * configuration.limits.metricsPerModel)
    }

    private static func intern(_ name: BorrowedText, in table: inout NameTable, limit: Int) -> Int32? {
        if let known = table.find(name) { return known }
        return table.count < limit ? table.intern(name) : nil
    }
}
