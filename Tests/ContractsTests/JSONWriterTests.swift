import Testing

@testable import Contracts

/// Protects: what is written is JSON, is the same every time, and reads back as what it was.
@Suite struct JSONWriterTests {
    private func text(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func structure() {
        let json = text { writer in
            writer.beginObject()
            writer.field("a", "x")
            writer.object("b") { _ in }
            writer.array("c", [1, 2]) { $0.write($1) }
            writer.array("d", [Int]()) { $0.write($1) }
            writer.field("e", nil as Int?)
            writer.field("f", true)
            writer.array("g", ["y", "z"]) { writer, text in
                writer.beginObject()
                writer.field("t", text)
                writer.endObject()
            }
            writer.endObject()
        }
        #expect(json == #"{"a":"x","b":{},"c":[1,2],"d":[],"e":null,"f":true,"g":[{"t":"y"},{"t":"z"}]}"#)
    }

    @Test func doubles() {
        let cases: [(Double, String)] = [
            (0, "0"), (-0.0, "-0"), (1, "1"), (100, "100"), (0.1, "0.1"), (1e-5, "1e-05"), (1e16, "1e+16"),
            (.leastNonzeroMagnitude, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
            (0.1 + 0.2, "0.30000000000000004"),
            (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
        ]
        for (number, expected) in cases { #expect(text { $0.write(number) } == expected) }
    }

    @Test func integers() {
        #expect(text { $0.write(Int64.min) } == "-9223372036854775808")
        #expect(text { $0.write(UInt64.max) } == "18446744073709551615")
    }

    @Test func escapes() {
        #expect(
            text { $0.write("a\"b\\c/\n\r\t\u{0}\u{1F}\u{7F}é😀") } == #""a\"b\\c/\n\r\t\u0000\u001f"# + "\u{7F}é😀\"")
    }
}
