import Foundation

/// What is drawn again and again over the same place of a terminal.
enum Screen {
    /// Drawn over what was there, line by line, so that nothing flickers; what does not fit is left out and counted.
    static func frame(_ text: String, rows: Int? = size?.rows, columns: Int? = size?.columns) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        if let rows, rows > 2, lines.count > rows - 1 {
            let left = lines.count - (rows - 2)
            lines = lines.prefix(rows - 2) + ["… \(left) more lines: make the window taller, or name a --model"]
        }
        if let columns, columns > 20 { lines = lines.map { $0.count < columns ? $0 : $0.prefix(columns - 2) + "…" } }
        return "\u{1B}[H" + lines.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J"
    }

    /// Of the terminal on standard output; nil without one.
    private static var size: (rows: Int, columns: Int)? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}
