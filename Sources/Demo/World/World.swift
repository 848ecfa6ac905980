import Foundation
import Retraining

/// Twenty servers under a seasonal load, from a seed, with one change of workload on the way.
///
/// Every value is level × daily and weekly season × autocorrelated noise. At `changeAt` a new application arrives on
/// most metrics of most servers: other levels, amplitudes and hours. The whole history is made once, so that a live
/// run and the offline comparison of schedules see the very same numbers.
struct World: Sendable {
    /// Distance of two samples.
    static let step: Milliseconds = 30 * .minute
    /// Autocorrelation of the noise over one step.
    private static let persistence = 0.7
    /// Share of the daily season that is left on Saturdays and Sundays.
    private static let weekendShare = 0.35

    let seed: UInt64
    let start: Milliseconds
    let ticks: Int
    let changeAt: Milliseconds?
    let servers: [String]
    /// Tick-major, then server, then metric; four significant digits, as they go over the wire.
    private let values: [Double]

    /// - Parameters:
    ///   - start: time of the first sample, a multiple of `step`.
    ///   - changeAt: when the new application arrives; nil for a world in which nothing ever changes.
    init(seed: UInt64, start: Milliseconds, ticks: Int, changeAt: Milliseconds?, serverCount: Int = 20) {
        self.seed = seed
        self.start = start
        self.ticks = ticks
        self.changeAt = changeAt
        servers = (1...serverCount).map { String(format: "srv-%03d", $0) }
        values = Self.makeValues(seed: seed, start: start, ticks: ticks, changeAt: changeAt, serverCount: serverCount)
    }

    var metricCount: Int { ServerMetric.all.count }
    var seriesCount: Int { servers.count * metricCount }

    func time(ofTick tick: Int) -> Milliseconds { start + Int64(tick) * Self.step }
    func tick(at time: Milliseconds) -> Int { Int((time - start) / Self.step) }

    /// All metrics of one server at one tick, in the order of `ServerMetric.all`.
    func values(tick: Int, server: Int) -> ArraySlice<Double> {
        let first = (tick * servers.count + server) * metricCount
        return values[first..<(first + metricCount)]
    }

    /// All series at one tick, server by server.
    func values(tick: Int) -> ArraySlice<Double> {
        values[(tick * seriesCount)..<((tick + 1) * seriesCount)]
    }

    /// 0 to 100: what the server's processors are busy with.
    func cpuPercent(tick: Int, server: Int) -> Double {
        let metrics = values(tick: tick, server: server)
        return min(100, metrics.prefix(3).reduce(0, +)).roundedToFourDigits
    }

    /// 0 to 1: mean over the servers.
    func load(tick: Int) -> Double {
        (0..<servers.count).reduce(0) { $0 + cpuPercent(tick: tick, server: $1) } / Double(servers.count) / 100
    }

    /// The same numbers as a table that a forecaster can be trained on.
    func table(ticks range: Range<Int>) -> SeriesTable {
        SeriesTable(
            start: time(ofTick: range.lowerBound), step: Self.step, seriesCount: seriesCount,
            values: Array(values[(range.lowerBound * seriesCount)..<(range.upperBound * seriesCount)]))
    }
}

extension World {
    /// How one metric of one server behaves before and after the change.
    private struct Series {
        var level: Double
        var amplitude: Double
        var phaseHours: Double
        var changedLevel: Double
        var changedAmplitude: Double
        var changedPhaseHours: Double
    }

    private static func makeValues(
        seed: UInt64, start: Milliseconds, ticks: Int, changeAt: Milliseconds?, serverCount: Int
    ) -> [Double] {
        var random = SeededGenerator(seed: seed)
        let metrics = ServerMetric.all
        let series = makeSeries(serverCount: serverCount, random: &random)
        let innovation = (1 - persistence * persistence).squareRoot()
        var shared = (0..<serverCount).map { _ in random.normal() }
        var own = series.map { _ in random.normal() }
        var result: [Double] = []
        result.reserveCapacity(ticks * series.count)
        for tick in 0..<ticks {
            let time = start + Int64(tick) * step
            let moment = CalendarTime(time)
            let isChanged = changeAt.map { time >= $0 } ?? false
            for server in 0..<serverCount {
                shared[server] = persistence * shared[server] + innovation * random.normal()
                for (index, metric) in metrics.enumerated() {
                    let position = server * metrics.count + index
                    own[position] = persistence * own[position] + innovation * random.normal()
                    let one = series[position]
                    let level = isChanged ? one.changedLevel : one.level
                    let amplitude = isChanged ? one.changedAmplitude : one.amplitude
                    let phase = isChanged ? one.changedPhaseHours : one.phaseHours
                    let season = 1 + amplitude * dailySeason(moment, phaseHours: phase)
                    let noise = exp(metric.noise * (0.8 * own[position] + 0.6 * shared[server]))
                    result.append(min(metric.ceiling, max(0.01, level * season * noise)).roundedToFourDigits)
                }
            }
        }
        return result
    }

    /// Busy in the early afternoon of working days, quiet at night; −0.6 to about 1 on working days.
    private static func dailySeason(_ moment: CalendarTime, phaseHours: Double) -> Double {
        let hour = moment.hour - phaseHours
        let shape =
            0.75 * cos((hour - 14) / 24 * 2 * .pi) + 0.25 * cos((hour - 14.5) / 12 * 2 * .pi)
        return (moment.isWeekend ? weekendShare : 1) * (shape + 0.6) - 0.6
    }

    private static func makeSeries(serverCount: Int, random: inout SeededGenerator) -> [Series] {
        // One application arrives, so its hours are the same everywhere; how much it weighs differs by server.
        let shiftHours = random.uniform(in: 2.5...4)
        var result: [Series] = []
        for _ in 0..<serverCount {
            let phase = 0.6 * random.normal()
            for metric in ServerMetric.all {
                let level = metric.level * exp(metric.spread * random.normal())
                let amplitude = metric.amplitude * random.uniform(in: 0.8...1.2)
                let isAffected = random.uniform() < 0.85
                let weight = random.uniform(in: 0.6...1.3)
                result.append(
                    Series(
                        level: level, amplitude: amplitude, phaseHours: phase,
                        changedLevel: isAffected ? level * (1 + metric.growth * weight) : level,
                        changedAmplitude: isAffected ? amplitude * 0.9 : amplitude,
                        changedPhaseHours: isAffected ? phase + shiftHours : phase))
            }
        }
        return result
    }
}

extension Double {
    /// Four significant digits, and never an exponent in print for values between 0.001 and 10¹⁵.
    var roundedToFourDigits: Double {
        guard self != 0, isFinite else { return self }
        let magnitude = Int(log10(abs(self)).rounded(.down))
        if magnitude >= 3 { return rounded() }
        let scale = pow(10, Double(3 - magnitude))
        return (self * scale).rounded() / scale
    }
}
