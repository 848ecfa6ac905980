/// A request that an earlier run published at one boundary: a fact, whatever would be decided today.
public struct PublishedRequest: Sendable, Equatable {
    public var model: String
    public var reason: Reason
    public var requestID: String

    public init(model: String, reason: Reason, requestID: String) {
        self.model = model
        self.reason = reason
        self.requestID = requestID
    }
}

extension Engine {
    /// The latest boundary that a merge time has crossed.
    public func boundary(crossedBy mergeTime: Milliseconds) -> Milliseconds {
        mergeTime.floored(to: configuration.drift.checkInterval)
    }

    /// Evaluates every model at a boundary, with all that was collected.
    ///
    /// - Parameters:
    ///   - boundary: a multiple of the check interval, later than the last one.
    ///   - wallClock: the wall clock as the shell sees it; nil (a replay that was told none) never counts as lagging.
    ///   - streamTime: merge time of the record that crossed the boundary; the lag is counted from it. Nil is the boundary.
    ///   - published: where this boundary was evaluated before, the requests that were published then: exactly these
    ///     models trigger, so that other code or another configuration neither loses nor doubles a request.
    ///   - effects: what is to be published, in this order, is appended here.
    public func evaluate(
        at boundary: Milliseconds, wallClock: Milliseconds?, streamTime: Milliseconds? = nil,
        published: [PublishedRequest]? = nil,
        into effects: inout [Effect]
    ) {
        precondition(lastBoundary.map { boundary > $0 } ?? true, "boundaries only go forward")
        counters.evaluations &+= 1
        let cut = cut(wallClock: wallClock)
        // A replaced version that predicts beside the new one is no load that users cause.
        let predictionRows = lanes.reduce(0) { sum, lane in
            lane.role == .predictions ? lane.rows.reduce(sum) { $0 + ($1.isShadow ? 0 : 1) } : sum
        }
        // An evaluation between two boundaries says nothing about the length of a stretch.
        let since = max(lastBoundary.map { boundary - $0 } ?? 0, configuration.drift.checkInterval)
        noteSeen()
        applyLoad()
        applyControls(boundary: boundary, effects: &effects)
        joinCollected(boundary: boundary)
        for number in modelsByName { if let model = models[Int(number)] { applyJoined(model, boundary) } }
        for index in lanes.indices { lanes[index].close(keeping: configuration.training.window + 2 * .day) }
        let previousBoundary = lastBoundary
        lastBoundary = boundary
        for request in published ?? [] where modelNames.find(request.model) == nil {
            model(named: request.model).lastSeen = boundary
        }
        var round = Round(
            boundary: boundary, previousBoundary: previousBoundary, cut: cut, wallClock: wallClock,
            streamTime: streamTime,
            countedRate: Double(predictionRows) * 1000 / Double(max(1, since)), published: published)
        round.openRequests = modelsByName.reduce(0) { $0 + (models[Int($1)]?.ledger.open == nil ? 0 : 1) }
        readLoad(&round)
        for number in modelsByName {
            guard let model = models[Int(number)] else { continue }
            evaluate(model, &round, into: &effects)
        }
        tidy(boundary: boundary)
        resolveStall(at: boundary, into: &effects)
        for number in modelsByName { if let model = models[Int(number)] { model.metricsAtCut = model.metricCount } }
        metricNamesAtCut = metricNames.upperBound
        countersAtCut = counters
    }

    /// What one evaluation shares between models.
    struct Round {
        var boundary: Milliseconds
        var previousBoundary: Milliseconds?
        var cut: Cut
        var wallClock: Milliseconds?
        var streamTime: Milliseconds?
        var countedRate: Double
        var published: [PublishedRequest]?
        var openRequests = 0
        /// By pool number; -1 is everything.
        var loads: [Int32: PoolRound] = [:]
    }

    /// One pool at one evaluation.
    struct PoolRound {
        var reading: LoadMonitor.Reading
        var outlook: QuietPlanner.Outlook
        var nextWindow: QuietWindow?
        var bestWindow: QuietWindow?
        var staysQuiet: Bool
        /// The load of this hour, and the quartiles of the last 14 days that it is held against.
        var hourScore: Double?
        var lowLimit: Double?
        var highLimit: Double?
        var hours: Int

