import Foundation
import SimulatedLog
import Synchronization

/// `simulate [seeds] [first seed]` runs so many seeds; `simulate --trace SEED` runs one and prints what happened in it.
/// Ends with status 1 where anything was violated.
@main enum SimulateProgram {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst().map { String($0) }
        if arguments.first == "--trace", arguments.count == 2, let seed = UInt64(arguments[1]) {
            let simulation = Simulation(Plan(seed: seed), isTracing: true)
            let violations = simulation.run()
            print(simulation.cluster.trace.text)
            for violation in violations { print("VIOLATION: \(violation)") }
            exit(violations.isEmpty ? 0 : 1)
        }
        let numbers = arguments.compactMap { UInt64($0) }
        guard numbers.count == arguments.count, numbers.count <= 2 else {
            print("usage: simulate [seeds] [first seed] | simulate --trace SEED")
            exit(2)
        }
        let first = numbers.count == 2 ? numbers[1] : 0
        exit(Simulations(first..<first + (numbers.first ?? 1_000)).run() ? 0 : 1)
    }
}

/// Seeds that are run beside each other.
private final class Simulations: Sendable {
    private struct Tally {
        var next: UInt64
        var failed: [UInt64] = []
        var struck: [Fault: Int] = [:]
        var deaths: [String: Int] = [:]
    }

    private let seeds: Range<UInt64>
    private let tally: Mutex<Tally>
    /// A worker that waits lets the others go on inside of its call: that goes deep.
    private static let stackBytes = 64 << 20

    init(_ seeds: Range<UInt64>) {
        self.seeds = seeds
        tally = Mutex(Tally(next: seeds.lowerBound))
    }

    /// Whether nothing was violated.
    func run() -> Bool {
        let began = ContinuousClock.now
        let threads = ProcessInfo.processInfo.activeProcessorCount
        let finished = DispatchSemaphore(value: 0)
        for _ in 0..<threads {
            let thread = Thread { [self] in
                while let seed = nextSeed() { run(seed) }
                finished.signal()
            }
            thread.stackSize = Self.stackBytes
            thread.start()
        }
        for _ in 0..<threads { finished.wait() }
        return tally.withLock { tally in
            let faults = tally.struck.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key) \($0.value)" }
            print("faults: \(faults.joined(separator: ", "))")
            let deaths = tally.deaths.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            print("crashes inside: \(deaths.joined(separator: ", "))")
            let seconds = (ContinuousClock.now - began).components.seconds
            print(
                "\(seeds.count) seeds from \(seeds.lowerBound) in \(seconds) s: "
                    + (tally.failed.isEmpty ? "nothing violated" : "violated by \(tally.failed.sorted())"))
            return tally.failed.isEmpty
        }
    }

    private func nextSeed() -> UInt64? {
        tally.withLock { tally in
            guard tally.next < seeds.upperBound else { return nil }
            defer { tally.next += 1 }
            return tally.next
        }
    }

    private func run(_ seed: UInt64) {
        let simulation = Simulation(Plan(seed: seed))
        let violations = simulation.run()
        let (struck, deaths) = (simulation.struck, simulation.deaths)
        tally.withLock { tally in
            tally.struck.merge(struck) { $0 + $1 }
            tally.deaths.merge(deaths) { $0 + $1 }
            guard let violation = violations.first else { return }
            tally.failed.append(seed)
            print("seed \(seed): \(violation)\n  again: scripts/simulate --trace \(seed)")
        }
    }
}
