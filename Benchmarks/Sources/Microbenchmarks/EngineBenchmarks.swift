import Retraining

/// The engine: collecting rows, joining them at an evaluation, and deciding.
enum EngineBenchmarks {
    static var all: [Benchmark] {
        [
            collect(series: 500), collect(series: 5_000), intervals(series: 500), intervals(series: 5_000),
            intervals(series: 100_000), intervals(series: 20, metrics: 14),
            intervals(series: 100, metrics: 14),
            evaluation(window: 100, baseline: 500), evaluation(window: 1_000, baseline: 10_000), tick,
            state(writes: true), state(writes: false),
        ]
    }

    /// Messages only: names become numbers, rows are put by.
    private static func collect(series: Int) -> Benchmark {
        Benchmark(
            name: "collect, \(series) series", operation: "message",
            countedOperations: series <= 500 ? 4 * 2 * series : nil,
            prepare: {
                let feed = warm(series: series, metrics: 1)
                return { count in
                    var taken = 0.0
                    // Rounded to whole rounds over all series; an evaluation, not counted, takes the rows away.
                    for round in 0..<max(1, count / (2 * series)) {
                        taken += seconds { feed.collect() }
                        feed.advance(by: .minute)
                        if round % 5 == 4 {
                            feed.advance(by: 5 * .minute - feed.now % (5 * .minute))
                            use(feed.evaluate())
                        }
                    }
                    return taken * Double(count) / Double(max(1, count / (2 * series)) * 2 * series)
                }
            })
    }

    /// Join, windows and skill of an interval's messages, and the decisions about four models.
    private static func intervals(series: Int, metrics: Int = 1) -> Benchmark {
        Benchmark(
            name: "join and apply, \(series) series × \(metrics)", operation: "message",
            countedOperations: series <= 20 || series == 500 ? 5 * 2 * series : nil,
            prepare: {
                let feed = warm(series: series, metrics: metrics)
                return { count in
                    var taken = 0.0
                    let rounds = max(1, count / (5 * 2 * series))
                    for _ in 0..<rounds {
                        for _ in 0..<5 {
                            feed.collect()
                            feed.advance(by: .minute)
                        }
                        taken += seconds { use(feed.evaluate()) }
                    }
                    return taken * Double(count) / Double(rounds * 5 * 2 * series)
                }
            })
    }

    /// Past the first pairs, with halves retained as they are in service.
    private static func warm(series: Int, metrics: Int) -> EngineFeed {
        let feed = EngineFeed(
            EngineConfiguration(), models: 4, entities: series, metrics: metrics, horizon: 15 * .minute)
        for _ in 0..<6 {
            for _ in 0..<5 {
                feed.collect()
                feed.advance(by: .minute)
            }
            use(feed.evaluate())
        }
        return feed
    }

    /// One model, 14 metrics, full windows and baselines, calibrated: everything that a decision asks.
    private static func evaluation(window: Int, baseline: Int) -> Benchmark {
        let isSmall = window < 1_000
        return Benchmark(
            name: "evaluate 14 × \(window) v \(baseline)", operation: "evaluation", bar: isSmall ? "" : "≤ 0.4 ms",
            countedOperations: isSmall ? 10 : nil,
            prepare: {
                var configuration = EngineConfiguration()
                configuration.drift.windowSize = window
                configuration.drift.baselineSize = baseline
                let start: Milliseconds = 1_728_864_000_000
                let feed = EngineFeed(configuration, models: 1, entities: 1, metrics: 14, horizon: .hour, start: start)
                while feed.now < start + 8 * .day {
                    feed.collect()
                    feed.advance(by: isSmall ? 15 * .minute : .minute)
                    if feed.now % .hour == 0 { use(feed.evaluate()) }
                }
                return { count in
                    var taken = 0.0
                    for _ in 0..<count {
                        for _ in 0..<5 {
                            feed.collect()
                            feed.advance(by: .minute)
                        }
                        taken += seconds { use(feed.evaluate()) }
                    }
                    return taken
                }
            })
    }

    /// 7143 models of 14 metrics: all series of a tick at once, each with windows against a baseline of its own.
    private static var tick: Benchmark {
        Benchmark(
            name: "tick of 100 002 series", operation: "evaluation", bar: "< 1 s",
            prepare: {
                let models = 7_143
                var configuration = EngineConfiguration()
                configuration.drift.windowSize = 100
                configuration.drift.baselineSize = 100
                let feed = EngineFeed(configuration, models: models, entities: models, metrics: 14, horizon: .hour)
                while feed.now < 1_728_864_000_000 + 8 * .day {
                    feed.collect()
                    feed.advance(by: 2 * .hour)
                    use(feed.evaluate())
                }
                return { count in
                    var taken = 0.0
                    for _ in 0..<count {
                        feed.collect()
                        feed.advance(by: 5 * .minute)
                        taken += seconds { use(feed.evaluate()) }
                    }
                    return taken
                }
            })
    }

    /// The state of 4 models with 5000 series: what a snapshot writes, and a start reads.
    private static func state(writes: Bool) -> Benchmark {
        Benchmark(
            name: writes ? "checkpoint: encode the state" : "restore: decode the state", operation: "state",
            prepare: {
                let feed = warm(series: 5_000, metrics: 1)
                let engine = feed.engine
                let units = engine.stateUnits().map { (key: $0.key, bytes: engine.encode($0)) }
                print("  (\(units.reduce(0) { $0 + $1.bytes.count }) bytes, \(engine.retainedHalves) halves)")
                return { count in
                    seconds {
                        for _ in 0..<count {
                            if writes {
                                for unit in engine.stateUnits() { use(engine.encode(unit)) }
                            } else {
                                use(try? Engine(configuration: engine.configuration, restoring: units))
                            }
                        }
                    }
                }
            })
    }
}
