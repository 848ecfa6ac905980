import Foundation
import HTTPTypes
import Hummingbird

/// Who may ask what: method, length, host, token. Looked at before anything else is done for a request.
struct Gate: Sendable {
    let options: ServerOptions

    /// The refusal; nil lets it through.
    func refusal(_ request: Request, isOpen: Bool) -> Response? {
        guard request.method == .get || request.method == .head else {
            return plain(.methodNotAllowed, "only GET is served", [.allow: "GET, HEAD"])
        }
        guard request.uri.string.utf8.count <= options.pathBytesMax else {
            return plain(.uriTooLong, "the address is longer than \(options.pathBytesMax) bytes")
        }
        if let length = request.headers[.contentLength], length != "0" {
            return plain(.contentTooLarge, "a request has no body here", [.connection: "close"])
        }
        if request.headers[.transferEncoding] != nil {
            return plain(.contentTooLarge, "a request has no body here", [.connection: "close"])
        }
        guard !isOpen else { return nil }
        guard let token = options.token else {
            guard options.requiresLocalHost, !Self.isLocal(request.head.authority ?? "") else { return nil }
            return plain(.misdirectedRequest, "ask for this machine by localhost or 127.0.0.1")
        }
        guard let offered = Self.token(in: request.headers[.authorization] ?? ""), Self.isEqual(offered, token) else {
            return plain(
                .unauthorized, "a token is needed: as bearer token, or as the password of any user",
                [.wwwAuthenticate: "Basic realm=\"driftgate\", charset=\"UTF-8\""])
        }
        return nil
    }

    private func plain(
        _ status: HTTPResponse.Status, _ text: String, _ headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = "text/plain; charset=utf-8"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text + "\n")))
    }

    /// Of `Bearer …`, or the password of `Basic …`.
    static func token(in authorization: String) -> String? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        switch parts[0].lowercased() {
        case "bearer": return String(parts[1])
        case "basic":
            guard let data = Data(base64Encoded: String(parts[1])), let pair = String(data: data, encoding: .utf8),
                let colon = pair.firstIndex(of: ":")
            else { return nil }
            return String(pair[pair.index(after: colon)...])
        default: return nil
        }
    }

    /// Takes as long for any offer of a length, wherever it differs.
    static func isEqual(_ offered: String, _ token: String) -> Bool {
        let (offered, token) = (Array(offered.utf8), Array(token.utf8))
        var difference = offered.count ^ token.count
        for index in offered.indices { difference |= Int(offered[index] ^ token[index % max(1, token.count)]) }
        return difference == 0 && !token.isEmpty
    }

    /// `localhost`, `127.…` or `[::1]`, with or without a port.
    static func isLocal(_ authority: String) -> Bool {
        var host = Substring(authority.lowercased())
        if host.hasPrefix("[") {
            return host == "[::1]" || host.hasPrefix("[::1]:")
        }
        if let colon = host.lastIndex(of: ":") { host = host[..<colon] }
        if host == "localhost" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
