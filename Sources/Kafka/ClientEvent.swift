/// What a poll of a client brought, apart from records.
public enum ClientEvent: Sendable {
    /// Nothing within the time given.
    case none
    /// Something failed in the background. librdkafka repairs what it can by itself; act on ``KafkaError/isFatal``.
    case error(KafkaError)
    /// librdkafka's statistics: one JSON object in UTF-8.
    case statistics([UInt8])
    /// A line that librdkafka would have written to standard error.
    case log(LogLine)
}

/// A line of librdkafka's log.
public struct LogLine: Hashable, Sendable {
    /// Severity as in syslog: 0 emergency … 3 error, 4 warning, 6 information, 7 debug.
    public var level: Int
    /// What wrote it, such as `FAIL`.
    public var facility: String
    public var message: String

    public init(level: Int, facility: String, message: String) {
        self.level = level
        self.facility = facility
        self.message = message
    }
}
