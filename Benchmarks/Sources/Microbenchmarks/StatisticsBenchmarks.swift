import Statistics

/// Kolmogorov–Smirnov over a sliding window of 1000 values against a fixed baseline of 10 000.
enum StatisticsBenchmarks {
    static var all: [Benchmark] {
        [slide(queries: false), slide(queries: true), query]
    }

    private static func slide(queries: Bool) -> Benchmark {
        Benchmark(
            name: queries ? "KS slide and query" : "KS slide", operation: "slide", bar: queries ? "" : "≤ 150 ns",
            countedOperations: 5_000,
            prepare: {
                var (comparison, window) = filled()
                var numbers = Numbers(3)
                let fresh = (0..<4096).map { _ in 100 * numbers.share() }
                var next = 0
                return { count in
                    // A captured variable is looked after at each access, which would be counted.
                    var (working, samples, place) = (comparison, window, next)
                    defer { (comparison, window, next) = (working, samples, place) }
                    return seconds {
                        var sum = 0.0
                        for index in 0..<count {
                            let value = fresh[index & 4095]
                            working.remove(samples[place])
                            working.add(value)
                            samples[place] = value
                            place = place + 1 == samples.count ? 0 : place + 1
                            if queries { sum += working.statistic() }
                        }
                        if !queries { sum = working.statistic() }
                        use(sum)
                    }
                }
            })
    }

    /// The first query after a window has grown, which looks at all of it.
    private static var query: Benchmark {
        Benchmark(
            name: "KS add, query, remove", operation: "round", countedOperations: 200,
            prepare: {
                var (comparison, _) = filled()
                return { count in
                    seconds {
                        var sum = 0.0
                        for index in 0..<count {
                            comparison.add(Double(index % 100))
                            sum += comparison.statistic()
                            comparison.remove(Double(index % 100))
                        }
                        use(sum)
                    }
                }
            })
    }

    private static func filled() -> (BaselineComparison, [Double]) {
        var numbers = Numbers(1)
        let baseline = BaselineDistribution((0..<10_000).map { _ in 100 * numbers.share() })
        var comparison = BaselineComparison(baseline: baseline)
        let window = (0..<1000).map { _ in 100 * numbers.share() }
        for value in window { comparison.add(value) }
        return (comparison, window)
    }
}
