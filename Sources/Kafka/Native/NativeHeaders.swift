internal import CLibrdkafka

/// Owns a `rd_kafka_headers_t` until a record has taken it over.
struct NativeHeaders: ~Copyable {
    /// Nil where there are no headers.
    private(set) var pointer: OpaquePointer?

    init(_ headers: [Header]) throws(KafkaError) {
        guard !headers.isEmpty else { return }
        pointer = rd_kafka_headers_new(headers.count)
        for header in headers {
            let value = header.value
            let result = (value ?? []).withUnsafeBytes { bytes in
                // An empty value is not null, and librdkafka tells them apart by the address.
                let address = value == nil ? nil : bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
                return rd_kafka_header_add(pointer, header.name, -1, address, bytes.count)
            }
            try KafkaError.check(result, "add header '\(header.name)'")
        }
    }

    deinit {
        if let pointer { rd_kafka_headers_destroy(pointer) }
    }

    /// librdkafka has taken the headers over.
    mutating func handOver() {
        pointer = nil
    }
}
