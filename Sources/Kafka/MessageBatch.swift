internal import CLibrdkafka

/// A reusable block of records from one queue: no payload is copied and nothing is allocated per record.
///
/// The caller keeps its own position in the batch, may stop anywhere, read from other batches and come back. The
/// records stay in memory until ``clear()``.
///
/// ```swift
/// let batch = MessageBatch(capacity: 1000)
/// while queue.fill(batch) > 0 {
///     for message in batch where message.isRecord { use(message.value) }
///     batch.clear()
/// }
/// ```
///
/// Threads: belongs to the consumer's thread.
public final class MessageBatch {
    /// How many entries fit in.
    public let capacity: Int
    /// How many entries are in.
    public private(set) var count = 0
    /// Before librdkafka 2.1, slots from `count` on are nil; later versions leave stale pointers there.
    private let slots: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    /// Keeps the client from being destroyed under the records.
    private var owner: ConsumerHandle?
    /// Entries that librdkafka did not bring; then all are such.
    private var foreign: [ForeignRecord] = []

    /// - Parameter capacity: at least 1.
    public init(capacity: Int) {
        precondition(capacity > 0, "a batch holds at least one record")
        self.capacity = capacity
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: nil, count: capacity)
    }

    deinit {
        clear()
        releaseIfEmpty()
        slots.deallocate()
    }

    /// Gives all records back; views of them become invalid.
    public func clear() {
        guard count > 0 else { return }
        if foreign.isEmpty {
            clibrdkafka_destroy_messages(slots, count)
        } else {
            foreign.removeAll(keepingCapacity: true)
        }
        count = 0
        if let owner, owner.isAbandoned { releaseIfEmpty() }
    }

    /// Takes up to `capacity` entries from a queue.
    ///
    /// - Parameter timeout: how long to wait for a *full* batch, in milliseconds.
    func fill(from queue: OpaquePointer, owner: ConsumerHandle, timeout: Int32) -> Int {
        precondition(count == 0, "clear the batch before it is filled again: its records would be lost")
        if self.owner !== owner { change(owner: owner) }
        let received = rd_kafka_consume_batch_queue(queue, timeout, slots, capacity)
        count = Swift.max(0, received)
        return count
    }

    /// Adds one entry; there must be room.
    func append(_ message: UnsafeMutablePointer<rd_kafka_message_t>, owner: ConsumerHandle) {
        precondition(count < capacity)
        if self.owner !== owner { change(owner: owner) }
        slots[count] = message
        count += 1
    }

    /// Adds one entry that librdkafka did not bring; there must be room, and no entry that it did bring.
    public func append(_ record: ForeignRecord) {
        precondition(count < capacity && count == foreign.count, "full, or holds records of librdkafka")
        foreign.append(record)
        count += 1
    }

    /// How many entries librdkafka has written so far, while it is filling. Before librdkafka 2.1 only.
    var writtenCount: Int {
        var written = 0
        while written < capacity, slots[written] != nil { written += 1 }
        return written
    }

    /// Gives the first `number` entries back and moves the others up.
    func dropFirst(_ number: Int) {
        clibrdkafka_destroy_messages(slots, number)
        for index in number..<count {
            slots[index - number] = slots[index]
            slots[index] = nil
        }
        count -= number
    }

    /// Called when the consumer is closed.
    func release() {
        clear()
        owner = nil
    }

    /// Lets go of the client unless it is needed for the records.
    func releaseIfEmpty() {
        guard count == 0 else { return }
        owner?.forget(self)
        owner = nil
    }

    private func change(owner: ConsumerHandle) {
        self.owner?.forget(self)
        self.owner = owner
        owner.remember(self)
    }
}

extension MessageBatch: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    /// The entry at `position`, in the order of arrival.
    public subscript(position: Int) -> MessageView {
        precondition(position >= 0 && position < count, "the batch has \(count) entries")
        return foreign.isEmpty ? MessageView(slots[position]!) : MessageView(foreign[position])
    }
}
