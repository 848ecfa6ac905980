import Foundation

/// Which seeds a run of the tests takes; `scripts/simulate` sets it.
enum SimulationSettings {
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }

    static let isTracing = number("SIMULATION_TRACE") != nil
    static let first = number("SIMULATION_FIRST") ?? 0
    static let count = number("SIMULATION_SEEDS") ?? 100
    static var seeds: Range<UInt64> { first..<first + count }
}
