@testable import Retraining

/// Hourly pairs of one model whose actuals follow the day and the week, with the default configuration.
struct CalibratedStream {
    let harness: EngineHarness
    private(set) var hour: Int64 = 0
    let start = monday

    init(_ change: (inout EngineConfiguration) -> Void = { _ in }) {
        var configuration = EngineConfiguration()
        configuration.drift.checkInterval = .hour
        configuration.safeguards.maximumTriggerLag = nil
        change(&configuration)
        harness = EngineHarness(configuration)
    }

    /// Goes on with an engine that has seen the hours before this one.
    init(going harness: EngineHarness, from hour: Int64) {
        self.harness = harness
        self.hour = hour
    }

    var now: Milliseconds { start + hour * .hour }

    /// 20 by night, 60 by day, half as much at weekends, and a ripple that repeats after a prime number of hours.
    static func level(_ hour: Int64) -> Double {
        let isDay = (8..<18).contains(hour % 24)
        let ripple = Double(hour * 7919 % 101) / 101
        let base: Double = isDay ? 60 : 20
        let share: Double = hour / 24 % 7 < 5 ? 1 : 0.5
        return base * share + 4 * ripple
    }

    /// Feeds an hour and evaluates at its end: the actual of now, and a forecast for the next hour.
    ///
    /// - Parameters:
    ///   - forecast: of the level of an hour, by the version in service.
    ///   - shadow: a replaced version that goes on predicting, from another server: its clock is `behind`.
    @discardableResult
    mutating func step(
        version: String? = "v1", shadow: String? = nil, behind: Milliseconds = 0, level: (Int64) -> Double = Self.level,
        shadowForecast: ((Int64) -> Double)? = nil, forecast: ((Int64) -> Double)? = nil
    ) -> [Effect] {
        let next = hour + 1
        let ahead = forecast?(next) ?? level(next) + Double(next * 104_729 % 13) / 6 - 1
        harness.feed(.actual(at: now, ["x": level(hour)], time: now))
        harness.feed(
            .prediction(version: version ?? "", at: now + .hour, issuedAt: now, ["x": ahead], time: now))
        if let shadow, let shadowForecast {
            harness.feed(
                .prediction(
                    version: shadow, at: now + .hour, issuedAt: now + behind, isShadow: true,
                    ["x": shadowForecast(next)], time: now))
        }
        harness.feed(.load(cpu: 20, time: now))
        hour += 1
        return harness.evaluate(now)
    }

    /// An hour in which nothing but load comes in.
    mutating func skip() -> [Effect] {
        harness.feed(.load(cpu: 20, time: now))
        hour += 1
        return harness.evaluate(now)
    }

    mutating func run(hours: Int64) { for _ in 0..<hours { step() } }
}
