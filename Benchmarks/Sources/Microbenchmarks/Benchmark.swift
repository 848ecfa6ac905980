import Glibc

/// One thing that is measured.
struct Benchmark {
    let name: String
    /// What is counted: a record, a slide, an evaluation.
    let operation: String
    /// What docs/performance.md asks of it, for the table.
    var bar = ""
    /// Bytes an operation reads or writes, for those that are told in MB/s.
    var bytes: Int?
    /// How many operations it counts instructions of; nil where it takes no part in that.
    var countedOperations: Int?
    /// Makes everything ready, and gives what does so many operations and tells the CPU seconds that they took.
    let prepare: () -> (Int) -> Double
}

/// CPU time of the calling thread, which other programs on the machine do not change much.
struct Stopwatch {
    private let start = Self.now

    var seconds: Double { Self.now - start }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// CPU seconds of a body.
func seconds(_ body: () -> Void) -> Double {
    let watch = Stopwatch()
    body()
    return watch.seconds
}

/// Keeps the compiler from leaving out what nobody uses.
@inline(never)
func use<Value>(_ value: Value) { withExtendedLifetime(value) {} }

extension Benchmark {
    struct Outcome {
        var least: Double
        var median: Double
    }

    /// CPU seconds an operation: the least and the median of nine runs of a twentieth of a second or more each.
    func measure() -> Outcome {
        let run = prepare()
        var count = 1
        while count < 1 << 30 {
            let taken = run(count)
            if taken >= 0.05 { break }
            count = max(count + 1, min(count * 10, Int(Double(count) * 0.06 / max(taken, 1e-9))))
        }
        let times = (0..<9).map { _ in run(count) / Double(count) }.sorted()
        return Outcome(least: times[0], median: times[times.count / 2])
    }
}
