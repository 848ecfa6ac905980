import Foundation
import Synchronization

/// A file that is there when it is finished, and not before.
///
/// It is written beside its place under another name and moved there at the end. Whatever ends the program in between,
/// SIGINT and SIGTERM among it, takes the unfinished file away.
package final class AtomicFile: @unchecked Sendable {
    package let path: String
    private let partial: String
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var isFinished = false
    private let lock = NSLock()
    private static let unfinished = Mutex<Set<String>>([])

    package init(path: String) throws {
        self.path = path
        partial = "\(path).partial-\(getpid())"
        guard FileManager.default.createFile(atPath: partial, contents: nil),
            let handle = FileHandle(forWritingAtPath: partial)
        else { throw ReplayError("cannot write \(path): is its directory there, and writable?") }
        self.handle = handle
        Self.unfinished.withLock { _ = $0.insert(partial) }
    }

    deinit { if !isFinished { discard() } }

    package func write(_ bytes: some Collection<UInt8>) throws {
        lock.lock()
        defer { lock.unlock() }
        buffer += bytes
        if buffer.count >= 1 << 20 { try flush() }
    }

    private func flush() throws {
        do { try handle.write(contentsOf: buffer) } catch { throw ReplayError("cannot write \(path): \(error)") }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Moves the file to its place.
    package func finish() throws {
        try flush()
        try? handle.close()
        guard rename(partial, path) == 0 else {
            throw ReplayError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
        isFinished = true
        Self.unfinished.withLock { _ = $0.remove(partial) }
    }

    private func discard() {
        isFinished = true
        try? handle.close()
        unlink(partial)
        Self.unfinished.withLock { _ = $0.remove(partial) }
    }

    /// Takes away every unfinished file: before the program ends for another reason.
    package static func discardAll() {
        unfinished.withLock { paths in
            for path in paths { unlink(path) }
            paths.removeAll()
        }
    }
}
