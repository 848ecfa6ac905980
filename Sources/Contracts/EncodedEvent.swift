/// A header of a Kafka record.
public struct EventHeader: Sendable, Equatable {
    public var name: String
    public var value: [UInt8]

    public init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }

    public init(_ name: String, _ value: String) {
        self.init(name: name, value: Array(value.utf8))
    }
}

/// An event ready to be produced: a CloudEvent in structured mode.
public struct EncodedEvent: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case decision, request, alert, verdict

        /// The CloudEvents type.
        public var type: String { "driftgate.\(rawValue).v1" }
    }

    public var kind: Kind
    /// The key of the record: the model, so that everything about one model stays in order; the application id for
    /// alerts that concern no model.
    public var key: [UInt8]
    public var value: [UInt8]
    public var headers: [EventHeader]

    public init(kind: Kind, key: [UInt8], value: [UInt8], headers: [EventHeader]) {
        self.kind = kind
        self.key = key
        self.value = value
        self.headers = headers
    }
}
