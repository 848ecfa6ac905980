/// Base64 with the standard alphabet. RFC 4648, section 4.
enum Base64 {
    /// Decodes into `output`, which must have room for as many bytes as the text has.
    ///
    /// Padding may be missing; anything else outside the alphabet is refused.
    /// - Returns: the number of bytes; nil where the text is no Base64.
    static func decode(_ text: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Int? {
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
        guard end % 4 != 1, end == text.count || text.count % 4 == 0 else { return nil }
        var bits: UInt32 = 0
        var held = 0
        var count = 0
        for index in 0..<end {
            guard let value = value(of: text[index]) else { return nil }
            bits = bits << 6 | UInt32(value)
            held += 6
            if held >= 8 {
                held -= 8
                output[count] = UInt8(truncatingIfNeeded: bits >> UInt32(held))
                count += 1
            }
        }
        return count
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
