import Contracts
import Retraining

/// What a worker counts about itself. On the worker's thread only: nothing is locked, and nothing is done for a record
/// that is taken.
final class WorkerTally {
    private(set) var rejects: [WorkerObservation.Rejects: UInt64] = [:]
    private(set) var decisions: [Reason: UInt64] = [:]
    private(set) var requests: [Reason: UInt64] = [:]
    private(set) var resentRequests: UInt64 = 0
    private(set) var alerts: [WorkerObservation.Alerts: UInt64] = [:]
    private(set) var verdicts: [Verdict.Outcome: UInt64] = [:]
    var checkpoints = CheckpointTally()
    var restores = RestoreTally()
    /// When the restore that is under way began; monotonic.
    var restoringSince: Milliseconds?
    private var counters = EngineCounters()
    /// What each task's engine had counted when it was last looked at.
    private var seen: [ObjectIdentifier: EngineCounters] = [:]

    func countReject(_ role: InputRole, _ reason: String) {
        rejects[.init(role: role, reason: reason), default: 0] += 1
    }

    func count(_ effect: Effect) {
        switch effect {
        case .decision(let decision): decisions[decision.reason, default: 0] += 1
        case .request(let request):
            if request.attempt == 1 {
                requests[request.reason, default: 0] += 1
            } else {
                resentRequests += 1
            }
        case .alert(let alert): alerts[.init(kind: alert.kind, state: alert.state), default: 0] += 1
        case .verdict(let verdict): verdicts[verdict.outcome, default: 0] += 1
        }
    }

    /// Adds what the engines have counted since the last time. What a restore counts again does not count.
    func counters(of tasks: some Collection<ActiveTask>) -> EngineCounters {
        var current: [ObjectIdentifier: EngineCounters] = [:]
        for task in tasks where task.isLive {
            let id = ObjectIdentifier(task.engine)
            let now = task.engine.counters
            counters.add(now, minus: seen[id] ?? task.countedBefore)
            current[id] = now
        }
        seen = current
        return counters
    }
}
