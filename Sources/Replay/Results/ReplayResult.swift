package import Retraining

/// All that the reports of a replay show.
package struct ReplayResult: Sendable {
    /// One way of choosing training times, and what it gave.
    package struct Schedule: Sendable {
        package var name: String
        /// Over all models.
        package var trainings: Int
        /// In an hour whose load lies above the 75th percentile of the 14 days before; nil where no load is known.
        package var inHighLoad: Int?
        package var rollbacks: Int?
        /// Means over models; nil where the history does not say what another training would have forecast.
        package var wape: Double?
        package var mape: Double?
        /// WAPE over that of daily retraining: geometric mean over models, and the worst one.
        package var againstDaily: Double?
        package var worstAgainstDaily: Double?
        package var isPolicy = false

        package init(
            name: String, trainings: Int, inHighLoad: Int?, wape: Double? = nil, mape: Double? = nil,
            againstDaily: Double? = nil, worstAgainstDaily: Double? = nil
        ) {
            self.name = name
            self.trainings = trainings
            self.inHighLoad = inHighLoad
            self.wape = wape
            self.mape = mape
            self.againstDaily = againstDaily
            self.worstAgainstDaily = worstAgainstDaily
        }
    }

    /// One configuration of a sweep.
    package struct FrontierPoint: Sendable {
        package var settings: [String]
        package var trainings: Double
        /// WAPE against daily retraining in a closed loop, else the mean error that was measured.
        package var error: Double
        package var inHighLoad: Int
        package var isCurrent: Bool
        /// Whether no other one has both fewer trainings and a smaller error.
        package var isOnFrontier = false
    }

    package var source: String
    package var configuration: EngineConfiguration
    package var fingerprint: String
    /// Whether trainings changed what was forecast from then on.
    package var isClosedLoop: Bool
    package var collector: ResultCollector
    package var schedules: [Schedule] = []
    package var frontier: [FrontierPoint] = []
    package var findings = SourceFindings()
    /// Of one training, in `currency`; nil counts trainings only.
    package var price: Double?
    package var currency = ""
    package var seconds = 0.0
    package var notes: [String] = []

    package init(
        source: String, configuration: EngineConfiguration, fingerprint: String, isClosedLoop: Bool,
        collector: ResultCollector
    ) {
        self.source = source
        self.configuration = configuration
        self.fingerprint = fingerprint
        self.isClosedLoop = isClosedLoop
        self.collector = collector
    }

    package var models: [ModelTrace] { collector.traces.values.sorted { $0.model < $1.model } }
    package var trainings: [ModelTrace.Training] { models.flatMap(\.trainings) }

    /// Days of history that decisions were taken in, over the longest-lived model.
    package var days: Double {
        models.compactMap { trace in trace.first.flatMap { from in trace.last.map { Double($0 - from) } } }
            .max().map { $0 / Double(Milliseconds.day) } ?? 0
    }

    /// How much larger the policy's WAPE is than that of the oracle; nil where forecasts of the candidates are not known.
    package var regret: Double? {
        guard let own = schedules.first(where: { $0.isPolicy })?.wape,
            let best = schedules.last(where: { $0.name.hasPrefix("oracle") })?.wape, best > 0
        else { return nil }
        return own / best - 1
    }

    package func cost(of trainings: Int) -> String? {
        price.map { "\(Figures.money(Double(trainings) * $0)) \(currency)" }
    }
}

/// What fixed schedules would have trained, where the history does not say what that would have forecast.
package enum FixedSchedules {
    package static let all: [(name: String, days: Int?)] = [
        ("never", nil), ("daily", 1), ("every 2 days", 2), ("weekly", 7), ("monthly (30 days)", 30),
    ]

    /// Counts over the models' own stretches of time, at the given hour (UTC) of the day.
    package static func counted(_ models: [ModelTrace], hour: Int) -> [ReplayResult.Schedule] {
        let loads = models.map { LoadLookup($0.points) }
        return all.map { name, days in
            var (trainings, high) = (0, 0)
            var knowsLoad = false
            for (model, load) in zip(models, loads) {
                guard let days, let first = model.first, let last = model.last else { continue }
                knowsLoad = knowsLoad || !load.isEmpty
                let start = first.floored(to: .day) + Int64(hour) * .hour + Int64(days) * .day
                for time in stride(from: start, through: last, by: days * Int(Milliseconds.day)) {
                    trainings += 1
                    if load.isHigh(time) { high += 1 }
                }
            }
            return ReplayResult.Schedule(name: name, trainings: trainings, inHighLoad: knowsLoad ? high : nil)
        }
    }

    /// Loads of the points of a trace, and whether one is above the 75th percentile of the 14 days before.
    private struct LoadLookup {
        private let loads: [(at: Milliseconds, load: Double)]
        var isEmpty: Bool { loads.isEmpty }

        init(_ points: [ModelTrace.Point]) { loads = points.compactMap { point in point.load.map { (point.at, $0) } } }

        func isHigh(_ time: Milliseconds) -> Bool {
            guard let index = loads.lastIndex(where: { $0.at <= time }), loads[index].at > time - 6 * .hour else {
                return false
            }
            let before = loads[..<index].reversed().prefix { $0.at >= time - 14 * .day }.map(\.load).sorted()
            guard !before.isEmpty else { return false }
            return loads[index].load > before[Int(0.75 * Double(before.count))]
        }
    }
}
