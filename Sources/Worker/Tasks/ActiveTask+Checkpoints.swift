import Retraining
import StateRecords

extension ActiveTask {
    /// Whether a checkpoint would say anything that the last one did not.
    var hasAnythingToCommit: Bool {
        guard isLive else { return !pending.isEmpty }
        return !pending.isEmpty || checkpoints.hasFreshCuts || checkpoints.isWritingSnapshot || wantsSnapshot
            || inputs.contains { engine.nextOffset(lane: $0.lane) > $0.committed }
    }

    /// What was prepared is in the log.
    func didCommit(_ committed: TaskCheckpoints, _ position: PositionRecord) {
        checkpoints = committed
        for (input, stands) in zip(inputs, position.inputs) { input.committed = stands.next }
        pending.removeAll(keepingCapacity: true)
        pendingBytes = 0
        hasNews = false
    }

    func takeDecisions() -> [(json: [UInt8], at: Milliseconds)] {
        defer { pendingDecisions.removeAll(keepingCapacity: true) }
        return pendingDecisions
    }

    func takeAlerts() -> [Alert] {
        defer { pendingAlerts.removeAll() }
        return pendingAlerts
    }

    /// For a test that wants to see whether this is noticed.
    func dropPending() {
        pending.removeAll()
        pendingBytes = 0
    }
}
