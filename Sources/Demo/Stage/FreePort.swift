import Glibc

/// A port of 127.0.0.1 that nobody listens to at the moment.
enum FreePort {
    /// The preferred one, else any; nil where there is none.
    static func find(preferred: UInt16) -> Int? { probe(preferred) ?? probe(0) }

    private static func probe(_ port: UInt16) -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // Connections of a demo before this one may still be closing: that takes the port from nobody who listens.
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let outcome = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        return outcome ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }
}
