import HTTPTypes
import Hummingbird
import Logging
import Synchronization

/// Answers requests by the table of routes.
final class Responder: HTTPResponder {
    typealias Context = BasicRequestContext

    private let gate: Gate
    private let routes: [String: Route]
    private let logger: Logger
    private let streamsMax: Int
    fileprivate let streams = Atomic<Int>(0)

    init(_ routes: [Route], _ options: ServerOptions, logger: Logger) {
        gate = Gate(options: options)
        self.routes = Dictionary(routes.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        self.logger = logger
        streamsMax = options.streamsMax
    }

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let route = routes[request.uri.path]
        var response: Response
        if let refusal = gate.refusal(request, isOpen: route?.isOpen ?? false) {
            response = refusal
        } else if let route {
            response = await answer(request, route)
        } else {
            response = make(Answer(status: 404, text: "there is nothing at this address\n"))
        }
        for (name, value) in Self.headers { response.headers[name] = value }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request, _ route: Route) async -> Response {
        do {
            return make(try await route.handler(Query(text: request.uri.query ?? "")))
        } catch let problem as Problem {
            return make(problem.answer)
        } catch {
            logger.warning("\(route.path): \(error)")
            return make(Answer(status: 500, text: "this went wrong; the worker's log says more\n"))
        }
    }

    private func make(_ answer: Answer) -> Response {
        var headers: HTTPFields = [.contentType: answer.type]
        if let name = answer.fileName { headers[.contentDisposition] = "attachment; filename=\"\(name)\"" }
        let body: ResponseBody
        switch answer.body {
        case .bytes(let bytes): body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .stream(let pieces):
            guard let ticket = StreamTicket(of: self, max: streamsMax) else {
                return make(Answer(status: 503, text: "all \(streamsMax) live streams are taken\n"))
            }
            body = ResponseBody { writer in
                defer { withExtendedLifetime(ticket) {} }
                for await piece in pieces { try await writer.write(ByteBuffer(bytes: piece)) }
                try await writer.finish(nil)
            }
        }
        return Response(status: .init(code: answer.status), headers: headers, body: body)
    }

    /// On every answer. Nothing is loaded from elsewhere, nothing is run that did not come as a file from here, nobody
    /// may frame the page, and nothing stays in a cache.
    private static let headers: [(HTTPField.Name, String)] = [
        (
            .contentSecurityPolicy,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        ),
        (.xContentTypeOptions, "nosniff"),
        (.init("Referrer-Policy")!, "no-referrer"),
        (.init("X-Frame-Options")!, "DENY"),
        (.init("Cross-Origin-Opener-Policy")!, "same-origin"),
        (.init("Cross-Origin-Resource-Policy")!, "same-origin"),
        (.init("Permissions-Policy")!, "camera=(), geolocation=(), microphone=()"),
        (.cacheControl, "no-store"),
    ]
}

/// The right to one live stream: given back with the last reference, also where a stream is made and never written.
private final class StreamTicket: Sendable {
    private let responder: Responder

    init?(of responder: Responder, max: Int) {
        self.responder = responder
        guard responder.streams.add(1, ordering: .relaxed).newValue <= max else { return nil }
    }

    deinit { responder.streams.subtract(1, ordering: .relaxed) }
}

/// What is wrong with a request, for whoever sent it.
struct Problem: Error {
    var status: Int
    var text: String

    init(_ status: Int, _ text: String) {
        self.status = status
        self.text = text
    }

    var answer: Answer { Answer(status: status, text: text + "\n") }
}
