/// `traceparent` of W3C Trace Context, level 1, section 3.2.
enum TraceParent {
    /// The trace is the request: the same on every re-send, so that all that a trainer does for it is one trace. The
    /// parent is the sending.
    static func text(requestID: String, eventID: String) -> String {
        let low = fnv1a(requestID, 0xcbf2_9ce4_8422_2325)
        // A second, independent-looking half: the same function over the same text from another start.
        let high = fnv1a(requestID, low ^ 0x9e37_79b9_7f4a_7c15)
        let parent = fnv1a(eventID, 0xcbf2_9ce4_8422_2325)
        return "00-\(hexadecimal(nonZero(high)))\(hexadecimal(low))-\(hexadecimal(nonZero(parent)))-01"
    }

    /// Fowler, Noll and Vo's hash, FNV-1a with 64 bits, then a mixer (Stafford's variant 13) so that short texts that
    /// differ in one character differ in about half of all bits.
    private static func fnv1a(_ text: String, _ start: UInt64) -> UInt64 {
        var hash = start
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return hash ^ (hash >> 31)
    }

    /// All zeros are invalid as a trace and as a parent.
    private static func nonZero(_ value: UInt64) -> UInt64 { value == 0 ? 1 : value }

    private static func hexadecimal(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
