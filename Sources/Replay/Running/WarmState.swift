package import Retraining
import Synchronization

/// What a fresh deployment begins with: windows, baselines and load profile of a history, without its positions.
package struct WarmState: Sendable {
    /// The units of the engine's state.
    package var units: [(key: String, bytes: [UInt8])]
    package var models: Int
    /// The last boundary that was evaluated.
    package var upTo: Milliseconds

    /// Takes one engine a share of the models through a history, without triggering anything, over one read.
    ///
    /// - Parameter shares: nil is all models.
    /// - Throws: `ReplayError` where the history crosses no boundary.
    package static func read(
        _ source: any HistorySource, configuration: EngineConfiguration, shares: [ModelShare?] = [nil]
    ) throws -> [WarmState] {
        let states = Mutex<[Int: WarmState]>([:])
        let jobs = shares.map { share in
            var options = Replayer.Options(decidesFrom: .max)
            options.share = share
            return StreamReplay.Job(configuration: configuration, options: options)
        }
        _ = try StreamReplay.run(
            source, jobs: jobs,
            finish: { index, engine in
                guard let boundary = engine.lastBoundary else { return }
                engine.releaseLanes()
                let state = WarmState(
                    units: engine.stateUnits().map { ($0.key, engine.encode($0)) }, models: engine.modelCount,
                    upTo: boundary)
                states.withLock { $0[index] = state }
            })
        return try states.withLock { states in
            try shares.indices.map { index in
                guard let state = states[index] else {
                    throw ReplayError(
                        "the history crosses no boundary of drift_check_interval_mins: there is nothing to begin with")
                }
                return state
            }
        }
    }
}
