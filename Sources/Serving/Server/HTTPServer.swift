import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Serves routes beside the worker: one thread moves bytes, one answers.
///
/// Whatever happens here ends nothing: an address that is taken is tried again every few seconds.
public final class HTTPServer: Sendable {
    private let options: ServerOptions
    private let logger: Logger
    private let responder: Responder
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let task = Mutex<Task<Void, Never>?>(nil)
    private enum Address {
        case asked, refused
        case bound(Int?)
    }

    private let address = Mutex(Address.asked)
    private let executor = QueueExecutor()
    private let isOver = DispatchSemaphore(value: 0)

    public init(options: ServerOptions, routes: [Route], logger: Logger) {
        self.options = options
        self.logger = logger
        responder = Responder(routes, options, logger: logger)
    }

    /// The port that is listened to; nil while none is.
    public var port: Int? {
        address.withLock { if case .bound(let port) = $0 { port } else { nil } }
    }

    private var isAsked: Bool {
        address.withLock { if case .asked = $0 { true } else { false } }
    }

    /// Begins to listen, and waits a moment for it.
    /// - Returns: the port; nil where the address could not be had yet.
    @discardableResult
    public func start(waitMilliseconds: Int = 3_000) -> Int? {
        task.withLock { task in
            guard task == nil else { return }
            task = Task(executorPreference: executor) {
                await self.run()
                self.isOver.signal()
            }
        }
        let deadline = DispatchTime.now() + .milliseconds(waitMilliseconds)
        while isAsked, DispatchTime.now() < deadline { usleep(5_000) }
        return port
    }

    /// Closes the address and all connections.
    public func stop() {
        if let task = task.withLock({ $0.take() }) {
            task.cancel()
            _ = isOver.wait(timeout: .now() + .seconds(5))
        }
        try? group.syncShutdownGracefully()
    }

    private func run() async {
        while !Task.isCancelled {
            do {
                try await application.run()
            } catch {
                guard !Task.isCancelled else { break }
                // Two workers on one machine are no reason to fill a log.
                if isAsked {
                    logger.error("no dashboard: \(options.host):\(options.port) cannot be listened to: \(error)")
                }
            }
            address.withLock { $0 = .refused }
            try? await Task.sleep(for: .seconds(5))
        }
    }

    private var application: Application<Responder> {
        var quiet = logger
        // Its own lines at start and stop, about connections that end with it, are not those of an operator; what it
        // throws is told here.
        quiet.logLevel = .critical
        let (request, stalled) = (options.requestSeconds, options.stalledSeconds)
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: options.headerBytesMax, maxHeaderListSize: options.headerBytesMax,
            maxHeaderFieldCount: options.headersMax)
        return Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        ClientDeadlines(requestSeconds: request, stalledSeconds: stalled)
                    ],
                    idleTimeout: .seconds(options.requestSeconds), httpDecoderConfiguration: decoder)),
            configuration: .init(
                address: .hostname(options.host, port: options.port),
                availableConnectionsDelegate: .maximum(options.connectionsMax, logger: quiet)),
            onServerRunning: { [self] channel in
                let port = channel.localAddress?.port
                address.withLock { $0 = .bound(port) }
                let host = options.host.contains(":") ? "[\(options.host)]" : options.host
                logger.notice("dashboard: http://\(host):\(port ?? options.port)/")
            },
            eventLoopGroupProvider: .shared(group), logger: quiet)
    }
}
