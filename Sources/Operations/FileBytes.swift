import Glibc

/// Why a file could not be read, as the end of a sentence that begins with its name.
struct FileReadError: Error {
    var message: String
}

enum FileBytes {
    /// All bytes of a regular file, or of whatever else can be read to its end, such as a pipe.
    static func read(_ path: String, bytesMax: Int) throws(FileReadError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileReadError(message: reason(errno)) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileReadError(message: reason(errno)) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= bytesMax else {
                throw FileReadError(message: "is larger than \(bytesMax / 1024) KiB")
            }
        }
    }

    static func reason(_ code: Int32) -> String {
        switch code {
        case ENOENT: "does not exist"
        case EACCES, EPERM: "may not be read by this user"
        case EISDIR: "is a directory"
        default: "cannot be read: \(String(cString: strerror(code)))"
        }
    }
}
