public import Synchronization

/// A bounded queue from one thread to one other, without locks, by batches.
///
/// One thread at a time may call the producer's operations, one the consumer's. Indices grow for ever; the slot is the
/// index modulo the capacity, a power of two. Each side keeps the other's index as it last saw it, and looks at the
/// shared one only when that says full (or empty): in the usual case a batch costs one release store.
///
/// **Memory ordering.** An element is plain memory, handed over by `tail`: the producer's release store of `tail`
/// follows the element's initialisation, the consumer's acquire load precedes the move out. The slot goes back the
/// same way by `head`. Each index has one writer.
///
/// **Waiting** is the caller's: the queue does not know whether to spin, park or poll. To park without losing a wake:
/// ```
/// consumer:  if queue.consumerWillPark() { wait for the signal }      producer:  push …
///            pop …                                                               if queue.consumerNeedsWake() { signal }
/// ```
/// Both announce first, then pass a sequentially consistent fence, then look; one of the two must see the other
/// (Dekker's argument). A signal may be superfluous, never missing, provided that it is remembered if it comes before
/// the wait (a semaphore, or a flag under the condition's lock).
///
/// **Closing.** `close` ends the flow: pushes fail, what is inside can still be popped, then `isFinished` is true.
public final class SingleProducerSingleConsumerQueue<Element: Sendable>: @unchecked Sendable {
    /// Two lines of 64 bytes: adjacent lines are fetched together on current x86 processors.
    @usableFromInline static var lineBytes: Int { 128 }

    @usableFromInline
    struct Producer: ~Copyable {
        @usableFromInline let tail = Atomic<Int>(0)
        @usableFromInline var cachedHead = 0
        @usableFromInline init() {}
    }

    @usableFromInline
    struct Consumer: ~Copyable {
        @usableFromInline let head = Atomic<Int>(0)
        @usableFromInline var cachedTail = 0
        @usableFromInline init() {}
    }

    @usableFromInline
    struct Flags: ~Copyable {
        @usableFromInline let isClosed = Atomic<Bool>(false)
        @usableFromInline let consumerParks = Atomic<Bool>(false)
        @usableFromInline let producerParks = Atomic<Bool>(false)
        @usableFromInline init() {}
    }

    /// The most elements that are in the queue at a time.
    public let capacity: Int
    @usableFromInline let slots: UnsafeMutablePointer<Element>
    @usableFromInline let producer: UnsafeMutablePointer<Producer>
    @usableFromInline let consumer: UnsafeMutablePointer<Consumer>
    @usableFromInline let flags: UnsafeMutablePointer<Flags>

    /// Creates an empty, open queue; all memory is allocated here.
    ///
    /// - Parameter minimumCapacity: 1 ... 2^30 elements, rounded up to a power of two.
    public init(minimumCapacity: Int) {
        precondition(
            minimumCapacity >= 1 && minimumCapacity <= 1 << 30,
            "SingleProducerSingleConsumerQueue: capacity \(minimumCapacity) is outside 1 ... 2^30")
        var capacity = 1
        while capacity < minimumCapacity { capacity *= 2 }
        self.capacity = capacity
        slots = .allocate(capacity: capacity)
        let lines = UnsafeMutableRawPointer.allocate(byteCount: 3 * Self.lineBytes, alignment: Self.lineBytes)
        producer = lines.bindMemory(to: Producer.self, capacity: 1)
        consumer = (lines + Self.lineBytes).bindMemory(to: Consumer.self, capacity: 1)
        flags = (lines + 2 * Self.lineBytes).bindMemory(to: Flags.self, capacity: 1)
        producer.initialize(to: Producer())
        consumer.initialize(to: Consumer())
        flags.initialize(to: Flags())
    }

    deinit {
        let tail = producer.pointee.tail.load(ordering: .acquiring)
        for index in consumer.pointee.head.load(ordering: .acquiring)..<tail {
            (slots + (index & (capacity - 1))).deinitialize(count: 1)
        }
        slots.deallocate()
        producer.deinitialize(count: 1)
        consumer.deinitialize(count: 1)
        flags.deinitialize(count: 1)
        UnsafeMutableRawPointer(producer).deallocate()
    }

    /// The number of elements inside, as one moment saw it; from any thread.
    public var count: Int {
        // Head first: tail never falls behind it, so that the difference is not negative.
        let head = consumer.pointee.head.load(ordering: .acquiring)
        return min(producer.pointee.tail.load(ordering: .acquiring) - head, capacity)
    }

    /// Whether `close` was called; from any thread. Elements may still be inside.
    public var isClosed: Bool { flags.pointee.isClosed.load(ordering: .acquiring) }

    /// Ends the flow. Idempotent, from any thread; a push that runs at the same time may still succeed.
    public func close() {
        flags.pointee.isClosed.store(true, ordering: .releasing)
    }
}

// MARK: - Producer

extension SingleProducerSingleConsumerQueue {
    /// Adds an element; false if the queue is full or closed.
    @inlinable
    public func push(_ element: Element) -> Bool {
        let tail = producer.pointee.tail.load(ordering: .relaxed)
        guard freeSlots(tail: tail, wanted: 1) > 0 else { return false }
        (slots + (tail & (capacity - 1))).initialize(to: element)
        producer.pointee.tail.store(tail + 1, ordering: .releasing)
        return true
    }

