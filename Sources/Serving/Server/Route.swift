import Foundation

/// A path that the HTTP server answers, and how.
///
/// ```swift
/// Route("/metrics") { _ in Answer(text: rendered, type: "text/plain; version=0.0.4; charset=utf-8") }
/// ```
///
/// Handlers run on the server's threads, several at once; what they need of the worker was handed over before. They
/// hold no lock for long and wait for nothing of the worker's.
public struct Route: Sendable {
    public typealias Handler = @Sendable (Query) async throws -> Answer

    /// Compared as it is: no patterns.
    public var path: String
    /// Served without a token: for what supervisors ask.
    public var isOpen: Bool
    public var handler: Handler

    public init(_ path: String, isOpen: Bool = false, handler: @escaping Handler) {
        self.path = path
        self.isOpen = isOpen
        self.handler = handler
    }
}

/// The parameters behind the `?` of a request.
public struct Query: Sendable {
    public var values: [String: String]

    public init(_ values: [String: String] = [:]) { self.values = values }

    /// As browsers write it: `a=b&c=d`, percent-encoded, with `+` for a space. Of equal names the last one counts.
    init(text: String) {
        values = [:]
        for pair in text.split(separator: "&").prefix(32) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            func decoded(_ part: Substring) -> String {
                let spaced = part.replacing("+", with: " ")
                return spaced.removingPercentEncoding ?? String(spaced)
            }
            values[decoded(parts[0])] = parts.count > 1 ? decoded(parts[1]) : ""
        }
    }

    public subscript(name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return value
    }
}

/// What a handler answers.
public struct Answer: Sendable {
    public enum Body: Sendable {
        case bytes([UInt8])
        /// Pieces as they come, until the client goes or the sequence ends.
        case stream(AsyncStream<[UInt8]>)
    }

    public var status: Int
    public var type: String
    public var body: Body
    /// Offered as a download under this name.
    public var fileName: String?

    public init(status: Int = 200, type: String, body: Body) {
        self.status = status
        self.type = type
        self.body = body
    }

    public init(status: Int = 200, text: String, type: String = "text/plain; charset=utf-8") {
        self.init(status: status, type: type, body: .bytes(Array(text.utf8)))
    }
}
