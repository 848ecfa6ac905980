import Glibc

/// Measures single steps; `scripts/bench steps` builds and runs this.
///
///     microbenchmarks [WORD…]                  a table of those whose name holds a word, of all without one
///     microbenchmarks --count NAME OPERATIONS  does so many operations and prints nothing: for instruction counts
///     microbenchmarks --memory KIND            what an engine holds, beside the bytes that it cannot do without
///     microbenchmarks --list                   the names and operations that instruction counts use
@main
struct Microbenchmarks {
    static var all: [Benchmark] {
        DecodeBenchmarks.all + WindowBenchmarks.all + StatisticsBenchmarks.all + EngineBenchmarks.all
    }

    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case "--list":
            for benchmark in all {
                if let operations = benchmark.countedOperations { print("\(benchmark.name)\t\(operations)") }
            }
        case "--memory":
            guard arguments.count == 2, MemoryUse.kinds.contains(arguments[1]) else {
                fail("usage: microbenchmarks --memory \(MemoryUse.kinds.joined(separator: "|"))")
            }
            MemoryUse.show(arguments[1])
        case "--count":
            guard arguments.count == 3, let operations = Int(arguments[2]),
                let benchmark = all.first(where: { $0.name == arguments[1] })
            else { fail("usage: microbenchmarks --count NAME OPERATIONS") }
            let run = benchmark.prepare()
            if operations > 0 { _ = run(operations) }
        default:
            arguments = arguments.map { $0.lowercased() }
            let chosen = all.filter { benchmark in
                arguments.isEmpty || arguments.contains { benchmark.name.lowercased().contains($0) }
            }
            guard !chosen.isEmpty else { fail("no benchmark has such a name") }
            show(chosen)
        }
    }

    private static func show(_ chosen: [Benchmark]) {
        print("| step | CPU, least | CPU, median | a second | bar |\n|---|---|---|---|---|")
        for benchmark in chosen {
            let outcome = benchmark.measure()
            var rate = "\(amount(1 / outcome.least)) \(benchmark.operation)s"
            if let bytes = benchmark.bytes { rate += ", \(amount(Double(bytes) / outcome.least))B" }
            print(
                "| \(benchmark.name) | \(time(outcome.least)) | \(time(outcome.median)) | \(rate) | \(benchmark.bar) |")
        }
    }

    private static func time(_ seconds: Double) -> String {
        for (unit, scale) in [("s", 1.0), ("ms", 1e3), ("µs", 1e6)] where seconds * scale >= 1 {
            return "\(rounded(seconds * scale)) \(unit)"
        }
        return "\(rounded(seconds * 1e9)) ns"
    }

    private static func amount(_ number: Double) -> String {
        for (unit, scale) in [("G", 1e9), ("M", 1e6), ("k", 1e3)] where number >= scale {
            return "\(rounded(number / scale)) \(unit)"
        }
        return rounded(number) + " "
    }

    /// Three digits.
    private static func rounded(_ number: Double) -> String {
        let scale = number >= 100 ? 1.0 : number >= 10 ? 10 : 100
        let text = String((number * scale).rounded() / scale)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func fail(_ text: String) -> Never {
        _ = (text + "\n").withCString { write(STDERR_FILENO, $0, strlen($0)) }
        exit(2)
    }
}
