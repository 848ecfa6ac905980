import Foundation

/// How far a replay has come, with rate and time left; only on a terminal.
package final class ProgressBar: @unchecked Sendable {
    private let total: Int64?
    private let began = Date()
    private let look: @Sendable () -> (units: Int64, records: Int64)
    private let isShown: Bool
    private let lock = NSCondition()
    private var isOver = false

    /// - Parameters:
    ///   - total: all units there are; nil shows the rate only.
    ///   - isShown: nil shows it where standard error is a terminal.
    ///   - look: units and records done so far.
    package init(
        total: Int64?, isShown: Bool? = nil, look: @escaping @Sendable () -> (units: Int64, records: Int64)
    ) {
        self.total = total
        self.look = look
        self.isShown = isShown ?? (isatty(2) == 1)
    }

    package func start() {
        guard isShown else { return }
        Thread.detachNewThread { [self] in
            while true {
                lock.lock()
                if !isOver { _ = lock.wait(until: Date(timeIntervalSinceNow: 0.25)) }
                let ends = isOver
                lock.unlock()
                if ends { return }
                let (units, records) = look()
                // A line that is wider than the terminal would be left behind when the next one is written over it.
                let text = line(units: units, records: records, seconds: Date().timeIntervalSince(began))
                    .prefix(Self.width - 1)
                FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
            }
        }
    }

    package func stop() {
        lock.withLock {
            isOver = true
            lock.broadcast()
        }
        if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }

    /// Where nobody counts records, units are what is counted.
    package func line(units: Int64, records: Int64, seconds: Double) -> String {
        let rate = seconds > 0 ? Double(records) / seconds : 0
        var text = "\(Figures.grouped(Int(records))) records, \(Figures.grouped(Int(rate)))/s"
        guard let total, total > 0 else { return text }
        if records == 0 { text = "\(units) of \(total)" }
        let share = min(1, Double(units) / Double(total))
        let width = 20
        let filled = Int((share * Double(width)).rounded(.down))
        text =
            "[\(String(repeating: "=", count: filled))\(String(repeating: " ", count: width - filled))] "
            + "\(Figures.fixed(100 * share, 0)) %  \(text)"
        guard share > 0 else { return text }
        let left = seconds / share - seconds
        return left >= 1 ? "\(text), \(Self.span(left)) left" : text
    }

    /// Columns of the terminal; 80 where it does not say.
    private static var width: Int {
        var size = winsize()
        return ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1 ? Int(size.ws_col) : 80
    }

    private static func span(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