        var isHigh: Bool { if let hourScore, let highLimit { hourScore > highLimit } else { false } }
        var isLow: Bool { if let hourScore, let lowLimit { hourScore <= lowLimit } else { false } }
    }

    // MARK: Load

    private func applyLoad() {
        struct Sample {
            var at: Milliseconds
            var machine: Int32
            var pool: Int32
            var cpu: Double?
            var rate: Double?
            var incident: Bool?
        }
        var samples: [Sample] = []
        for lane in lanes where lane.role == .load {
            for row in lane.rows {
                let values = lane.values[Int(row.firstValue)..<Int(row.firstValue) + 3].map(\.value)
                samples.append(
                    Sample(
                        at: row.at, machine: row.entity, pool: row.version, cpu: values[0].isNaN ? nil : values[0],
                        rate: values[1].isNaN ? nil : values[1], incident: values[2].isNaN ? nil : values[2] != 0))
            }
        }
        guard !samples.isEmpty else { return }
        samples.sort { left, right in
            if left.at != right.at { return left.at < right.at }
            let (a, b) = (machineNames.hash(left.machine), machineNames.hash(right.machine))
            if a != b { return a < b }
            // Two words of one machine for one time: an order that does not depend on who came first.
            if left.pool != right.pool { return poolOrder(left.pool) < poolOrder(right.pool) }
            let (x, y) = (left.incident == true ? 1.0 : 0, right.incident == true ? 1.0 : 0)
            return (left.cpu ?? -1, left.rate ?? -1, x) < (right.cpu ?? -1, right.rate ?? -1, y)
        }
        for sample in samples {
            everything.note(
                machine: sample.machine, at: sample.at, cpuPercent: sample.cpu, ratePerSecond: sample.rate,
                incident: sample.incident)
            guard sample.pool >= 0 else { continue }
            pools[sample.pool, default: LoadMonitor(lookback: configuration.quiet.lookback)].note(
                machine: sample.machine, at: sample.at, cpuPercent: sample.cpu, ratePerSecond: sample.rate,
                incident: sample.incident)
        }
    }

    private func poolOrder(_ pool: Int32) -> UInt64 { pool < 0 ? 0 : poolNames.hash(pool) }

    private func readLoad(_ round: inout Round) {
        round.loads[-1] = poolRound(&everything, round)
        for number in pools.keys.sorted() { round.loads[number] = poolRound(&pools[number]!, round) }
    }

    /// What this very hour has shown so far; nil where it has shown nothing.
    func liveScore(_ monitor: LoadMonitor, _ boundary: Milliseconds) -> Double? {
        if let injectedLoad { return injectedLoad(boundary) }
        guard let cell = monitor.history[boundary.flooredDivision(by: .hour)], cell.cpu != nil else { return nil }
        return monitor.score(cpuPercent: cell.cpu, ratePerSecond: cell.rate).0
    }

    private func poolRound(_ monitor: inout LoadMonitor, _ round: Round) -> PoolRound {
        var reading = monitor.read(at: round.boundary, countedRate: round.countedRate)
        if let injectedLoad, let score = injectedLoad(round.boundary) {
            reading.score = score
            reading.form = .cpuOnly
        }
        let past = monitor.scores(from: round.boundary - 14 * .day, to: round.boundary).sorted()
        let hour = injectedLoad == nil ? monitor.hourScore(at: round.boundary) ?? reading.score : reading.score
        let outlook = planner.outlook(monitor, now: round.boundary, live: liveScore(monitor, round.boundary))
        func quantile(_ share: Double) -> Double? {
            past.isEmpty ? nil : past[min(past.count - 1, Int(Double(past.count) * share))]
        }
        return PoolRound(
            reading: reading, outlook: outlook, nextWindow: planner.nextWindow(outlook),
            bestWindow: planner.bestWindow(outlook), staysQuiet: planner.staysQuiet(outlook), hourScore: hour,
            lowLimit: quantile(configuration.quiet.lowQuantile), highLimit: quantile(configuration.quiet.highQuantile),
            hours: monitor.history.hoursKept)
    }

