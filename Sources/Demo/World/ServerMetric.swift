/// One metric of the monitored servers: how it behaves, and what the new application does to it.
struct ServerMetric: Sendable {
    let name: String
    /// Mean on a typical server, in the metric's own unit.
    let level: Double
    /// Standard deviation of the logarithm of the level between servers.
    let spread: Double
    /// Amplitude of the daily season, as a share of the level.
    let amplitude: Double
    /// Standard deviation of the logarithm of the noise.
    let noise: Double
    /// What the change of workload adds to the level of a typical affected server, as a share.
    let growth: Double
    /// Largest value that the metric can take.
    var ceiling = Double.infinity

    static let all: [ServerMetric] = [
        ServerMetric(
            name: "cpu_user_pct", level: 15, spread: 0.25, amplitude: 0.55, noise: 0.070, growth: 0.60, ceiling: 100),
        ServerMetric(
            name: "cpu_sys_pct", level: 6, spread: 0.25, amplitude: 0.45, noise: 0.070, growth: 0.55, ceiling: 100),
        ServerMetric(
            name: "cpu_iowait_pct", level: 2.5, spread: 0.25, amplitude: 0.40, noise: 0.080, growth: 0.60,
            ceiling: 100),
        ServerMetric(
            name: "mem_used_pct", level: 52, spread: 0.12, amplitude: 0.10, noise: 0.020, growth: 0.25, ceiling: 99.9),
        ServerMetric(
            name: "swap_used_pct", level: 12, spread: 0.25, amplitude: 0.08, noise: 0.030, growth: 0.40,
            ceiling: 99.9),
        ServerMetric(
            name: "disk_usage_pct", level: 48, spread: 0.12, amplitude: 0.04, noise: 0.008, growth: 0.15,
            ceiling: 99.9),
        ServerMetric(
            name: "disk_read_kbps", level: 850, spread: 0.25, amplitude: 0.45, noise: 0.090, growth: 0.60),
        ServerMetric(
            name: "disk_write_kbps", level: 620, spread: 0.25, amplitude: 0.45, noise: 0.090, growth: 0.80),
        ServerMetric(name: "net_in_mbps", level: 140, spread: 0.25, amplitude: 0.50, noise: 0.075, growth: 0.60),
        ServerMetric(name: "net_out_mbps", level: 180, spread: 0.25, amplitude: 0.50, noise: 0.075, growth: 0.60),
        ServerMetric(name: "load_average", level: 3.2, spread: 0.25, amplitude: 0.50, noise: 0.070, growth: 0.60),
        ServerMetric(name: "tcp_established", level: 420, spread: 0.25, amplitude: 0.40, noise: 0.060, growth: 0.55),
        ServerMetric(name: "request_rate", level: 900, spread: 0.25, amplitude: 0.60, noise: 0.070, growth: 0.70),
        ServerMetric(name: "latency_p95_ms", level: 85, spread: 0.25, amplitude: 0.25, noise: 0.070, growth: 0.50),
    ]
}
