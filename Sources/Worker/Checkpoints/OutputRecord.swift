import Contracts
import Kafka
import Retraining

/// A record that waits for the next checkpoint.
struct OutputRecord {
    var topic: String
    /// Nil lets the key decide.
    var partition: Int32?
    var key: [UInt8]?
    /// Nil deletes the key.
    var value: [UInt8]?
    var headers: [Header] = []
    /// Nil is when it is sent.
    var timestamp: Milliseconds?

    var byteCount: Int { (key?.count ?? 0) + (value?.count ?? 0) + 64 }
}

extension OutputRecord {
    init(_ event: EncodedEvent, _ topics: TopicNames) {
        topic =
            switch event.kind {
            case .decision, .verdict: topics.decisions
            case .request: topics.requests
            case .alert: topics.alerts
            }
        key = event.key
        value = event.value
        headers = event.headers.map { Header($0.name, $0.value) }
    }

    /// A broker takes a little more than 1 MB by default.
    private static let deadLetterBytes = 900_000
    private static let shortenedBytes = 65_536

    /// The original bytes, key and headers, and behind them the reason. What would be larger than brokers take by
    /// default is shortened, and a header says by how much: a record must not stop the worker by its size.
    init(deadLetter message: MessageView, reasons: [EventHeader], topic: String) {
        self.topic = topic
        headers = message.headers
        var bytes = message.value
        let size = headers.reduce(message.key.count) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
        if size + bytes.count > Self.deadLetterBytes {
            headers = size > Self.shortenedBytes ? [] : headers
            headers.append(Header("driftgate.original.bytes", String(bytes.count)))
            bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.shortenedBytes))
        }
        headers += reasons.map { Header($0.name, $0.value) }
        let hasKey = message.key.baseAddress != nil && message.key.count <= Self.shortenedBytes
        key = hasKey ? Array(message.key) : nil
        value = bytes.baseAddress == nil ? nil : Array(bytes)
        timestamp = message.timestamp >= 0 ? message.timestamp : nil
    }
}