    // MARK: Housekeeping

    private func tidy(boundary: Milliseconds) {
        let join = configuration.join
        let isNewHour = boundary.flooredDivision(by: .hour) != lastTidied?.flooredDivision(by: .hour)
        lastTidied = boundary
        var unmatched: (predictions: Int, actuals: Int) = (0, 0)
        for number in modelsByName {
            guard let model = models[Int(number)] else { continue }
            model.join.expire(before: boundary - join.allowedLateness, unmatched: &unmatched)
            if model.isCalibrated, isNewHour {
                model.skill.expire(
                    now: boundary, lateness: join.allowedLateness, serving: model.serving, by: configuration.drift.skill
                )
            }
        }
        counters.unmatchedPredictions &+= UInt64(unmatched.predictions)
        counters.unmatchedActuals &+= UInt64(unmatched.actuals)
        sharedActuals.expire(before: boundary - join.allowedLateness)
        evictBeyondLimit()
        if isNewHour {
            forgetSilent(before: boundary - configuration.limits.silence)
        }
    }

    /// Keeps the retained halves within their bound: whoever holds most lets go first.
    private func evictBeyondLimit() {
        var held = retainedHalves
        let limit = configuration.limits.retainedHalves
        guard held > limit else { return }
        while held > limit {
            let largest = modelsByName.compactMap { models[Int($0)] }.max {
                ($0.join.liveRows, $1.name) < ($1.join.liveRows, $0.name)
            }
            if sharedActuals.count > largest?.join.liveRows ?? 0 {
                let gone = sharedActuals.evictOldestHour()
                counters.evictedHalves &+= UInt64(gone)
                held -= gone
                continue
            }
            guard let largest else { return }
            // As many of its hours as it takes to come down by a hundredth: not one look over all models an hour.
            let target = max(held - limit, 1)
            let before = largest.join.liveRows
            while before - largest.join.liveRows < min(target, max(1, before / 100)) {
                var unmatched: (predictions: Int, actuals: Int) = (0, 0)
                guard largest.join.evictLatestHour(unmatched: &unmatched) else { break }
                counters.evictedHalves &+= UInt64(unmatched.predictions + unmatched.actuals)
            }
            guard largest.join.liveRows < before else { return }
            held -= before - largest.join.liveRows
        }
    }

    private func forgetSilent(before time: Milliseconds) {
        for number in modelsByName {
            guard let model = models[Int(number)], model.lastSeen < time, model.ledger.open == nil,
                number != defaultModel, model.join.liveRows == 0
            else { continue }
            for entity in model.entities.keys { entityModels[Int(entity)].removeAll { $0 == number } }
            models[Int(number)] = nil
            modelsByName.removeAll { $0 == number }
            requestModels = requestModels.filter { $0.value != number }
            modelNames.forget(number)
        }
        let silent = Set(entitySeen.indices.filter { entitySeen[$0] != .min && entitySeen[$0] < time }.map(Int32.init))
        if !silent.isEmpty {
            for number in modelsByName { models[Int(number)]?.forget(entities: silent) }
            for entity in silent.sorted() {
                entityModels[Int(entity)] = []
                entitySeen[Int(entity)] = .min
                entityNames.forget(entity)
            }
        }
        for number in pools.keys.sorted() {
            _ = pools[number]!.forget(silentSince: time)
            guard pools[number]!.machines.isEmpty else { continue }
            pools[number] = nil
            poolNames.forget(number)
        }
        for machine in everything.forget(silentSince: time) { machineNames.forget(machine) }
        let served = Set(modelsByName.compactMap { models[Int($0)] }.flatMap(\.versions))
        for version in versionSeen.indices where versionSeen[version] != .min && versionSeen[version] < time {
            guard !served.contains(Int32(version)) else { continue }
            versionSeen[version] = .min
            versionNames.forget(Int32(version))
        }
    }
}
