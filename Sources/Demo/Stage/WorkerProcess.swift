import Foundation

/// The worker as a child process: the same program, started as an operator would start it.
final class WorkerProcess {
    let logPath: String
    private let process = Process()

    /// - Parameters:
    ///   - executable: the program; its standard output and error go to `logPath`.
    /// - Throws: `DemoError` where the program cannot be started.
    init(executable: String, arguments: [String], logPath: String) throws {
        self.logPath = logPath
        guard FileManager.default.createFile(atPath: logPath, contents: nil),
            let log = FileHandle(forWritingAtPath: logPath)
        else { throw DemoError("cannot write the worker's log to \(logPath): check space and permissions") }
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        do {
            try process.run()
        } catch {
            throw DemoError("cannot start the worker \(executable): \(error.localizedDescription)")
        }
        Interruption.setChild(process.processIdentifier)
    }

    var processID: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// How it ended, for a person; nil while it runs.
    var ending: String? {
        guard !process.isRunning else { return nil }
        return process.terminationReason == .uncaughtSignal
            ? "ended by signal \(process.terminationStatus)" : "exited with code \(process.terminationStatus)"
    }

    /// Asks it to stop and waits; kills it where it does not obey.
    /// - Returns: whether it stopped by itself.
    @discardableResult
    func stop(withinSeconds limit: Double) -> Bool {
        defer { Interruption.setChild(0) }
        guard process.isRunning else { return true }
        process.terminate()
        let deadline = MonotonicClock.seconds + limit
        while process.isRunning {
            if MonotonicClock.seconds > deadline {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                return false
            }
            usleep(20_000)
        }
        return true
    }

    /// The end of its log, for quoting.
    func lastLogLines(_ count: Int) -> String {
        guard let text = try? String(contentsOfFile: logPath, encoding: .utf8) else { return "(no log)" }
        let lines = text.split(separator: "\n").suffix(count)
        return lines.isEmpty ? "(the log is empty)" : lines.map { "    \($0)" }.joined(separator: "\n")
    }
}
