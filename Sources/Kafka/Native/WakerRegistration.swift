internal import CLibrdkafka

/// Ties a queue to a ``Waker`` for as long as it lives. Must be released before the queue.
struct WakerRegistration: ~Copyable {
    private let queue: OpaquePointer
    private let waker: Waker

    init(queue: OpaquePointer, waker: Waker) {
        self.queue = queue
        self.waker = waker
        var payload: UInt64 = 1
        rd_kafka_queue_io_event_enable(queue, waker.fileDescriptor, &payload, MemoryLayout<UInt64>.size)
        // The queue signals when it turns from empty to filled, and it may be filled already.
        waker.signal()
    }

    deinit {
        // No thread of librdkafka may write to the descriptor after it was closed.
        rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
    }
}
