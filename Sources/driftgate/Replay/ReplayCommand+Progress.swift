import Replay
import Synchronization

extension ReplayCommand {
    /// Shows how far a piece of work has come, where standard error is a terminal.
    func withProgress<Result>(
        total: Int64?, look: @escaping @Sendable () -> (units: Int64, records: Int64), _ body: () throws -> Result
    ) rethrows -> Result {
        let bar = ProgressBar(total: total, isShown: quiet ? false : nil, look: look)
        bar.start()
        defer { bar.stop() }
        return try body()
    }

    /// Shows how far a source has been read; the work is given what takes its feed.
    func withProgress<Result>(
        of source: any HistorySource, _ body: ((HistoryFeed) -> Void) throws -> Result
    ) rethrows -> Result {
        let feed = Mutex<HistoryFeed?>(nil)
        return try withProgress(total: source.size, look: { feed.withLock { $0 }?.progress ?? (0, 0) }) {
            try body { made in feed.withLock { $0 = made } }
        }
    }
}
