import Glibc
public import Retraining

/// Decisions as JSON lines in files, one a UTC day: `retraining_decisions-2025-10-17.jsonl`.
///
/// A file that grows past `fileBytesMax` is followed by `retraining_decisions-2025-10-17.1.jsonl` and so on. Files whose
/// day is over for longer than `retention` are deleted when a new file is begun. Every line is written at once and
/// nothing is held back, so that a stop loses nothing; a line that a crash tore is closed before the next one.
///
/// The log is an extra: whatever goes wrong with it is counted and reported once until it works again, and never
/// stops the worker. Not safe for use by several threads at once.
public final class DecisionLog {
    /// Lines written, and lines that could not be, since the start.
    public private(set) var linesWritten: UInt64 = 0
    public private(set) var linesLost: UInt64 = 0

    private let directory: String
    private let retention: Milliseconds
    private let fileBytesMax: Int
    private let report: (String) -> Void

    private var descriptor: Int32 = -1
    private var file = DecisionLogFile(day: .min, part: 0)
    private var fileBytes = 0
    /// Since the last report; nil while the log works.
    private var lostSinceReport: UInt64?
    private var buffer: [UInt8] = []

    /// - Parameters:
    ///   - directory: Made, with those above it, when the first line is written.
    ///   - retention: For how long files are kept after the end of their day.
    ///   - fileBytesMax: A file that holds this much is followed by another one; > 0.
    ///   - report: Gets one sentence when the log stops working, and one when it works again.
    public init(
        directory: String, retention: Milliseconds, fileBytesMax: Int, report: @escaping (String) -> Void
    ) {
        precondition(fileBytesMax > 0, "a file of the decision log must be able to hold something")
        self.directory = directory
        self.retention = retention
        self.fileBytesMax = fileBytesMax
        self.report = report
    }

    deinit { close() }

    /// Appends one JSON value as one line, to the file of the UTC day of `time`.
    ///
    /// Line breaks, which JSON knows as white space only, are written as blanks.
    public func append(_ json: UnsafeRawBufferPointer, at time: Milliseconds) {
        do throws(LogFailure) {
            try open(day: Self.day(of: time), adding: json.count + 1)
            buffer.removeAll(keepingCapacity: true)
            for byte in json { buffer.append(byte == 0x0A || byte == 0x0D ? 0x20 : byte) }
            buffer.append(0x0A)
            try writeBuffer()
            linesWritten += 1
            recovered()
        } catch {
            linesLost += 1
            failed(error)
        }
    }

    /// The same for an array.
    public func append(_ json: [UInt8], at time: Milliseconds) {
        json.withUnsafeBytes { append($0, at: time) }
    }

    /// Waits until the disk has what was written. For a clean stop.
    public func flush() {
        if descriptor >= 0 { fsync(descriptor) }
    }

    /// Flushes and closes the file. A later `append` opens it again.
    public func close() {
        flush()
        closeFile()
    }

    // MARK: Files

    private static func day(of time: Milliseconds) -> Int {
        Int(time >= 0 ? time / .day : (time - .day + 1) / .day)
    }

    private func open(day: Int, adding bytes: Int) throws(LogFailure) {
        if descriptor >= 0, file.day == day, fileBytes == 0 || fileBytes + bytes <= fileBytesMax { return }
        let isNewDay = file.day != day
        closeFile()
        try makeDirectory()
        var next = DecisionLogFile(day: day, part: 0)
        let existing = files()
        next.part = existing.filter { $0.day == day }.map(\.part).max() ?? 0
        try open(next)
        if fileBytes > 0, fileBytes + bytes > fileBytesMax {
            closeFile()
            next.part += 1
            try open(next)
        }
        if isNewDay { deleteOld(existing, today: day) }
    }

    private func open(_ next: DecisionLogFile) throws(LogFailure) {
        let path = "\(directory)/\(next.name)"
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw LogFailure(operation: "open \(path)", code: errno) }
        self.descriptor = descriptor
        file = next
        fileBytes = max(0, Int(lseek(descriptor, 0, SEEK_END)))
        guard fileBytes > 0 else { return }
        // A crash may have left half a line: it must not swallow the next one.
        var last: UInt8 = 0x0A
        guard pread(descriptor, &last, 1, off_t(fileBytes - 1)) == 1, last != 0x0A else { return }
        buffer = [0x0A]
        try writeBuffer()
    }

    private func writeBuffer() throws(LogFailure) {
        var written = 0
        while written < buffer.count {
            let count = buffer.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let failure = LogFailure(operation: "write \(directory)/\(file.name)", code: errno)
                // What was written of the line goes again; where even that fails, the next opening closes the line.
                if written > 0 { ftruncate(descriptor, off_t(fileBytes)) }
                closeFile()
                throw failure
            }
            written += count
        }
        fileBytes += written
    }

    private func closeFile() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    private func makeDirectory() throws(LogFailure) {
        var path = directory.hasPrefix("/") ? "/" : ""
        for part in directory.split(separator: "/") {
            path += part + "/"
            guard mkdir(path, 0o750) != 0, errno != EEXIST else { continue }
            // A directory above may be one that we may not make but may pass.
            let code = errno
            guard access(path, F_OK) == 0 else { throw LogFailure(operation: "make the directory \(path)", code: code) }
        }
    }

    private func files() -> [DecisionLogFile] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var files: [DecisionLogFile] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let file = DecisionLogFile(name: name) { files.append(file) }
        }
        return files
    }

    private func deleteOld(_ files: [DecisionLogFile], today: Int) {
        for file in files {
            // Its day ended at the start of the next.
            let age = Milliseconds(today - file.day - 1) * .day
            if age >= retention { unlink("\(directory)/\(file.name)") }
        }
    }

    // MARK: Reports

    private func failed(_ failure: LogFailure) {
        if lostSinceReport == nil {
            report(
                "The decision log cannot \(failure.operation): \(String(cString: strerror(failure.code))). "
                    + "Decisions go on and are published; lines of the log are lost until this is put right.")
        }
        lostSinceReport = (lostSinceReport ?? 0) + 1
    }

    private func recovered() {
        guard let lost = lostSinceReport else { return }
        lostSinceReport = nil
        report("The decision log works again; \(lost) lines were lost.")
    }
}

private struct LogFailure: Error {
    /// The end of the sentence "The decision log cannot …".
    var operation: String
    var code: Int32
}

/// A file of the decision log by its name.
struct DecisionLogFile: Equatable {
    /// Days since 1970-01-01.
    var day: Int
    /// 0 for the first file of a day.
    var part: Int

    private static let prefix = "retraining_decisions-"
    private static let suffix = ".jsonl"

    init(day: Int, part: Int) {
        self.day = day
        self.part = part
    }

    init?(name: String) {
        guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix) else { return nil }
        let middle = name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)
        let parts = middle.split(separator: ".", omittingEmptySubsequences: false)
        guard let date = CalendarDay(parts[0]), date.year != nil, parts.count <= 2 else { return nil }
        day = date.days[0]
        part = 0
        if parts.count == 2 {
            guard let number = Int(parts[1]), number > 0, String(number) == parts[1] else { return nil }
            part = number
        }
    }

    var name: String { Self.prefix + CalendarDay.text(days: day) + (part == 0 ? "" : ".\(part)") + Self.suffix }
}
