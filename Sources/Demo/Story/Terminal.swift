import Foundation

/// Plain lines, and on a terminal one status line below them that is drawn again and again.
final class Terminal {
    let isInteractive: Bool
    private let isQuiet: Bool
    private let hasColour: Bool
    private var status = ""

    /// - Parameter isQuiet: only what `say` is told to say always is shown.
    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        let environment = ProcessInfo.processInfo.environment
        isInteractive = isatty(1) == 1 && environment["TERM"] != "dumb"
        hasColour = isInteractive && environment["NO_COLOR"] == nil
    }

    /// A person looks on, and can end it: not a script that only collects what is said.
    var isWatched: Bool { isInteractive && isatty(0) == 1 }

    /// One line that stays.
    func say(_ line: String, always: Bool = false) {
        guard always || !isQuiet else { return }
        write(clearing + line + "\n" + status)
    }

    /// A line that stands out: where the story takes a turn.
    func chapter(_ line: String) {
        say(hasColour ? "\u{1B}[1m\(line)\u{1B}[0m" : line)
    }

    /// Replaces the status line; does nothing where there is no terminal.
    func show(status line: String) {
        guard isInteractive, !isQuiet else { return }
        let next = String(line.prefix(columns - 1))
        write(clearing + next)
        status = next
    }

    func clearStatus() {
        write(clearing)
        status = ""
    }

    private var clearing: String { status.isEmpty ? "" : "\r\u{1B}[2K" }

    private var columns: Int {
        var size = winsize()
        return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 20 ? Int(size.ws_col) : 120
    }

    private func write(_ text: String) {
        guard !text.isEmpty else { return }
        // A closed pipe is no reason to stop the loop; the story simply has no reader any more.
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}
