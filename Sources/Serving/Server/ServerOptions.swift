/// Where the server listens, who may ask, and what a client may cost.
public struct ServerOptions: Sendable {
    public var host = "127.0.0.1"
    /// 0 takes a free one.
    public var port = 8080
    /// Asked of every request but health checks: as a bearer token, or as the password of basic authentication, which
    /// browsers can ask for. Nil lets everybody in who can reach the address.
    public var token: String?
    /// Without a token: requests must name this machine in `Host`, so that a page from elsewhere whose name was pointed
    /// at 127.0.0.1 gets nothing.
    public var requiresLocalHost = true

    /// Open connections at most; further ones wait in the backlog of the kernel.
    public var connectionsMax = 64
    /// Live streams at most, of the connections.
    public var streamsMax = 16
    /// Bytes of all headers, with names; and of the path with its query.
    public var headerBytesMax = 16_384
    public var pathBytesMax = 4_096
    public var headersMax = 64
    /// A connection without a complete request is closed after this many seconds, whatever trickles in.
    public var requestSeconds: Int64 = 10
    /// A connection that takes nothing of what is written to it for this long is closed.
    public var stalledSeconds: Int64 = 10

    public init() {}
}
