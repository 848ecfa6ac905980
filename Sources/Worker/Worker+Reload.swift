import Kafka
import Logging
import Retraining

// A changed configuration.
extension Worker {
    /// Nothing more is done by the old options.
    var waitsForReload: Bool {
        awaitsGroup == nil && tasks.values.allSatisfy(\.isLive) && requestedOptions.withLock { $0 != nil }
    }

    /// Takes up a changed configuration, and the present one after a restore did evaluations again by an older one.
    ///
    /// The log stays exact: a snapshot of the last evaluation ends what was decided by the old configuration, and the
    /// engine is restored from it under the new one, the same way as after a restart. Every evaluation in the log behind
    /// a snapshot was made by the configuration whose text lies beside it.
    func reloadIfAsked(_ consumer: any ConsumerClient) {
        guard case .working = phase, awaitsGroup == nil, failure == nil, tasks.values.allSatisfy(\.isLive) else {
            return
        }
        let asked = requestedOptions.withLock { $0 }
        guard asked != nil || tasks.values.contains(where: \.usesOlderConfiguration) else { return }
        guard writeSnapshots(within: 30_000) else { return }
        if let asked {
            options = asked
            // A later wish stays.
            requestedOptions.withLock { if $0?.engine.fingerprint == asked.engine.fingerprint { $0 = nil } }
        }
        logger.notice("configuration \(options.engine.fingerprint) from the next decision on")
        restore(Array(tasks.keys), consumer)
        listeners.onConfiguration?(options)
    }

    /// With nothing at work there is nothing to finish; what waited in memory is read from the log again.
    func takeRequestedOptions() {
        guard let asked = requestedOptions.withLock({ $0.take() }) else { return }
        options = asked
        drop(parked: Array(parked.keys))
        listeners.onConfiguration?(options)
    }

    /// Publishes what is there with a snapshot of every task; false where that did not succeed.
    func writeSnapshots(within patience: Milliseconds) -> Bool {
        for task in tasks.values { task.wantsSnapshot = task.isLive }
        let deadline = environment.monotonicClock() + patience
        repeat {
            checkpoint()
        } while failure == nil && awaitsGroup == nil
            && tasks.values.contains(where: { $0.checkpoints.isWritingSnapshot })
            && environment.monotonicClock() < deadline
        guard case .working = phase, failure == nil, awaitsGroup == nil else { return false }
        return !tasks.values.contains { $0.checkpoints.isWritingSnapshot }
    }
}
