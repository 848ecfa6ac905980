import Retraining

/// Waits until the worker's decisions have followed the stream to a given time, and the trainer has answered what they
/// asked for: so the stream stands still while a training runs.
struct Follower {
    /// A worker that says nothing for this long is taken for stuck.
    private static let patienceSeconds = 60.0

    let stage: Stage
    let watch: WorkerWatch
    let desk: TrainingDesk
    let needed: Milliseconds
    /// Before this the worker has nothing to decide about.
    let from: Milliseconds
    private let began = MonotonicClock.seconds

    init(stage: Stage, watch: WorkerWatch, desk: TrainingDesk, needed: Milliseconds, from: Milliseconds) {
        self.stage = stage
        self.watch = watch
        self.desk = desk
        self.needed = needed
        self.from = from
    }

    var hasCaughtUp: Bool {
        (needed < from || (watch.decidedUpTo ?? .min) >= needed) && watch.opened.isSubset(of: desk.answered)
    }

    /// What the worker has published since the last call; waits a little where there is reason to.
    ///
    /// - Throws: `DemoError` where the worker has died or does not follow, `Interrupted` on a signal.
    func poll(wait: Double) throws -> [WorkerEvent] {
        try stage.check()
        if !hasCaughtUp, MonotonicClock.seconds - began > Self.patienceSeconds {
            throw DemoError(
                "the worker has not decided for \(Int(Self.patienceSeconds)) s; its log \(stage.logPath) ends with\n"
                    + (stage.worker?.lastLogLines(12) ?? ""))
        }
        let seconds = hasCaughtUp ? min(wait, 0.01) : 0.002
        let events = try watch.poll()
        if events.isEmpty, seconds > 0 { Interruption.sleep(seconds: seconds) }
        return events
    }
}
