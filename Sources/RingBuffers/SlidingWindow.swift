/// The last `capacity` elements of a series: one writer, any number of readers on other threads.
///
/// Readers never make the writer wait, and never see a torn element or a mix of two states: every snapshot is the
/// window's exact content at one moment. `SlidingWindowStorage` holds the protocol and the argument why it is right.
///
/// ```swift
/// let window = SlidingWindow<Sample>(capacity: 1000)
/// let reader = window.reader            // Sendable: hand it to other threads
/// window.append(Sample(value: 41.2, at: 1_729_180_800_000))
/// let latest = reader.snapshot()
/// ```
///
/// The class is the *writing* end and deliberately not `Sendable`: whoever holds it is the only writer. All memory is
/// allocated by `init`: capacity + 1/32 (at least 8) elements.
///
/// `Element` is a small trivial value, typically 16 to 32 bytes. Its stride must be a multiple of 8 bytes (as every
/// structure with a `Double` or an `Int64` has), because readers copy in whole words.
public final class SlidingWindow<Element: BitwiseCopyable & Sendable> {
    /// The largest capacity that a window can have: 1 048 575.
    public static var maximumCapacity: Int { (1 << 20) - 1 }

    @usableFromInline let storage: SlidingWindowStorage<Element>
    /// Number of elements ever written: the number that the next one gets.
    @usableFromInline var end: UInt64 = 0
    /// Where the next element goes: `end` mod the number of slots, kept to spare the division.
    @usableFromInline var nextSlot = 0

    @usableFromInline var elementCount = 0

    /// Creates an empty window.
    ///
    /// - Parameter capacity: 1 ... `maximumCapacity` elements.
    public init(capacity: Int) {
        storage = SlidingWindowStorage(capacity: capacity)
    }

    /// The most elements that the window holds; with each further one the oldest leaves.
    @inlinable public var capacity: Int { storage.capacity }

    /// The number of elements in the window.
    @inlinable public var count: Int { elementCount }

    @inlinable public var isEmpty: Bool { elementCount == 0 }

    /// A handle by which any thread may take snapshots, also after this object is gone.
    public var reader: SlidingWindowReader<Element> { SlidingWindowReader(storage: storage) }
}

// MARK: - Writing

extension SlidingWindow {
    /// Adds an element; in a full window the oldest leaves. O(1), wait-free.
    @inlinable
    public func append(_ element: Element) {
        withUnsafePointer(to: element) { pointer in
            storage.begin(end: end + 1)
            storage.write(pointer, toSlot: nextSlot)
        }
        end += 1
        nextSlot += 1
        if nextSlot == storage.slotCount { nextSlot = 0 }
        elementCount = min(elementCount + 1, capacity)
        storage.publish(end: end, count: count)
    }

    /// Adds elements, oldest first, in one step: a reader sees all of them or none.
    ///
    /// Of more than `capacity` elements only the last `capacity` are kept.
    @inlinable
    public func append(contentsOf elements: Span<Element>) {
        elements.withUnsafeBufferPointer { write($0, keeping: count) }
    }

    /// Adds elements, oldest first, in one step: a reader sees all of them or none.
    @inlinable
    public func append(contentsOf elements: [Element]) {
        elements.withUnsafeBufferPointer { write($0, keeping: count) }
    }

    /// Empties the window, in one step.
    @inlinable
    public func removeAll() {
        elementCount = 0
        storage.publish(end: end, count: 0)
    }

    /// Lets the oldest elements go, in one step.
    ///
    /// - Parameter gone: 0 ... `count` elements.
    @inlinable
    public func removeFirst(_ gone: Int) {
        precondition(gone >= 0 && gone <= count, "SlidingWindow: cannot remove \(gone) of \(count) elements")
        elementCount = count - gone
        storage.publish(end: end, count: count)
    }

    /// Replaces the content, in one step: a reader sees the old content or the new, never a mix.
    ///
    /// Of more than `capacity` elements only the last `capacity` are kept. While the new content is being written, a
    /// reader's attempt fails if old and new together do not fit the ring; it retries (see `SlidingWindowReader`).
    /// The elements must not be a span of this window's own memory, which is overwritten.
    @inlinable
    public func replaceAll(with elements: Span<Element>) {
        elements.withUnsafeBufferPointer { write($0, keeping: 0) }
    }

    /// Replaces the content, in one step: a reader sees the old content or the new, never a mix.
    @inlinable
    public func replaceAll(with elements: [Element]) {
        elements.withUnsafeBufferPointer { write($0, keeping: 0) }
    }

    @inlinable
    func write(_ elements: UnsafeBufferPointer<Element>, keeping kept: Int) {
        let taken = UnsafeBufferPointer(rebasing: elements.suffix(capacity))
        storage.begin(end: end + UInt64(taken.count))
        nextSlot = storage.write(taken, fromSlot: nextSlot)
        end += UInt64(taken.count)
        elementCount = min(kept + taken.count, capacity)
        storage.publish(end: end, count: count)
    }
}

// MARK: - The writer's own view

extension SlidingWindow {
    /// Calls `body` with the content in place, without a copy: the older and the newer part, each oldest first.
    ///
    /// Only the writer may look at the memory directly: while it looks, nobody writes. The newer part is empty unless
    /// the ring wraps round inside the content. `body` must not change this window.
    @inlinable
    public func withElements<Result, Failure: Error>(
        _ body: (_ older: Span<Element>, _ newer: Span<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let first = oldestSlot
        let olderCount = min(count, storage.slotCount - first)
        // Plain reads of words that only this thread stores to; other threads only load them.
        let memory = UnsafeRawPointer(storage.words).assumingMemoryBound(to: Element.self)
        let older = UnsafeBufferPointer(start: memory + first, count: olderCount)
        let newer = UnsafeBufferPointer(start: memory, count: count - olderCount)
        return try body(older.span, newer.span)
    }

    /// The element at a position, 0 being the oldest.
    @inlinable
    public subscript(position: Int) -> Element {
        precondition(position >= 0 && position < count, "SlidingWindow: position \(position) of \(count)")
        var slot = oldestSlot + position
        if slot >= storage.slotCount { slot -= storage.slotCount }
        return UnsafeRawPointer(storage.words).load(
            fromByteOffset: slot * MemoryLayout<Element>.stride, as: Element.self)
    }

    /// Calls `body` with each element, oldest first; it must not change this window.
    @inlinable
    public func forEach<Failure: Error>(_ body: (Element) throws(Failure) -> Void) throws(Failure) {
        for position in 0..<count {
            try body(self[position])
        }
    }

    @inlinable
    var oldestSlot: Int {
        let slot = nextSlot - count
        return slot < 0 ? slot + storage.slotCount : slot
    }
}
