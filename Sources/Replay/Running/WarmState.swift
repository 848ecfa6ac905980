package import Retraining

/// What a fresh deployment begins with: windows, baselines and load profile of a history, without its positions.
package struct WarmState {
    /// The units of the engine's state.
    package let units: [(key: String, bytes: [UInt8])]
    package let models: Int
    /// The last boundary that was evaluated.
    package let upTo: Milliseconds

    /// Takes an engine through a history without triggering anything.
    ///
    /// - Throws: `ReplayError` where the history crosses no boundary.
    package init(_ source: any HistorySource, configuration: EngineConfiguration) throws {
        var engine: Engine?
        _ = try StreamReplay.run(
            source, [configuration], options: Replayer.Options(decidesFrom: .max),
            note: { evaluation in
                engine = evaluation.engine
                return true
            })
        guard let engine, let boundary = engine.lastBoundary else {
            throw ReplayError(
                "the history crosses no boundary of drift_check_interval_mins: there is nothing to begin with")
        }
        engine.releaseLanes()
        units = engine.stateUnits().map { ($0.key, engine.encode($0)) }
        models = engine.modelCount
        upTo = boundary
    }
}
