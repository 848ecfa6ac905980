import Foundation
import Glibc
import Synchronization

/// A file that is there when it is finished, and not before.
///
/// It has no name until then (`O_TMPFILE`), so whatever ends the program in between leaves nothing behind. Where the file
/// system knows no such files, it is written beside its place under another name, and taken away by `discardAll`. A device
/// or a pipe that stands at its place is written to as it is.
package final class AtomicFile: @unchecked Sendable {
    package let path: String
    private let partial: String
    private enum Kind { case nameless, named, device }
    private let kind: Kind
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var isFinished = false
    private let lock = NSLock()
    private static let unfinished = Mutex<Set<String>>([])

    /// - Throws: `ReplayError` where it cannot be written.
    package init(path: String) throws {
        self.path = path
        partial = "\(path).partial-\(getpid())"
        let opened = Self.open(path, partial)
        guard opened.descriptor >= 0 else {
            throw ReplayError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
        kind = opened.kind
        handle = FileHandle(fileDescriptor: opened.descriptor, closeOnDealloc: true)
        if kind == .named { Self.unfinished.withLock { _ = $0.insert(partial) } }
    }

    /// Linux's `O_TMPFILE`, which Glibc's headers define by an expression.
    private static let temporaryFile: Int32 = 0o20000000 | O_DIRECTORY

    private static func open(_ path: String, _ partial: String) -> (descriptor: Int32, kind: Kind) {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            return (Glibc.open(path, O_WRONLY | O_CLOEXEC), .device)
        }
        let folder = (path as NSString).deletingLastPathComponent
        let nameless = Glibc.open(
            folder.isEmpty ? "." : folder, temporaryFile | O_RDWR | O_CLOEXEC, mode_t(0o666))
        if nameless >= 0 { return (nameless, .nameless) }
        return (Glibc.open(partial, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, mode_t(0o666)), .named)
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

    /// Puts the file in its place, where another one may stand.
    package func finish() throws {
        try flush()
        if kind == .nameless {
            unlink(partial)
            let own = "/proc/self/fd/\(handle.fileDescriptor)"
            guard linkat(AT_FDCWD, own, AT_FDCWD, partial, AT_SYMLINK_FOLLOW) == 0 else {
                throw ReplayError("cannot write \(path): \(String(cString: strerror(errno)))")
            }
        }
        try? handle.close()
        guard kind == .device || rename(partial, path) == 0 else {
            let error = errno
            unlink(partial)
            throw ReplayError("cannot write \(path): \(String(cString: strerror(error)))")
        }
        isFinished = true
        Self.unfinished.withLock { _ = $0.remove(partial) }
    }

    private func discard() {
        isFinished = true
        try? handle.close()
        guard kind == .named else { return }
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
