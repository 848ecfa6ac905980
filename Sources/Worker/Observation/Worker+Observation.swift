import Kafka
import Retraining

extension Worker {
    static let observationInterval: Milliseconds = 1_000
    /// How often librdkafka tells how far its partitions reach.
    static let statisticsInterval: Milliseconds = 5_000

    /// Tells how the worker is, once a second.
    func observe() {
        guard let onObservation = listeners.onObservation else { return }
        let now = environment.monotonicClock()
        noteRestored(now)
        guard now - lastObservation >= Self.observationInterval else { return }
        lastObservation = now
        onObservation(observation())
    }

    var observedPhase: WorkerStatus.Phase {
        switch phase {
        case .standingBy: .standingBy
        case .restoring: .restoring
        case .working: .working
        }
    }

    private func noteRestored(_ now: Milliseconds) {
        guard let since = tally.restoringSince, isReady else { return }
        tally.restoringSince = nil
        tally.restores.count += 1
        tally.restores.lastDuration = now - since
    }

    private func observation() -> WorkerObservation {
        var observation = WorkerObservation()
        observation.phase = observedPhase
        observation.isReady = isReady
        observation.at = environment.wallClock()
        observation.tasks = tasks.count
        observation.isCaughtUp = isReady && tasks.values.allSatisfy(\.isCaughtUp)
        observation.counters = tally.counters(of: tasks.values)
        observation.rejects = tally.rejects
        observation.decisions = tally.decisions
        observation.requests = tally.requests
        observation.resentRequests = tally.resentRequests
        observation.alerts = tally.alerts
        observation.verdicts = tally.verdicts
        observation.checkpoints = tally.checkpoints
        observation.restores = tally.restores
        for task in tasks.values {
            let engine = task.engine
            observation.streamTime = earlier(observation.streamTime, engine.streamTime)
            observation.lastBoundary = earlier(observation.lastBoundary, engine.lastBoundary)
            observation.entities += engine.entityCount
            observation.retainedHalves += engine.retainedHalves
            observation.models.append(task.observedModels)
            for input in task.inputs {
                let next = engine.nextOffset(lane: input.lane)
                observation.positions[input.partition] = min(observation.positions[input.partition] ?? next, next)
            }
        }
        return observation
    }

    private func earlier(_ first: Milliseconds?, _ second: Milliseconds?) -> Milliseconds? {
        guard let first, let second else { return first ?? second }
        return min(first, second)
    }
}

extension ActiveTask {
    /// Keeps what the last decision about each model knew. A model that is decided about no more was forgotten.
    func observe(_ decision: Decision) {
        if let boundary = observedBoundary, boundary < decision.evaluatedAt {
            observedModels = observedModels.filter { $0.value.evaluatedAt >= boundary }
        }
        observedBoundary = decision.evaluatedAt
        observedModels[decision.model] = ModelObservation(decision, options.engine)
    }
}
