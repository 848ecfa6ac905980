public import Synchronization

/// The memory that a sliding window's writer and its readers share, and the protocol by which they share it.
///
/// ## Layout
///
/// A ring of `slotCount` slots, each a whole number of 64-bit words. Elements are numbered 0, 1, 2, … in the order
/// in which they were ever written; element *i* lives in slot *i* mod `slotCount`. The ring has a few more slots than
/// the window has elements (`slotCount` = capacity + 1/32, at least 8), so that a reader is disturbed only by a
/// writer that appends more than that surplus while the reader copies.
///
/// Two atomic words describe the content:
/// - `published` = (end, count) in one word: the window holds the elements end − count ..< end. Being one word, a
///   reader can never see the end of one state with the count of another; this makes `removeAll` and `replaceAll`
///   single steps.
/// - `begun`: the writer may have started to write any element below this number.
///
/// ## Memory ordering
///
/// Writer, for each batch:                     Reader, for each attempt:
/// ```
/// W1  begun.store(new end, relaxed)           R1  published.load(acquire) → (end, count)
/// W2  fence(release)                          R2  words[…].load(relaxed)   the elements end − count ..< end
/// W3  words[…].store(relaxed)                 R3  fence(acquire)
/// W4  published.store(new state, release)     R4  begun.load(relaxed) → b
///                                                 valid if b ≤ (end − count) + slotCount
/// ```
/// All shared words, the payload included, are atomics: there is no data race by the rules of C++11, which are
/// Swift's and LLVM's, and nothing for ThreadSanitizer to report (it does not model fences, and need not here: no
/// plain memory is handed from thread to thread). It remains to show that a *valid* attempt copied one state.
/// - Not older: R1 reads what W4 stored, or a later store, so all W3 of the elements below `end` happen before R2
///   (release/acquire), and by coherence R2 cannot read anything older.
/// - Not newer: suppose that R2 read, in a slot of element *i*, a word of a later element *j* = i + k · slotCount,
///   k ≥ 1. The release fence W2 of j's batch precedes that store in program order, the acquire fence R3 follows the
///   load, so W2 synchronises with R3 ([atomics.fences] 2), and W1 happens before R4. `begun` only grows, hence
///   b ≥ j + 1 > i + slotCount ≥ (end − count) + slotCount: the attempt is not valid.
///
/// Every valid attempt is therefore exactly the state that R1 saw: the snapshot takes effect, as one step, at R1.
/// The writer never waits and never looks at readers. A reader retries a bounded number of times.
@usableFromInline
final class SlidingWindowStorage<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// Bits of `published` that hold the count; the others hold the end.
    ///
    /// 44 bits of end: at a million elements a second, half a year in one window; at a thousand, 557 years.
    @usableFromInline static var countBits: UInt64 { 20 }
    @usableFromInline static var maximumEnd: UInt64 { (1 << (64 - countBits)) - 1 }

    @usableFromInline static var wordsPerElement: Int { MemoryLayout<Element>.stride / 8 }

    @usableFromInline let capacity: Int
    @usableFromInline let slotCount: Int
    @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let published = Atomic<UInt64>(0)
    @usableFromInline let begun = Atomic<UInt64>(0)

    @usableFromInline
    init(capacity: Int) {
        precondition(
            MemoryLayout<Element>.stride % 8 == 0,
            "SlidingWindow: the stride of \(Element.self) must be a multiple of 8 bytes; add a 64-bit field or padding")
        precondition(
            capacity >= 1 && capacity <= SlidingWindow<Element>.maximumCapacity,
            "SlidingWindow: capacity \(capacity) is outside 1 ... \(SlidingWindow<Element>.maximumCapacity)")
        self.capacity = capacity
        slotCount = capacity + max(8, capacity / 32)
        let wordCount = slotCount * Self.wordsPerElement
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: wordCount * 8, alignment: max(64, MemoryLayout<Element>.alignment))
        words = memory.bindMemory(to: Atomic<UInt64>.self, capacity: wordCount)
        for index in 0..<wordCount {
            (words + index).initialize(to: Atomic(0))
        }
    }

    deinit {
        words.deinitialize(count: slotCount * Self.wordsPerElement)
        UnsafeMutableRawPointer(words).deallocate()
    }

    // MARK: Writer

    /// Announces that elements below `end` are about to be written (W1 and W2).
    @inlinable
    func begin(end: UInt64) {
        precondition(end <= Self.maximumEnd, "SlidingWindow: more than 2^44 elements were written to one window")
        begun.store(end, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
    }

    /// Writes consecutive elements from a slot on, wrapping round (W3), and returns the slot after the last.
    @inlinable
    func write(_ elements: UnsafeBufferPointer<Element>, fromSlot first: Int) -> Int {
        var slot = first
        for index in 0..<elements.count {
            write(elements.baseAddress! + index, toSlot: slot)
            slot += 1
            if slot == slotCount { slot = 0 }
        }
        return slot
    }

    @inlinable
    func write(_ element: UnsafePointer<Element>, toSlot slot: Int) {
        let source = UnsafeRawPointer(element)
        let target = words + slot * Self.wordsPerElement
        let wholeWords = MemoryLayout<Element>.size / 8
        for word in 0..<wholeWords {
            target[word].store(source.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self), ordering: .relaxed)
        }
        let rest = MemoryLayout<Element>.size % 8
        if rest != 0 {
            // A value owns its size, not its stride: the padding behind it must not be read.
            var word: UInt64 = 0
            withUnsafeMutableBytes(of: &word) { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(start: source + wholeWords * 8, count: rest))
            }
            target[wholeWords].store(word, ordering: .relaxed)
        }
    }

    /// Makes the elements end − count ..< end the content (W4).
    @inlinable
    func publish(end: UInt64, count: Int) {
        published.store(end << Self.countBits | UInt64(count), ordering: .releasing)
    }

    // MARK: Readers

    @inlinable
    var publishedCount: Int {
        Int(published.load(ordering: .acquiring) & ((1 << Self.countBits) - 1))
    }

    /// Copies the content, oldest first, and returns the number of elements, or nil if the writer outran every attempt.
    ///
    /// - Parameters:
    ///   - destination: room for `capacity` elements.
    ///   - onStep: called before each element is copied and, with position = count, before the check; the tests run
    ///     the writer there, to force every interleaving.
    @inlinable
    func snapshot(
        into destination: UnsafeMutableRawPointer, attempts: Int, onStep: (_ attempt: Int, _ position: Int) -> Void
    ) -> Int? {
        for attempt in 0..<attempts {
            let state = published.load(ordering: .acquiring)
            let count = Int(state & ((1 << Self.countBits) - 1))
            let start = (state >> Self.countBits) - UInt64(count)
            var slot = Int(start % UInt64(slotCount))
            for position in 0..<count {
                onStep(attempt, position)
                copy(slot: slot, to: destination + position * MemoryLayout<Element>.stride)
                slot += 1
                if slot == slotCount { slot = 0 }
            }
            onStep(attempt, count)
            atomicMemoryFence(ordering: .acquiring)
            if begun.load(ordering: .relaxed) <= start + UInt64(slotCount) { return count }
        }
        return nil
    }

    @inlinable
    func copy(slot: Int, to destination: UnsafeMutableRawPointer) {
        let source = words + slot * Self.wordsPerElement
        for word in 0..<Self.wordsPerElement {
            destination.storeBytes(of: source[word].load(ordering: .relaxed), toByteOffset: word * 8, as: UInt64.self)
        }
    }
}
