import Glibc

/// Lines of a file, without their ends. A line is valid until the next call.
package final class LineReader {
    package let file: CompressedFile
    /// Lines handed out so far.
    package private(set) var count: Int64 = 0
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// A longer line is handed out in its first part, and the rest is skipped.
    private let longest: Int

    package init(_ file: CompressedFile, longest: Int = 8 << 20) {
        self.file = file
        self.longest = longest
        buffer = .allocate(byteCount: min(1 << 20, 2 * longest + 2), alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// The next line; nil at the end of the file.
    package func next() throws -> UnsafeRawBufferPointer? {
        var searched = start
        while true {
            if let newline = memchr(buffer.baseAddress! + searched, 10, end - searched) {
                let position = UnsafeRawPointer(newline) - UnsafeRawPointer(buffer.baseAddress!)
                defer { start = position + 1 }
                return line(to: position)
            }
            searched = end
            if isAtEnd {
                guard start < end else { return nil }
                defer { start = end }
                return line(to: end)
            }
            if end - start > longest { return try skipRest() }
            let before = start
            try fill()
            searched -= before - start
        }
    }

    private func line(to position: Int) -> UnsafeRawBufferPointer {
        count += 1
        var last = position
        if last > start, buffer[last - 1] == 13 { last -= 1 }
        return UnsafeRawBufferPointer(rebasing: buffer[start..<last])
    }

    /// Makes room and reads on.
    private func fill() throws {
        if start > 0 {
            buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + start, byteCount: end - start)
            (start, end) = (0, end - start)
        }
        if end == buffer.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * buffer.count, alignment: 16)
            larger.baseAddress!.copyMemory(from: buffer.baseAddress!, byteCount: end)
            buffer.deallocate()
            buffer = larger
        }
        let read = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
        if read == 0 { isAtEnd = true }
        end += read
    }

    /// Hands out the beginning of an over-long line, and reads to its end.
    private func skipRest() throws -> UnsafeRawBufferPointer {
        count += 1
        let kept = longest + 1
        buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + start, byteCount: kept)
        while true {
            let read = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[kept...]))
            if read == 0 {
                isAtEnd = true
                (start, end) = (0, 0)
                break
            }
            if let newline = memchr(buffer.baseAddress! + kept, 10, read) {
                start = UnsafeRawPointer(newline) - UnsafeRawPointer(buffer.baseAddress!) + 1
                end = kept + read
                break
            }
        }
        return UnsafeRawBufferPointer(rebasing: buffer[..<kept])
    }
}
