import Retraining

/// The same world under other ways of choosing training times: every model is really refitted and really scored.
struct ScheduleComparison {
    let world: World
    let timeline: Timeline
    let first: Forecaster

    /// How one way of choosing training times did.
    struct Result: Equatable {
        var name: String
        var trainings: Double
        /// Mean relative error over the whole story, and from the change on.
        var meanError: Double
        var meanErrorAfterChange: Double
        /// Trainings begun while the load was above the 75th percentile of the 14 days before.
        var trainingsInHighLoad: Double
    }

    /// What fixed schedules and no schedule at all would have given. The weekly one is the mean over all weekdays.
    func fixedSchedules() throws -> [Result] {
        let daily = timeline.day(of: timeline.end - 1)
        let nights = (1..<daily).map { timeline.servedFrom + Int64($0) * .day + 2 * .hour }
        let weekly = try (0..<7).map { weekday in
            try result("", trainingsAt: nights.filter { CalendarTime($0).weekday == weekday })
        }
        return [
            try result("daily at 02:00", trainingsAt: nights),
            Self.mean(of: weekly, name: "weekly at 02:00 (mean of 7 weekdays)"),
            try result("never", trainingsAt: []),
        ]
    }

    /// Serves the whole story, refitting at the given times on the data that the topics held then.
    func result(_ name: String, trainingsAt times: [Milliseconds]) throws -> Result {
        var ledger = AccuracyLedger()
        var model = first
        var due = times.sorted()[...]
        var previous = world.values(tick: world.tick(at: timeline.servedFrom) - 1)
        for tick in world.tick(at: timeline.servedFrom)..<world.tick(at: timeline.end) {
            let now = world.time(ofTick: tick)
            let values = world.values(tick: tick)
            ledger.observed(values, at: now)
            let ahead = World.step * Int64(model.settings.horizonTicks)
            ledger.predicted(model.predict(issuedAt: now, last: values, previous: previous), for: now + ahead)
            previous = values
            if let time = due.first, now >= time {
                due.removeFirst()
                let from = max(timeline.historyStart, now - 30 * .day)
                model = try Forecaster.train(
                    on: world.table(ticks: world.tick(at: from)..<(tick + 1)), version: "fixed",
                    settings: model.settings)
            }
        }
        return Result(
            name: name, trainings: Double(times.count),
            meanError: ledger.meanError(from: timeline.servedFrom, to: timeline.end) ?? .nan,
            meanErrorAfterChange: ledger.meanError(from: timeline.changeAt, to: timeline.end) ?? .nan,
            trainingsInHighLoad: Double(times.count { isHighLoad(at: $0) }))
    }

    /// Whether the load was above the 75th percentile of the 14 days before.
    func isHighLoad(at time: Milliseconds) -> Bool {
        let tick = world.tick(at: time)
        let before = max(0, tick - Int(14 * .day / World.step))..<tick
        let sorted = before.map { world.load(tick: $0) }.sorted()
        guard !sorted.isEmpty else { return false }
        return world.load(tick: tick) > sorted[Int(0.75 * Double(sorted.count))]
    }

    static func mean(of results: [Result], name: String) -> Result {
        func mean(_ value: (Result) -> Double) -> Double {
            results.reduce(0) { $0 + value($1) } / Double(results.count)
        }
        return Result(
            name: name, trainings: mean(\.trainings), meanError: mean(\.meanError),
            meanErrorAfterChange: mean(\.meanErrorAfterChange), trainingsInHighLoad: mean(\.trainingsInHighLoad))
    }
}
