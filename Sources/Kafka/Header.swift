/// A header of a record.
public struct Header: Hashable, Sendable {
    /// The name; a record may carry the same name more than once.
    public var name: String
    /// The bytes; nil is the null of the protocol.
    public var value: [UInt8]?

    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    /// A header with text in UTF-8.
    public init(_ name: String, _ text: String) {
        self.init(name, Array(text.utf8))
    }
}
