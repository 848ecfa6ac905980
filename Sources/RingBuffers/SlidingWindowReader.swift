/// Takes snapshots of a `SlidingWindow` from any thread, without locks.
///
/// A snapshot is the window's exact content at one moment between call and return: the last min(n, capacity) of the
/// first n writes, for some n (and what followed the last `removeAll` or `replaceAll` among them).
///
/// A copy that the writer overtook is thrown away and made again, `attempts` times at most. An attempt fails only if
/// the writer wrote more than the ring's surplus (capacity / 32, at least 8 elements) while one copy was made, about a
/// microsecond for a thousand elements, or is inside a `replaceAll`. If all attempts fail the caller is told, and may
/// try again later; that takes a writer which does nothing but write at full speed.
public struct SlidingWindowReader<Element: BitwiseCopyable & Sendable>: Sendable {
    @usableFromInline let storage: SlidingWindowStorage<Element>

    @usableFromInline
    init(storage: SlidingWindowStorage<Element>) {
        self.storage = storage
    }

    /// The most elements that the window holds.
    @inlinable public var capacity: Int { storage.capacity }

    /// The number of elements in the window at this moment.
    @inlinable public var count: Int { storage.publishedCount }

    /// The window's content, oldest first, in a new array; nil if the writer outran every attempt.
    @inlinable
    public func snapshot(attempts: Int = 64) -> [Element]? {
        var copied: Int?
        let elements = [Element](unsafeUninitializedCapacity: capacity) { buffer, initializedCount in
            copied = snapshot(into: buffer, attempts: attempts)
            initializedCount = copied ?? 0
        }
        return copied == nil ? nil : elements
    }

    /// Replaces an array's content by the window's, oldest first.
    ///
    /// The memory of an array that holds `capacity` elements, such as the last snapshot of a full window, is used again.
    ///
    /// - Returns: false if the writer outran every attempt; the array is then empty.
    @inlinable
    public func snapshot(into elements: inout [Element], attempts: Int = 64) -> Bool {
        guard elements.count >= capacity else {
            // A shorter array has no initialised room for a window that may grow at any time.
            let latest = snapshot(attempts: attempts)
            elements = latest ?? []
            return latest != nil
        }
        let copied = elements.withUnsafeMutableBufferPointer { snapshot(into: $0, attempts: attempts) }
        elements.removeLast(elements.count - (copied ?? 0))
        return copied != nil
    }

    /// Copies the window's content, oldest first, to the start of a buffer, initialised or not.
    ///
    /// - Parameter buffer: room for at least `capacity` elements.
    /// - Returns: the number of elements copied; nil if the writer outran every attempt, and the buffer's content is
    ///   then undefined.
    @inlinable
    public func snapshot(into buffer: UnsafeMutableBufferPointer<Element>, attempts: Int = 64) -> Int? {
        precondition(buffer.count >= capacity, "SlidingWindowReader: room for \(buffer.count) of \(capacity) elements")
        return storage.snapshot(
            into: UnsafeMutableRawPointer(buffer.baseAddress!), attempts: attempts, onStep: { _, _ in })
    }
}
