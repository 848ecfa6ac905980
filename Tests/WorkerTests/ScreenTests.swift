import Testing

@testable import driftgate

/// Protects: `status --watch` draws over what was there, and never more than the window holds.
@Suite struct ScreenTests {
    @Test func whatFitsIsShown() {
        let frame = Screen.frame("one\ntwo\n", rows: 24, columns: 80)
        #expect(frame == "\u{1B}[Hone\u{1B}[K\ntwo\u{1B}[K\n\u{1B}[J")
    }

    @Test func whatDoesNotFitIsCounted() {
        let text = (1...50).map { "line \($0) " + String(repeating: "x", count: 100) }.joined(separator: "\n")
        let lines = Screen.frame(text, rows: 10, columns: 40).split(separator: "\n")
        #expect(lines.count == 10)
        #expect(lines[7].contains("line 8 ") && lines[7].contains("xx…"))
        #expect(lines[8].contains("42 more lines"))
        for line in lines.dropFirst().dropLast() { #expect(line.count <= 40 + 3) }
    }
}