    /// Adds as many elements as there is room for, in order, and returns how many; 0 if full or closed.
    @inlinable
    public func push(contentsOf elements: [Element]) -> Int {
        elements.withUnsafeBufferPointer { push($0) }
    }

    /// Adds as many elements as there is room for, in order, and returns how many; 0 if full or closed.
    @inlinable
    public func push(contentsOf elements: ArraySlice<Element>) -> Int {
        elements.withUnsafeBufferPointer { push($0) }
    }

    @inlinable
    func push(_ elements: UnsafeBufferPointer<Element>) -> Int {
        guard let source = elements.baseAddress, elements.count > 0 else { return 0 }
        let tail = producer.pointee.tail.load(ordering: .relaxed)
        let taken = min(elements.count, freeSlots(tail: tail, wanted: elements.count))
        guard taken > 0 else { return 0 }
        let slot = tail & (capacity - 1)
        let first = min(taken, capacity - slot)
        (slots + slot).initialize(from: source, count: first)
        slots.initialize(from: source + first, count: taken - first)
        producer.pointee.tail.store(tail + taken, ordering: .releasing)
        return taken
    }

    @inlinable
    func freeSlots(tail: Int, wanted: Int) -> Int {
        if flags.pointee.isClosed.load(ordering: .relaxed) { return 0 }
        var free = capacity - (tail - producer.pointee.cachedHead)
        if free < wanted {
            producer.pointee.cachedHead = consumer.pointee.head.load(ordering: .acquiring)
            free = capacity - (tail - producer.pointee.cachedHead)
        }
        return free
    }

    /// After a push or `close`: whether the consumer has announced that it parks, and so must be signalled.
    ///
    /// Answers true once for each announcement.
    public func consumerNeedsWake() -> Bool {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard flags.pointee.consumerParks.load(ordering: .relaxed) else { return false }
        return flags.pointee.consumerParks.exchange(false, ordering: .acquiringAndReleasing)
    }

    /// Announces that the producer is about to park for lack of room.
    ///
    /// - Returns: true if the queue is still full and open: park. False: do not, there is room, or it was closed.
    public func producerWillPark() -> Bool {
        flags.pointee.producerParks.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        let tail = producer.pointee.tail.load(ordering: .relaxed)
        let isFull = tail - consumer.pointee.head.load(ordering: .acquiring) == capacity
        if isFull && !isClosed { return true }
        flags.pointee.producerParks.store(false, ordering: .relaxed)
        return false
    }
}

// MARK: - Consumer

extension SingleProducerSingleConsumerQueue {
    /// Whether the queue is closed and everything in it was popped.
    public var isFinished: Bool {
        // Closed first: a push before the close is then visible in the tail.
        guard isClosed else { return false }
        return producer.pointee.tail.load(ordering: .acquiring) == consumer.pointee.head.load(ordering: .relaxed)
    }

    /// Removes the oldest element; nil if there is none.
    @inlinable
    public func pop() -> Element? {
        let head = consumer.pointee.head.load(ordering: .relaxed)
        guard filledSlots(head: head, wanted: 1) > 0 else { return nil }
        let element = (slots + (head & (capacity - 1))).move()
        consumer.pointee.head.store(head + 1, ordering: .releasing)
        return element
    }

    /// Moves up to `limit` elements, oldest first, to the end of an array, and returns how many.
    @inlinable
    public func pop(into elements: inout [Element], atMost limit: Int) -> Int {
        consume(atMost: limit) { elements.append($0) }
    }

    /// Calls `body` with up to `limit` elements, oldest first, and returns how many.
    ///
    /// The slots are given back together at the end, also if `body` throws: then up to and with the element that it
    /// threw on.
    @inlinable
    public func consume<Failure: Error>(
        atMost limit: Int, _ body: (consuming Element) throws(Failure) -> Void
    ) throws(Failure) -> Int {
        let head = consumer.pointee.head.load(ordering: .relaxed)
        let taken = min(limit, filledSlots(head: head, wanted: limit))
        var next = head
        // The store must follow every move, on both ways out.
        defer { if next != head { consumer.pointee.head.store(next, ordering: .releasing) } }
        while next - head < taken {
            let element = (slots + (next & (capacity - 1))).move()
            next += 1
            try body(element)
        }
        return max(taken, 0)
    }

    @inlinable
    func filledSlots(head: Int, wanted: Int) -> Int {
        var filled = consumer.pointee.cachedTail - head
        if filled < wanted {
            consumer.pointee.cachedTail = producer.pointee.tail.load(ordering: .acquiring)
            filled = consumer.pointee.cachedTail - head
        }
        return filled
    }

    /// Announces that the consumer is about to park for lack of elements.
    ///
    /// - Returns: true if the queue is still empty and open: park. False: do not, there is something to do.
    public func consumerWillPark() -> Bool {
        flags.pointee.consumerParks.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        let head = consumer.pointee.head.load(ordering: .relaxed)
        let isEmpty = producer.pointee.tail.load(ordering: .acquiring) == head
        if isEmpty && !isClosed { return true }
        flags.pointee.consumerParks.store(false, ordering: .relaxed)
        return false
    }

    /// After a pop or `close`: whether the producer has announced that it parks, and so must be signalled.
    ///
    /// Answers true once for each announcement.
    public func producerNeedsWake() -> Bool {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard flags.pointee.producerParks.load(ordering: .relaxed) else { return false }
        return flags.pointee.producerParks.exchange(false, ordering: .acquiringAndReleasing)
    }
}
