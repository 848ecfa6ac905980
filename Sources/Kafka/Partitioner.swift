internal import CLibrdkafka

/// Where a key belongs, as the Java clients have it.
public enum Partitioner {
    /// The partition of a key under Java's default partitioner (murmur2).
    ///
    /// - Parameter partitions: at least 1.
    public static func murmur2(_ key: UnsafeRawBufferPointer, _ partitions: Int) -> Int32 {
        rd_kafka_msg_partitioner_murmur2(nil, key.baseAddress, key.count, Int32(clamping: partitions), nil, nil)
    }
}
