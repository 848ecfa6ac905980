import Glibc
import Retraining

/// What an engine keeps in memory, beside the bytes that it cannot do without.
enum MemoryUse {
    /// One a process: what an earlier one gave back would be used again.
    static let kinds = ["windows", "halves", "wide-halves"]

    static func show(_ kind: String) {
        switch kind {
        case "windows": row("windows and baselines: 20 models × 14 metrics, 8 weeks", windows)
        case "halves": row("retained halves: 1 000 000 of 1 value", { halves(metrics: 1) })
        default: row("retained halves: 100 000 of 14 values", { halves(metrics: 14) })
        }
    }

    private static func row(_ what: String, _ make: () -> (EngineFeed, raw: Int)) {
        let before = resident()
        let (feed, raw) = make()
        let held = resident() - before
        withExtendedLifetime(feed) {
            let ratio = (Double(held) / Double(raw) * 100).rounded() / 100
            print("| \(what) | \(held / 1_000_000) MB | \(raw / 1_000_000) MB | \(ratio) |")
        }
    }

    /// Full windows: 84 hours of errors at four pairs an hour, a week of actuals, four weeks that a baseline is taken from,
    /// and that baseline.
    private static func windows() -> (EngineFeed, raw: Int) {
        let models = 20
        let feed = EngineFeed(
            EngineConfiguration(), models: models, entities: models, metrics: 14, horizon: .hour)
        for _ in 0..<56 * 24 * 4 {
            feed.collect()
            feed.advance(by: 15 * .minute)
            if feed.now % .hour == 0 { use(feed.evaluate()) }
        }
        let actual = 24
        let error = 40
        // 7 days, 28 days and 72 hours of quarters; a baseline of the size that is kept.
        let perMetric = 672 * actual + 2688 * actual + 288 * error + 672 * 8
        return (feed, models * 14 * perMetric)
    }

    /// Predictions that wait for their actuals: entity, time, time of issue, version, and the values.
    private static func halves(metrics: Int) -> (EngineFeed, raw: Int) {
        let count = metrics == 1 ? 1_000_000 : 100_000
        let entities = count / 100
        let feed = EngineFeed(
            EngineConfiguration(), models: 4, entities: entities, metrics: metrics, horizon: 25 * .hour)
        for _ in 0..<50 {
            feed.collect()
            feed.advance(by: .minute)
            if feed.now % (5 * .minute) == 0 { use(feed.evaluate()) }
        }
        return (feed, feed.engine.retainedHalves * (4 + 8 + 8 + 4 + 8 * metrics))
    }

    private static func resident() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return (Int(text.split(separator: " ")[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }
}
