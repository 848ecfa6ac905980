import RingBuffers

/// The sliding window: its writer, and a reader on the same thread.
enum WindowBenchmarks {
    struct Sample: BitwiseCopyable, Sendable {
        var at: Int64
        var value: Double
        var rank: UInt64
    }

    static var all: [Benchmark] {
        [append, snapshot]
    }

    private static var append: Benchmark {
        Benchmark(
            name: "window append", operation: "sample", countedOperations: 10_000,
            prepare: {
                let window = SlidingWindow<Sample>(capacity: 1000)
                return { count in
                    seconds {
                        for index in 0..<count { window.append(Sample(at: Int64(index), value: 1.5, rank: 7)) }
                    }
                }
            })
    }

    private static var snapshot: Benchmark {
        Benchmark(
            name: "window snapshot of 1000", operation: "snapshot", countedOperations: 100,
            prepare: {
                let window = SlidingWindow<Sample>(capacity: 1000)
                for index in 0..<1500 { window.append(Sample(at: Int64(index), value: 1.5, rank: 7)) }
                let reader = window.reader
                var copy: [Sample] = []
                return { count in
                    seconds {
                        for _ in 0..<count {
                            guard reader.snapshot(into: &copy), copy.count == 1000 else { fatalError("no snapshot") }
                        }
                    }
                }
            })
    }
}
