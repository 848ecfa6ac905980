import Kafka
import Retraining

/// Publishes the simulated servers: what was forecast, what happened, how busy they are.
struct ServerFeed {
    static let model = "server-monitor"
    static let metrics = ServerMetric.all.map(\.name)

    let world: World
    let publisher: RecordPublisher

    /// What the serving version predicts for one server. It was served before its forecasts went over a topic.
    private var predictionsPerSecond: Double {
        (Double(world.metricCount) * 1000 / Double(World.step)).roundedToFourDigits
    }

    /// Actuals and load of one tick, as they were on the topics before anybody forecast.
    func publishHistory(tick: Int) throws(KafkaError) {
        let now = world.time(ofTick: tick)
        for (server, name) in world.servers.enumerated() {
            try publisher.load(
                pool: nil, entity: name, at: now, cpuPercent: world.cpuPercent(tick: tick, server: server),
                predictionsPerSecond: predictionsPerSecond)
            try publisher.actual(
                model: Self.model, entity: name, at: now, values: named(world.values(tick: tick, server: server)))
        }
    }

    /// One tick of the served story.
    ///
    /// - Returns: what the serving version forecasts, series by series.
    func publish(tick: Int, deployment: Deployment<Forecaster>) throws(KafkaError) -> [Double] {
        try publishHistory(tick: tick)
        let served = try publishForecasts(of: deployment.serving, tick: tick, isShadow: false)
        if let shadow = deployment.shadow {
            _ = try publishForecasts(of: shadow.model, tick: tick, isShadow: true)
        }
        try publisher.push()
        return served
    }

    private func publishForecasts(
        of model: Forecaster, tick: Int, isShadow: Bool
    ) throws(KafkaError) -> [Double] {
        let now = world.time(ofTick: tick)
        let predicted = model.predict(
            issuedAt: now, last: world.values(tick: tick), previous: world.values(tick: tick - 1))
        let at = now + World.step * Int64(model.settings.horizonTicks)
        for (server, name) in world.servers.enumerated() {
            let first = server * world.metricCount
            try publisher.prediction(
                model: Self.model, version: model.version, entity: name, at: at, issuedAt: now, isShadow: isShadow,
                values: named(predicted[first..<(first + world.metricCount)]))
        }
        return predicted
    }

    private func named(_ values: ArraySlice<Double>) -> [(name: String, value: Double)] {
        zip(Self.metrics, values).map { (name: $0, value: $1) }
    }
}
