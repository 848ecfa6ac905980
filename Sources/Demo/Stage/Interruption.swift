import Glibc
import Synchronization

/// Whether somebody asked the demo to stop, by SIGINT or SIGTERM.
enum Interruption {
    /// Monotonic seconds at the first signal; 0 before.
    private static let since = Atomic<Int>(0)
    private static let child = Atomic<Int32>(0)

    /// From now on the first SIGINT or SIGTERM only asks. One that comes two seconds later or more ends the program at
    /// once; supervisors signal the process and its group, so what comes sooner is the same wish.
    static func install() {
        _ = isRequested
        setChild(0)
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                let (isFirst, first) = Interruption.since.compareExchange(
                    expected: 0, desired: max(1, now.tv_sec), ordering: .relaxed)
                guard !isFirst, now.tv_sec - first >= 2 else { return }
                let process = Interruption.child.load(ordering: .relaxed)
                if process > 0 { kill(process, SIGKILL) }
                _exit(130)
            }
        }
        // A terminal that went away is noticed by the failed write, not by the end of this process.
        signal(SIGPIPE, SIG_IGN)
    }

    static var isRequested: Bool { since.load(ordering: .relaxed) != 0 }

    /// The process that must not outlive this one; 0 for none.
    static func setChild(_ process: Int32) { child.store(process, ordering: .relaxed) }

    /// Sleeps, but not past an interruption.
    static func sleep(seconds: Double) {
        var left = seconds
        while left > 0, !isRequested {
            let slice = min(left, 0.05)
            usleep(useconds_t(slice * 1_000_000))
            left -= slice
        }
    }
}
