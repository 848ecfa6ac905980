internal import CLibrdkafka
internal import Glibc

/// Lets one thread sleep until any of several queues has something, or another thread calls.
///
/// ```swift
/// let waker = try Waker()
/// consumer.attach(waker)
/// queue.attach(waker)
/// while running {
///     waker.wait(timeoutMilliseconds: 1000)
///     // Serve *every* attached queue with timeout 0.
/// }
/// ```
///
/// A queue signals when it turns from empty to filled, and not again while it is filled. So a queue that is left unread
/// on purpose (back-pressure) does not keep the thread awake; and after a wake-up, queues that are read must be read
/// until they return fewer records than the batch has room for.
///
/// Threads: any thread may ``signal()``; one thread waits. An eventfd, so a signal handler may write to it as well.
public final class Waker: Sendable {
    /// The eventfd, for event loops of the caller's own and for ``signal(fileDescriptor:)``. Valid while `self` lives.
    public let fileDescriptor: Int32

    /// - Throws: `_CRIT_SYS_RESOURCE` when the process has no file descriptor left.
    public init() throws(KafkaError) {
        fileDescriptor = clibrdkafka_eventfd()
        guard fileDescriptor >= 0 else {
            throw KafkaError(
                code: .systemResource, message: String(cString: strerror(errno)),
                operation: "create an eventfd (raise the limit on open files)")
        }
    }

    deinit {
        close(fileDescriptor)
    }

    /// Sleeps until something signals, or the time is over; then forgets the signals so far.
    ///
    /// - Parameter timeoutMilliseconds: 0 only looks; negative waits without end.
    /// - Returns: whether something signalled. May be false before the time is over when a signal handler ran.
    @discardableResult
    public func wait(timeoutMilliseconds: Int) -> Bool {
        var descriptor = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&descriptor, 1, Int32(milliseconds: timeoutMilliseconds))
        // Reading resets the counter, also after poll(2) was interrupted by the handler that signalled.
        var count: UInt64 = 0
        return read(fileDescriptor, &count, MemoryLayout<UInt64>.size) == MemoryLayout<UInt64>.size
    }

    /// Ends the wait of the thread that waits, or the next one's.
    public func signal() {
        Self.signal(fileDescriptor: fileDescriptor)
    }

    /// ``signal()`` for signal handlers: one write(2), no memory, no reference counting.
    public static func signal(fileDescriptor: Int32) {
        var one: UInt64 = 1
        // It can only fail when the counter is full, and then the reader is being woken anyway.
        _ = write(fileDescriptor, &one, MemoryLayout<UInt64>.size)
    }
}
