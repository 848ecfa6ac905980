import CZlib

/// A gzip file (or a plain one), read whole.
enum GzipFile {
    /// - Throws: `DemoError` where the file is not there or damaged.
    static func read(_ path: String) throws -> [UInt8] {
        guard let file = gzopen(path, "rb") else {
            throw DemoError("cannot open \(path): is it there, and readable?")
        }
        defer { gzclose(file) }
        gzbuffer(file, 1 << 17)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = gzread(file, &chunk, UInt32(chunk.count))
            guard count >= 0 else { throw DemoError("\(path) is damaged: it cannot be unpacked") }
            if count == 0 { return bytes }
            bytes += chunk[0..<Int(count)]
        }
    }
}
