/// An entry of a ``MessageBatch`` that librdkafka did not bring: what a simulated log hands out.
public final class ForeignRecord {
    public enum Kind: Sendable {
        case record
        /// `offset` is that of the next record to come.
        case endOfPartition
        case error(KafkaError)
    }

    public let kind: Kind
    public let partition: TopicPartition
    public let offset: Int64
    /// Milliseconds since 1970; -1 for none.
    public let timestamp: Int64
    public let headers: [Header]
    let key: UnsafeRawBufferPointer
    let value: UnsafeRawBufferPointer
    /// Each header's value at an address that stays.
    let headerValues: [UnsafeRawBufferPointer]

    public init(
        _ kind: Kind = .record, _ partition: TopicPartition, offset: Int64, timestamp: Int64 = -1,
        key: [UInt8]? = nil, value: [UInt8]? = nil, headers: [Header] = []
    ) {
        self.kind = kind
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.headers = headers
        self.key = Self.copy(key)
        self.value = Self.copy(value)
        headerValues = headers.map { Self.copy($0.value) }
    }

    deinit {
        for bytes in headerValues + [key, value] { bytes.baseAddress?.deallocate() }
    }

    private static func copy(_ bytes: [UInt8]?) -> UnsafeRawBufferPointer {
        guard let bytes else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        // An empty value is not a tombstone: it has an address.
        let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
        bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { copy.copyMemory(from: base, byteCount: source.count) }
        }
        return UnsafeRawBufferPointer(start: copy, count: bytes.count)
    }
}
