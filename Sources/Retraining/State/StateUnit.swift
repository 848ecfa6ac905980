/// One part of an engine's state that is written and read on its own, so that a large state streams.
public struct StateUnit: Hashable, Sendable {
    enum Content: Hashable, Sendable {
        /// Where the engine stands, its counters, and the settings that shape the rest.
        case core
        /// Names of entities, versions and metrics, and actuals that named no model.
        case names
        case lane(Int)
        /// Load of all machines together.
        case everything
        case pool(Int32)
        case model(Int32)
    }

    /// Names the unit among those of a state: printable ASCII without spaces.
    public let key: String
    let content: Content

    static let core = StateUnit(key: "core", content: .core)
    static let names = StateUnit(key: "names", content: .names)
    static let everything = StateUnit(key: "everything", content: .everything)

    /// Letters, digits and `.`, `_` and `-` as they are, every other byte as `%XX`.
    static func escaped(_ name: UnsafeBufferPointer<UInt8>) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in name {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func escaped(_ name: String) -> String {
        var name = name
        return name.withUTF8 { escaped($0) }
    }
}

/// Where an evaluation cut one input partition.
public struct CutPosition: Sendable, Equatable {
    public var topic: String
    public var partition: Int32
    public var role: InputRole
    /// The first offset that the evaluation had not seen.
    public var nextOffset: Int64
    /// Highest merge time of what it had seen; nil where that was nothing.
    public var mergeTime: Milliseconds?
}
