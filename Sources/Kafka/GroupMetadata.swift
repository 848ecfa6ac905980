internal import CLibrdkafka

/// Who a consumer is in its group, and in which generation: what fences the offsets of a transaction.
///
/// Independent of the consumer's lifetime, but good only for the generation in which it was taken: take a new one in
/// ``RebalanceHandler/assigned``.
public final class GroupMetadata: @unchecked Sendable {
    // Immutable after creation: librdkafka only reads it.
    let native: OpaquePointer

    /// The generation and member that it was made of by hand; nil where a consumer gave it.
    public let made: Member?

    /// A member of a group in one generation.
    public struct Member: Hashable, Sendable {
        public var group: String
        public var generation: Int32
        public var id: String

        public init(group: String, generation: Int32, id: String) {
            self.group = group
            self.generation = generation
            self.id = id
        }
    }

    init(owning native: OpaquePointer) {
        self.native = native
        made = nil
    }

    /// For groups that librdkafka has no part in, such as those of a simulated log.
    public init(_ member: Member) {
        native = rd_kafka_consumer_group_metadata_new_with_genid(member.group, member.generation, member.id, nil)
        made = member
    }

    deinit {
        rd_kafka_consumer_group_metadata_destroy(native)
    }
}
