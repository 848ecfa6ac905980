import Glibc
import Retraining

/// Clocks of the process. The engine reads none of them.
enum Clock {
    static func wall() -> Milliseconds { read(CLOCK_REALTIME) }
    static func monotonic() -> Milliseconds { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Milliseconds {
        var time = timespec()
        clock_gettime(clock, &time)
        return Milliseconds(time.tv_sec) * 1000 + Milliseconds(time.tv_nsec) / 1_000_000
    }
}
