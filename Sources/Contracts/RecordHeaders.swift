/// The headers of a Kafka record, looked at only when they are needed.
///
/// A shell wraps whatever its client hands out; nothing is copied or listed per message.
public protocol RecordHeaders {
    /// True where the record has no headers at all. Asked of every record, so it has to be cheap.
    var isEmpty: Bool { get }

    /// The last value under this name (names are case-sensitive in Kafka); nil where there is none.
    ///
    /// The bytes must stay valid until `RecordDecoder.decode` returns.
    func value(of name: StaticString) -> UnsafeRawBufferPointer?
}

/// For records that come from somewhere without headers, such as a file.
public struct NoHeaders: RecordHeaders, Sendable {
    public init() {}
    public var isEmpty: Bool { true }
    public func value(of name: StaticString) -> UnsafeRawBufferPointer? { nil }
}
