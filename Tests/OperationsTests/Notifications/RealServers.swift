import Foundation
import FoundationNetworking

/// A server on 127.0.0.1 as a process of its own: it writes its port as the first line, then a line of JSON for each
/// request that it takes.
final class RealServer {
    private let process = Process()
    private let output = Pipe()
    private var unread = Data()
    let port: Int

    /// aiosmtpd, where `scripts/test-tools` could install it.
    static let python = TestFolder.root + "/.build/test-tools/bin/python3"
    static let hasMailServer = FileManager.default.isExecutableFile(atPath: python)

    init(python script: String, by interpreter: String = "/usr/bin/env", arguments: [String] = []) throws {
        process.executableURL = URL(fileURLWithPath: interpreter)
        process.arguments = (interpreter == "/usr/bin/env" ? ["python3"] : []) + ["-u", "-c", script] + arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var first = Data()
        while !first.contains(0x0A) {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw ServerError() }
            first += more
        }
        let end = first.firstIndex(of: 0x0A)!
        unread = first[first.index(after: end)...]
        guard let number = Int(String(decoding: first[..<end], as: UTF8.self)) else { throw ServerError() }
        port = number
    }

    struct ServerError: Error {}

    deinit {
        // A test's thread may hold other signals back, and what it starts inherits that.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// The next request; waits for it, and forever where none comes.
    func next() throws -> [String: Any] {
        while !unread.contains(0x0A) {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw ServerError() }
            unread += more
        }
        let end = unread.firstIndex(of: 0x0A)!
        let line = unread[..<end]
        unread = Data(unread[unread.index(after: end)...])
        return try JSONSerialization.jsonObject(with: line) as? [String: Any] ?? [:]
    }

    /// Answers with the statuses of `arguments`, one a request, then with 200.
    static let webhook = #"""
        import http.server, json, sys
        answers = [int(a) for a in sys.argv[1:]]
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status = answers.pop(0) if answers else 200
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                print(json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                                  "body": body, "status": status}), flush=True)
            def log_message(self, *arguments): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """#

    /// A mail server that wants a user `ops` with the password `secret`.
    static let mail = #"""
        import asyncio, json
        from aiosmtpd.smtp import SMTP, AuthResult
        class Handler:
            async def handle_DATA(self, server, session, envelope):
                print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos,
                                  "user": (session.auth_data or [b""])[0].decode() if session.auth_data else None,
                                  "content": envelope.content.decode()}), flush=True)
                return "250 OK"
        def authenticate(server, session, envelope, mechanism, data):
            good = data.login == b"ops" and data.password == b"secret"
            session.auth_data = [data.login]
            return AuthResult(success=good, handled=False)
        async def main():
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: SMTP(Handler(), hostname="test", authenticator=authenticate,
                auth_required=True, auth_require_tls=False), "127.0.0.1", 0)
            print(server.sockets[0].getsockname()[1], flush=True)
            await asyncio.Event().wait()
        asyncio.run(main())
        """#
}

enum TestFolder {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
}

/// A real Alertmanager with a folder of its own.
final class Alertmanager {
    static let path = "/usr/bin/prometheus-alertmanager"
    static let isInstalled = FileManager.default.isExecutableFile(atPath: path)

    private let process = Process()
    private let folder: TemporaryDirectory
    let port: Int

    init() throws {
        folder = try TemporaryDirectory()
        port = try FreePort.find()
        let file = folder.path + "/alertmanager.yml"
        try Data("route: {receiver: none}\nreceivers: [{name: none}]\n".utf8).write(to: URL(fileURLWithPath: file))
        process.executableURL = URL(fileURLWithPath: Self.path)
        process.arguments = [
            "--config.file=\(file)", "--storage.path=\(folder.path)/data", "--web.listen-address=127.0.0.1:\(port)",
            "--cluster.listen-address=",
        ]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        try Eventually.become { (try? self.alerts()) != nil }
    }

    deinit {
        // A test's thread may hold other signals back, and what it starts inherits that.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// What it holds that has not ended, by label name and value.
    func alerts() throws -> [[String: Any]] {
        let data = try Data(contentsOf: URL(string: "http://127.0.0.1:\(port)/api/v2/alerts")!)
        return try JSONSerialization.jsonObject(with: data) as? [[String: Any]] ?? []
    }
}

enum FreePort {
    struct NoPort: Error {}

    /// A port that was free a moment ago, for servers that cannot choose one themselves.
    static func find() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw NoPort() }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

enum Eventually {
    struct Never: Error {}

    /// Asks until something is so; gives up after a minute.
    static func become(_ condition: () throws -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: 60)
        while try !condition() {
            guard Date() < deadline else { throw Never() }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }
}
