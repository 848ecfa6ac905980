package import Retraining

/// A recorded entity under the engine: what its trainings achieved, by the rules of the sets' own evaluator.
///
/// A training asked for at hour t uses data up to the last midnight (UTC) and serves from t + 1 h. The replaced version
/// goes on predicting for 72 h, and only then can a roll-back put it back. Nothing is asked for in the last 24 hours.
package struct ClosedLoopRun {
    package static let shadow: Milliseconds = 72 * .hour

    package struct Training: Sendable, Equatable {
        package var at: Milliseconds
        package var version: String
    }

    private struct Pending {
        var at: Milliseconds
        var column: Int
        var isRollback: Bool
    }

    package let entity: RecordedEntity
    /// Which stored model served, by hour from `servedFrom` on.
    package private(set) var columns: ServedScore.Columns = []
    package private(set) var trainings: [Training] = []
    package private(set) var rollbacks: [Milliseconds] = []
    private var shell: ClosedLoopShell
    private var serving = 0
    private var previous: Int?
    private var previousUntil: Milliseconds = .min
    private var pending: Pending?
    private var nextLoad = 0

    package init(_ entity: RecordedEntity, configuration: EngineConfiguration) {
        self.entity = entity
        shell = ClosedLoopShell(configuration: configuration)
    }

    /// Runs all hours.
    ///
    /// - Parameter note: is given each hour, the effects of its evaluation, and the shell as it then was; false ends the
    ///   run.
    package mutating func run(_ note: (Milliseconds, [Effect], ClosedLoopShell) -> Bool) {
        var columns: ServedScore.Columns = []
        for hour in stride(from: entity.start, through: entity.end, by: Int(RecordedEntity.step)) {
            deploy(at: hour)
            feed(hour)
            if hour >= entity.servedFrom { columns.append(serving) }
            var goesOn = true
            var effects: [Effect] = []
            let wishes = shell.tick(at: hour) { effects = $0 }
            goesOn = note(hour, effects, shell)
            guard goesOn else { break }
            take(wishes, at: hour)
        }
        self.columns = columns
    }

    private mutating func deploy(at hour: Milliseconds) {
        if hour >= previousUntil { previous = nil }
        guard let due = pending, hour >= due.at else { return }
        if due.isRollback {
            previous = nil
        } else {
            previous = serving != due.column ? serving : nil
        }
        serving = due.column
        previousUntil = hour + Self.shadow
        pending = nil
        if !due.isRollback {
            shell.deployed(entity: entity.name, version: entity.modelNames[serving], at: hour)
        }
    }

    private mutating func feed(_ hour: Milliseconds) {
        while nextLoad < entity.load.count, entity.load[nextLoad].time < hour + .hour {
            let sample = entity.load[nextLoad]
            shell.load(entity: entity.name, column: entity.loadColumn, value: sample.value, at: sample.time)
            nextLoad += 1
        }
        if let values = entity.actuals(at: hour) {
            for (metric, value) in zip(entity.metrics, values) where value.isFinite {
                shell.observe(entity: entity.name, metric: metric, value: value, at: hour)
            }
        }
        for stored in entity.forecasts[hour] ?? [] {
            guard let value = entity.served(stored, column: serving) else { continue }
            let target = hour + Int64(stored.horizonHours) * .hour
            let metric = entity.metrics[stored.metric]
            shell.predict(
                entity: entity.name, version: entity.modelNames[serving], metric: metric, value: value, at: target,
                issuedAt: hour, isShadow: false)
            if let previous, previous < stored.values.count, stored.values[previous].isFinite {
                shell.predict(
                    entity: entity.name, version: entity.modelNames[previous], metric: metric,
                    value: stored.values[previous], at: target, issuedAt: hour, isShadow: true)
            }
        }
    }

    private mutating func take(_ wishes: [ClosedLoopShell.Wish], at hour: Milliseconds) {
        var (wants, back) = (false, false)
        for wish in wishes {
            switch wish {
            case .retrain: wants = true
            case .rollBack: back = true
            }
        }
        if wants, hour >= entity.servedFrom, hour <= entity.end - 24 * .hour {
            let column = entity.newestModel(at: hour)
            trainings.append(Training(at: hour, version: entity.modelNames[column]))
            pending = Pending(at: hour + .hour, column: column, isRollback: false)
        } else if back, let previous, pending == nil {
            rollbacks.append(hour)
            pending = Pending(at: hour + .hour, column: previous, isRollback: true)
        }
    }
}
