import Foundation
import Logging
import Testing

@testable import Serving

/// A server on a free port of 127.0.0.1, with what a test wants to see.
///
/// It runs on a thread of its own: tests share the few threads that handlers run on, and a client that waits must not
/// take one of them.
func withServer(
    _ options: ServerOptions = ServerOptions(), _ body: @escaping @Sendable (Int) throws -> Void
) async throws {
    try await onOwnThread { try serve(options, body) }
}

private func serve(_ options: ServerOptions, _ body: (Int) throws -> Void) throws {
    var options = options
    options.port = 0
    let server = HTTPServer(
        options: options,
        routes: [
            Route("/hello") { query in Answer(text: "hello \(query["name"] ?? "you")") },
            Route("/open", isOpen: true) { _ in Answer(text: "open") },
            Route("/large") { _ in Answer(type: "text/plain", body: .bytes(.init(repeating: 65, count: 64 << 20))) },
            Route("/endless") { _ in
                Answer(
                    type: "text/event-stream",
                    body: .stream(
                        AsyncStream { continuation in
                            continuation.yield(Array(": first\n\n".utf8))
                        }))
            },
        ], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    defer { server.stop() }
    let port = try #require(server.start(waitMilliseconds: 20_000))
    try body(port)
}

private func options(_ change: (inout ServerOptions) -> Void) -> ServerOptions {
    var options = ServerOptions()
    change(&options)
    return options
}

@Suite(.serialized) struct ServerTests {
    @Test func answersAndProtectsEveryAnswer() async throws {
        try await withServer { (port) throws in
            let answer = try ask(port, "/hello?name=a%20%3Cb%3E")
            #expect(answer.status == 200)
            #expect(answer.body == "hello a <b>")
            for path in ["/hello", "/nothing", "/hello?" + String(repeating: "a", count: 5_000)] {
                let answer = try ask(port, path)
                #expect(answer.contains("default-src 'none'"))
                #expect(answer.contains("nosniff"))
                #expect(answer.contains("frame-ancestors 'none'"))
            }
        }
    }

    @Test func refusesWhatItDoesNotServe() async throws {
        try await withServer { (port) throws in
            #expect(try ask(port, "/nothing").status == 404)
            #expect(try ask(port, "/hello/../hello").status == 404)
            for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
                #expect(try ask(port, "/hello", method: method).status == 405)
            }
            let head = try ask(port, "/hello", method: "HEAD")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(try ask(port, "/hello", headers: ["Content-Length: 4000000"]).status == 413)
            #expect(try ask(port, "/hello?" + String(repeating: "a", count: 5_000)).status == 414)
        }
    }

    @Test func withoutATokenOnlyThisMachineByName() async throws {
        try await withServer { (port) throws in
            for host in ["127.0.0.1", "localhost:80", "LOCALHOST", "[::1]:8080", "127.3.2.1"] {
                #expect(try ask(port, "/hello", host: host).status == 200, "\(host)")
            }
            for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[::2]", "10.0.0.1"] {
                #expect(try ask(port, "/hello", host: host).status == 421, "\(host)")
            }
            #expect(try ask(port, "/open", host: "10.0.0.1").status == 200)
        }
    }

    @Test func withATokenNobodyElse() async throws {
        try await withServer(options { $0.token = "s3cret" }) { (port) throws in
            #expect(try ask(port, "/hello").status == 401)
            #expect(try ask(port, "/open").status == 200)
            #expect(try ask(port, "/nothing").status == 401)
            #expect(
                try ask(port, "/hello", host: "gate.example", headers: ["Authorization: Bearer s3cret"]).status == 200)
            let basic = Data("ada:s3cret".utf8).base64EncodedString()
            #expect(try ask(port, "/hello", headers: ["Authorization: Basic \(basic)"]).status == 200)
            for wrong in ["Bearer s3cre", "Bearer s3crets", "Bearer ", "Basic !", "s3cret", "Bearer s3cret "] {
                let answer = try ask(port, "/hello", headers: ["Authorization: \(wrong)"])
                #expect(answer.status == (wrong == "Bearer s3cret " ? 200 : 401), "\(wrong)")
            }
        }
    }

    @Test func oversizeHeadersEndTheConnection() async throws {
        try await withServer { (port) throws in
            let long = try ask(port, "/hello", headers: ["X: " + String(repeating: "a", count: 100_000)])
            #expect(long.status == 400 || long.isEmpty)
            let many = try ask(port, "/hello", headers: (0..<500).map { "X\($0): a" })
            #expect(many.status == 400 || many.isEmpty)
            let address = try ask(port, "/hello?" + String(repeating: "a", count: 2_000_000))
            #expect(address.status == 400 || address.status == 414 || address.isEmpty)
            #expect(try ask(port, "/hello").status == 200)
        }
    }

    /// As two workers on one machine have it.
    @Test func anAddressThatIsTakenStopsNobody() async throws {
        try await withServer { (port) throws in
            var options = ServerOptions()
            options.port = port
            let second = HTTPServer(
                options: options, routes: [], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            defer { second.stop() }
            #expect(second.start(waitMilliseconds: 60_000) == nil)
            #expect(try ask(port, "/hello").status == 200)
        }
    }

    @Test func notHTTPEndsTheConnection() async throws {
        try await withServer { (port) throws in
            for bytes in [
                "\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n",
            ] {
                let connection = try RawConnection(port: port)
                connection.send(bytes)
                #expect(connection.read().isClosed)
            }
            #expect(try ask(port, "/hello").status == 200)
        }
    }
}

