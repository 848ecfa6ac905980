import Glibc

/// What the kernel says about this process, under the names that Prometheus's own client libraries use.
enum ProcessMetrics {
    static func write(into text: inout PrometheusText) {
        let pageBytes = Double(sysconf(Int32(_SC_PAGESIZE)))
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        if let memory = words(of: "/proc/self/statm"), memory.count > 1 {
            text.family(
                "process_resident_memory_bytes", .gauge, "Memory of the process.",
                Double(memory[1]).map { $0 * pageBytes })
            text.family(
                "process_virtual_memory_bytes", .gauge, "Address space of the process.",
                Double(memory[0]).map { $0 * pageBytes })
        }
        // The second field is the program's name in parentheses, and may hold spaces.
        guard let stat = content(of: "/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let user = Double(fields[11]), let system = Double(fields[12]),
            let threads = Double(fields[17]), let started = Double(fields[19])
        else { return }
        text.family(
            "process_cpu_seconds_total", .counter, "Processor time, user and system.", (user + system) / ticks)
        text.family("process_threads", .gauge, "Threads of the process.", threads)
        let booted = content(of: "/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        text.family(
            "process_start_time_seconds", .gauge, "When the process was started, in seconds since 1970.",
            booted.flatMap { Double($0.dropFirst(6)) }.map { $0 + started / ticks })
    }

    private static func words(of path: String) -> [Substring]? { content(of: path)?.split(separator: " ") }

    private static func content(of path: String) -> String? {
        (try? FileBytes.read(path, bytesMax: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }
}
