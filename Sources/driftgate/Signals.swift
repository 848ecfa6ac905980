import Foundation
import Retraining
import Synchronization

/// SIGTERM and SIGINT ask for a clean stop; a second one, or the deadline, ends the process at once. SIGHUP asks for the
/// configuration to be read again.
enum Signals {
    /// How long a clean stop may take, in milliseconds.
    static let deadline = Atomic<Int64>(30_000)

    /// Blocks the signals in this thread and in all that it makes from here on; one thread takes them.
    static func install(stop: @escaping @Sendable () -> Void, reload: @escaping @Sendable () -> Void) {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGHUP)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let watched = signals
        Thread.detachNewThread {
            var signals = watched
            var received: Int32 = 0
            repeat {
                sigwait(&signals, &received)
                if received == SIGHUP { reload() }
            } while received == SIGHUP
            stop()
            sigdelset(&signals, SIGHUP)
            waitForTheEnd(&signals)
        }
    }

    private static func waitForTheEnd(_ signals: inout sigset_t) -> Never {
        // Supervisors signal the process and its group: what comes within a second is the same wish.
        Thread.sleep(forTimeInterval: 1)
        var pending = timespec()
        while sigtimedwait(&signals, nil, &pending) > 0 {}
        let deadline = deadline.load(ordering: .relaxed)
        var limit = timespec(tv_sec: Int(deadline / 1000), tv_nsec: Int(deadline % 1000) * 1_000_000)
        let again = sigtimedwait(&signals, nil, &limit) > 0
        let why = again ? "a second signal" : "no clean stop within \(deadline) ms"
        FileHandle.standardError.write(Data("driftgate: \(why); ending at once\n".utf8))
        _exit(1)
    }
}