/// What slow clients cost: a connection for a short while.
@Suite(.serialized) struct SlowClientTests {
    @Test func aRequestThatIsNeverFinishedIsCutOff() async throws {
        try await withServer(options { $0.requestSeconds = 1 }) { (port) throws in
            let silent = try RawConnection(port: port)
            let trickling = try RawConnection(port: port)
            trickling.send("GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nX-")
            let withBody = try RawConnection(port: port)
            withBody.send("GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\na")
            #expect(silent.read().isClosed)
            #expect(trickling.read().isClosed)
            let answered = withBody.read()
            #expect(answered.isClosed)
            #expect(answered.text.status == 413)
        }
    }

    @Test func aByteNowAndThenDoesNotHelp() async throws {
        try await withServer(options { $0.requestSeconds = 1 }) { (port) throws in
            let connection = try RawConnection(port: port)
            connection.send("GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n")
            var taken = 0
            while taken < 600, connection.send("a") {
                taken += 1
                usleep(50_000)
            }
            #expect(taken < 600)
        }
    }

    @Test func aReaderThatStopsIsCutOff() async throws {
        try await withServer(options { $0.stalledSeconds = 1 }) { (port) throws in
            let connection = try RawConnection(port: port)
            connection.send("GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            #expect(try ask(port, "/hello").status == 200)
            // By now the server has given up; what the kernels still hold comes out, and not all of it.
            sleep(3)
            let rest = connection.read()
            #expect(rest.isClosed)
            #expect(rest.text.utf8.count < 64 << 20)
        }
    }

    @Test func streamsAreBounded() async throws {
        try await withServer(options { $0.streamsMax = 2 }) { (port) throws in
            let open = try (0..<2).map { _ in
                let connection = try RawConnection(port: port)
                connection.send("GET /endless HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                #expect(connection.read(until: ": first").text.status == 200)
                return connection
            }
            #expect(try ask(port, "/endless").status == 503)
            #expect(try ask(port, "/endless", method: "HEAD").status == 503)
            #expect(try ask(port, "/hello").status == 200)
            _ = open
        }
    }

    @Test func connectionsAreBoundedAndComeFreeAgain() async throws {
        let few = options {
            $0.connectionsMax = 4
            $0.requestSeconds = 1
        }
        try await withServer(few) { (port) throws in
            let idle = try (0..<12).map { _ in try RawConnection(port: port) }
            // Waits in the backlog until the idle ones are cut off.
            #expect(try ask(port, "/hello").status == 200)
            _ = idle
        }
    }
}
