extension Engine {
    /// Whether it is this model's turn to start, by the adaptive quiet rule.
    ///
    /// Many models that share a pool find the same quiet hour. Each starts in one part of it only, by the hash of its
    /// name, so that the trainers are not asked for all at once; a worker of one model never waits. Only the latest
    /// boundary crossed is evaluated: the turns of those that were passed over come with it.
    func isTurn(of model: ModelState, _ round: Round) -> Bool {
        let turns = Int64(turnsAnHour)
        let interval = configuration.drift.checkInterval
        let passed = round.previousBoundary.map { (round.boundary - $0) / interval } ?? turns
        let turn = round.boundary.flooredDivision(by: interval) - Int64(modelNames.hash(model.number) % UInt64(turns))
        return (turn % turns + turns) % turns < passed
    }

    /// One an evaluation, and no more than there are models.
    var turnsAnHour: Int {
        max(1, min(modelsByName.count, Int(.hour / configuration.drift.checkInterval)))
    }

    /// The least busy window of the coming 24 hours for a pool of machines, as a training would be planned now.
    ///
    /// - Parameter now: the last boundary evaluated, or a time after it.
    public func quietPlan(pool: String, at now: Milliseconds) -> QuietWindow? {
        let monitor = poolNames.find(pool).flatMap { pools[$0] } ?? everything
        return planner.bestWindow(planner.outlook(monitor, now: now, live: liveScore(monitor, now)))
    }
}
