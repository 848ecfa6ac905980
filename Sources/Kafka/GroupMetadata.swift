internal import CLibrdkafka

/// Who a consumer is in its group, and in which generation: what fences the offsets of a transaction.
///
/// Independent of the consumer's lifetime, but good only for the generation in which it was taken: take a new one in
/// ``RebalanceHandler/assigned``.
public final class GroupMetadata: @unchecked Sendable {
    // Immutable after creation: librdkafka only reads it.
    let native: OpaquePointer

    init(owning native: OpaquePointer) {
        self.native = native
    }

    deinit {
        rd_kafka_consumer_group_metadata_destroy(native)
    }
}
