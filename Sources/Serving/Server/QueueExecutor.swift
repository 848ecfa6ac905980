import Dispatch

/// Runs tasks one after the other on a queue of its own.
///
/// What is served takes at most one core, and waits for nobody who holds the threads that all other tasks share.
final class QueueExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "driftgate.http", qos: .utility)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
