import Foundation

/// A client that sends exactly the bytes it is told to: what a hostile one does.
final class RawConnection {
    private let socket: Int32

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let outcome = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard outcome == 0 else { throw POSIXError(.ECONNREFUSED) }
    }

    deinit { close(socket) }

    /// - Returns: whether all was taken.
    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Everything until the server closes, or until `text` has come.
    func read(until text: String? = nil, seconds: Int = 30) -> (text: String, isClosed: Bool) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        while true {
            let count = recv(socket, &chunk, chunk.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) {
                return (String(decoding: bytes, as: UTF8.self), true)
            }
            guard count > 0 else { return (String(decoding: bytes, as: UTF8.self), false) }
            bytes += chunk[..<count]
            if let text, String(decoding: bytes, as: UTF8.self).contains(text) {
                return (String(decoding: bytes, as: UTF8.self), false)
            }
        }
    }
}

/// One request on a connection of its own; the whole answer, with its head.
func ask(
    _ port: Int, _ path: String, method: String = "GET", host: String? = nil, headers: [String] = []
) throws -> String {
    let connection = try RawConnection(port: port)
    let lines =
        ["\(method) \(path) HTTP/1.1", "Host: \(host ?? "127.0.0.1:\(port)")", "Connection: close"] + headers
    connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
    return connection.read().text
}

extension String {
    /// Of an HTTP answer.
    var status: Int { Int(split(separator: " ").dropFirst().first ?? "") ?? 0 }
    var body: String { range(of: "\r\n\r\n").map { String(self[$0.upperBound...]) } ?? "" }
}
