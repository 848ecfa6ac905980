import Foundation
import Synchronization
package import Retraining

/// A recorded set under the policy and under everything that it is compared with.
package struct SetReplay: Sendable {
    package let set: RecordedSet
    /// Hour of the day (UTC) at which fixed schedules train.
    package var scheduleHour = 0

    package init(_ set: RecordedSet, scheduleHour: Int = 0) {
        self.set = set
        self.scheduleHour = scheduleHour
    }

    /// What one entity got under one configuration.
    package struct Outcome: Sendable {
        package var trainings: [ClosedLoopRun.Training]
        package var rollbacks: [Milliseconds]
        package var wape: Double?
        package var mape: Double?
        package var inHighLoad: Int
        package var collector: ResultCollector
    }

    /// A configuration over all entities.
    package struct Total: Sendable {
        package var outcomes: [Outcome]

        package var trainings: Int { outcomes.reduce(0) { $0 + $1.trainings.count } }
        package var inHighLoad: Int { outcomes.reduce(0) { $0 + $1.inHighLoad } }
        package var collector: ResultCollector {
            outcomes.dropFirst().reduce(into: outcomes[0].collector) { $0.merge($1.collector) }
        }
    }

    /// Runs every configuration over every entity, as many at once as there are cores.
    ///
    /// - Parameters:
    ///   - isSerial: one after the other, in order: for writing decisions down.
    ///   - note: is given entity, hour and effects.
    package func run(
        _ configurations: [EngineConfiguration], isSerial: Bool = false, progress: @escaping @Sendable () -> Void = {},
        note: @escaping @Sendable (_ configuration: Int, _ effects: [Effect]) -> Bool = { _, _ in true }
    ) -> [Total] {
        let jobs = configurations.indices.flatMap { index in set.entities.map { (index, $0) } }
        let results = Mutex<[Outcome?]>(Array(repeating: nil, count: jobs.count))
        let prepared = configurations.map(ClosedLoopShell.configuration)
        @Sendable func perform(_ job: Int) {
            let (index, entity) = jobs[job]
            let outcome = Self.outcome(entity, prepared[index], isDrawn: index == 0) { note(index, $0) }
            results.withLock { $0[job] = outcome }
            progress()
        }
        if isSerial {
            for job in jobs.indices { perform(job) }
        } else {
            DispatchQueue.concurrentPerform(iterations: jobs.count) { perform($0) }
        }
        let all = results.withLock { $0.map { $0! } }
        let count = set.entities.count
        return configurations.indices.map { Total(outcomes: Array(all[$0 * count..<($0 + 1) * count])) }
    }

    package static func outcome(
        _ entity: RecordedEntity, _ configuration: EngineConfiguration, isDrawn: Bool = true, note: ([Effect]) -> Bool
    ) -> Outcome {
        var run = ClosedLoopRun(entity, configuration: configuration)
        var collector = ResultCollector(configuration: configuration, isDrawn: isDrawn)
        run.run { hour, effects, _ in
            collector.note(effects, at: hour)
            return note(effects)
        }
        let score = ServedScore(entity: entity)
        return Outcome(
            trainings: run.trainings, rollbacks: run.rollbacks, wape: score.wape(run.columns),
            mape: score.mape(run.columns), inHighLoad: score.highLoad(run.trainings.map(\.at)), collector: collector)
    }

    // MARK: Comparison

    /// The policy, fixed schedules, and the oracle with as many trainings an entity as the policy took.
    package func schedules(_ policy: Total) -> [ReplayResult.Schedule] {
        let names = FixedSchedules.all
        let results = Mutex<[[Line]]>(Array(repeating: [], count: set.entities.count))
        let hour = scheduleHour
        let entities = set.entities
        let counts = policy.outcomes.map(\.trainings.count)
        DispatchQueue.concurrentPerform(iterations: entities.count) { index in
            let score = ServedScore(entity: entities[index])
            var lines = names.map { _, days in
                let (columns, trainings) = score.fixed(everyDays: days, hour: hour)
                return Line(score, columns, trainings)
            }
            if let best = Oracle(entities[index]).choices(upTo: counts[index]).last {
                lines.append(Line(score, score.columns(trainingsAt: best.trainings).columns, best.trainings))
            }
            results.withLock { $0[index] = lines }
        }
        let all = results.withLock { $0 }
        let daily = all.map { $0[1].wape }
        var schedules = [
            Self.schedule(
                "this policy", policy.outcomes.map { Line($0.trainings.count, $0.inHighLoad, $0.wape, $0.mape) }, daily)
        ]
        schedules[0].rollbacks = policy.outcomes.reduce(0) { $0 + $1.rollbacks.count }
        schedules[0].isPolicy = true
        for (place, name) in (names.map(\.name) + ["oracle, as many trainings"]).enumerated() {
            schedules.append(Self.schedule(name, all.compactMap { place < $0.count ? $0[place] : nil }, daily))
        }
        return schedules
    }

    private struct Line: Sendable {
        var trainings: Int
        var inHighLoad: Int
        var wape: Double?
        var mape: Double?

        init(_ trainings: Int, _ inHighLoad: Int, _ wape: Double?, _ mape: Double?) {
            (self.trainings, self.inHighLoad, self.wape, self.mape) = (trainings, inHighLoad, wape, mape)
        }

        init(_ score: ServedScore, _ columns: ServedScore.Columns, _ times: [Milliseconds]) {
            self.init(times.count, score.highLoad(times), score.wape(columns), score.mape(columns))
        }
    }

    private static func schedule(_ name: String, _ lines: [Line], _ daily: [Double?]) -> ReplayResult.Schedule {
        func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }
        let ratios = zip(lines, daily).compactMap { line, daily in
            line.wape.flatMap { wape in daily.map { wape / $0 } }
        }
        return ReplayResult.Schedule(
            name: name, trainings: lines.reduce(0) { $0 + $1.trainings },
            inHighLoad: lines.reduce(0) { $0 + $1.inHighLoad }, wape: mean(lines.compactMap(\.wape)),
            mape: mean(lines.compactMap(\.mape)), againstDaily: geometricMean(ratios),
            worstAgainstDaily: ratios.max())
    }

    /// Of positive numbers.
    static func geometricMean(_ values: [Double]) -> Double? {
        guard !values.isEmpty, values.allSatisfy({ $0 > 0 }) else { return nil }
        return exp(values.reduce(0) { $0 + log($1) } / Double(values.count))
    }

    /// WAPE over daily retraining's: geometric mean over entities.
    package func againstDaily(_ total: Total) -> Double? {
        let ratios = zip(total.outcomes, set.entities).compactMap { outcome, entity -> Double? in
            let score = ServedScore(entity: entity)
            guard let wape = outcome.wape, let daily = score.wape(score.fixed(everyDays: 1).columns) else { return nil }
            return wape / daily
        }
        return Self.geometricMean(ratios)
    }
}
