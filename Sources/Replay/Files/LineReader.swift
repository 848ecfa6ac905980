import Glibc

/// Lines of a file, without their ends and without a byte order mark at the beginning. A line is valid until the next
/// call.
package final class LineReader {
    package let file: CompressedFile
    /// Lines handed out so far.
    package private(set) var count: Int64 = 0
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// Bytes that the file gave so far, unpacked.
    private var unpacked: Int64 = 0
    /// A longer line is handed out in its first part, and the rest is skipped.
    private let longest: Int

    package init(_ file: CompressedFile, longest: Int = 8 << 20) {
        self.file = file
        self.longest = longest
        buffer = .allocate(byteCount: min(1 << 20, 2 * longest + 2), alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// How far the lines that were handed out reach, in bytes on the disk: about, where the file is packed.
    package var position: Int64 {
        guard unpacked > 0 else { return 0 }
        return Int64(Double(file.position) * (1 - Double(end - start) / Double(max(unpacked, Int64(end - start)))))
    }

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
        if count == 0, position - start >= 3, buffer[start] == 0xEF, buffer[start + 1] == 0xBB,
            buffer[start + 2] == 0xBF
        {
            start += 3
        }
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
        unpacked += Int64(read)
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
