import Foundation

/// What the kernel of this machine has counted so far, from /proc.
struct HostCounters: Sendable {
    /// In ticks of the kernel's clock, over all processors.
    var cpuBusy = 0.0
    var cpuTotal = 0.0
    var memoryUsedPercent = 0.0
    var diskReadBytes = 0.0
    var diskWrittenBytes = 0.0
    var netReceivedBytes = 0.0
    var netSentBytes = 0.0
    /// Over one minute.
    var loadAverage = 0.0

    /// - Throws: `DemoError` where this is no Linux with /proc.
    static func read() throws -> HostCounters {
        var counters = HostCounters()
        let cpu = try lines(of: "/proc/stat").first { $0.first == "cpu" }?.dropFirst().compactMap { Double($0) } ?? []
        guard cpu.count >= 5 else { throw DemoError("/proc/stat has no line of processor times") }
        // user, nice, system, idle, iowait, irq, softirq, steal; guest times are in user already.
        counters.cpuTotal = cpu.prefix(8).reduce(0, +)
        counters.cpuBusy = counters.cpuTotal - cpu[3] - cpu[4]
        var memory: [String: Double] = [:]
        for line in try lines(of: "/proc/meminfo") where line.count >= 2 { memory[line[0]] = Double(line[1]) }
        if let total = memory["MemTotal:"], let available = memory["MemAvailable:"], total > 0 {
            counters.memoryUsedPercent = 100 * (1 - available / total)
        }
        // Whole devices only: partitions would be counted twice.
        let devices = Set((try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? [])
        for line in (try? lines(of: "/proc/diskstats")) ?? [] where line.count >= 10 && devices.contains(line[2]) {
            let sectorBytes = 512.0
            counters.diskReadBytes += (Double(line[5]) ?? 0) * sectorBytes
            counters.diskWrittenBytes += (Double(line[9]) ?? 0) * sectorBytes
        }
        for line in (try? lines(of: "/proc/net/dev")) ?? [] where line.count >= 10 && line[0].hasSuffix(":") {
            counters.netReceivedBytes += Double(line[1]) ?? 0
            counters.netSentBytes += Double(line[9]) ?? 0
        }
        counters.loadAverage = (try? lines(of: "/proc/loadavg"))?.first?.first.flatMap { Double($0) } ?? 0
        return counters
    }

    private static func lines(of path: String) throws -> [[String]] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw DemoError("cannot read \(path): --this-host needs Linux with /proc")
        }
        return text.split(separator: "\n").map { $0.split { $0 == " " || $0 == "\t" }.map(String.init) }
    }
}

/// What this machine did between two readings.
struct HostSample {
    static let metrics = [
        "cpu_busy_pct", "mem_used_pct", "disk_read_kbps", "disk_write_kbps", "net_in_kbps", "net_out_kbps",
        "load_average",
    ]

    /// In the order of `metrics`.
    let values: [Double]

    /// - Parameter seconds: between the readings, > 0.
    init(from earlier: HostCounters, to later: HostCounters, seconds: Double) {
        let ticks = later.cpuTotal - earlier.cpuTotal
        func rate(_ path: KeyPath<HostCounters, Double>) -> Double {
            max(0, later[keyPath: path] - earlier[keyPath: path]) / 1024 / seconds
        }
        values = [
            ticks > 0 ? min(100, max(0, 100 * (later.cpuBusy - earlier.cpuBusy) / ticks)) : 0,
            later.memoryUsedPercent, rate(\.diskReadBytes), rate(\.diskWrittenBytes), rate(\.netReceivedBytes),
            rate(\.netSentBytes), later.loadAverage,
        ].map(\.roundedToFourDigits)
    }

    var cpuPercent: Double { values[0] }
}
