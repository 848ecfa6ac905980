internal import CZlib
internal import CZstd
import Glibc

/// A file read from its beginning: plain, gzip or zstd, told apart by its first bytes and not by its name.
package final class CompressedFile {
    package enum Format: Sendable { case plain, gzip, zstd }

    package let path: String
    package let format: Format
    /// Bytes on the disk.
    package let size: Int64
    private var gzip: gzFile?
    private var zstd: OpaquePointer?
    private var descriptor: Int32 = -1
    private var input: [UInt8] = []
    private var inputStart = 0
    private var inputEnd = 0
    private var consumed: Int64 = 0
    /// Zstandard: what the last frame still wants; 0 at its end.
    private var wanted = 0

    /// - Throws: `ReplayError` where the file cannot be read.
    package init(path: String) throws {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ReplayError("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        var status = stat()
        fstat(descriptor, &status)
        guard status.st_mode & S_IFMT != S_IFDIR else {
            Glibc.close(descriptor)
            throw ReplayError("\(path) is a directory, not a file")
        }
        size = Int64(status.st_size)
        var magic = [UInt8](repeating: 0, count: 4)
        // A pipe cannot be looked into beforehand: it is read as it comes, which zlib does for plain and gzip alike.
        let count = pread(descriptor, &magic, 4, 0)
        if count == 4, magic == [0x28, 0xB5, 0x2F, 0xFD] {
            format = .zstd
            self.descriptor = descriptor
            zstd = ZSTD_createDStream()
            ZSTD_initDStream(zstd)
            input = [UInt8](repeating: 0, count: 1 << 18)
        } else {
            format = count >= 2 && magic[0] == 0x1F && magic[1] == 0x8B ? .gzip : .plain
            guard let file = gzdopen(descriptor, "rb") else {
                Glibc.close(descriptor)
                throw ReplayError("cannot read \(path): out of memory")
            }
            gzbuffer(file, 1 << 18)
            gzip = file
        }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit { close() }

    package func close() {
        if let gzip { gzclose(gzip) }
        gzip = nil
        if let zstd { ZSTD_freeDStream(zstd) }
        zstd = nil
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// How far the file has been read, in bytes on the disk.
    package var position: Int64 {
        guard let gzip else { return consumed }
        return max(0, Int64(gzoffset(gzip)))
    }

    /// Fills `buffer` as far as there is something; 0 at the end.
    ///
    /// - Throws: `ReplayError` where the file is damaged or cut off.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let gzip else { return try readZstandard(into: buffer) }
        let count = gzread(gzip, buffer.baseAddress, UInt32(min(buffer.count, 1 << 30)))
        var code: Int32 = 0
        if count < 0 {
            let text = gzerror(gzip, &code).map { String(cString: $0) } ?? ""
            throw ReplayError("\(path) is damaged: \(text)")
        }
        if count == 0 {
            _ = gzerror(gzip, &code)
            if code == Z_BUF_ERROR { throw ReplayError("\(path) is cut off: its compressed stream has no end") }
        }
        return Int(count)
    }

    private func readZstandard(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        while output.pos < output.size {
            if inputStart == inputEnd {
                let count = Glibc.read(descriptor, &input, input.count)
                guard count >= 0 else { throw ReplayError("cannot read \(path): \(String(cString: strerror(errno)))") }
                if count == 0 {
                    if wanted != 0, output.pos == 0 {
                        throw ReplayError("\(path) is cut off: its compressed stream has no end")
                    }
                    break
                }
                (inputStart, inputEnd) = (0, count)
                consumed += Int64(count)
            }
            let result = input.withUnsafeBytes { bytes -> Int in
                var source = ZSTD_inBuffer(src: bytes.baseAddress, size: inputEnd, pos: inputStart)
                defer { inputStart = source.pos }
                return ZSTD_decompressStream(zstd, &output, &source)
            }
            if ZSTD_isError(result) != 0 {
                throw ReplayError("\(path) is damaged: \(String(cString: ZSTD_getErrorName(result)))")
            }
            wanted = result
        }
        return output.pos
    }

    /// The whole file, unpacked.
    package static func read(_ path: String) throws -> [UInt8] {
        let file = try CompressedFile(path: path)
        defer { file.close() }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = try chunk.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }
}
