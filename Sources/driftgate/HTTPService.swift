import ArgumentParser
import Logging
import Operations
import Serving
import Worker

/// The HTTP side of `driftgate run`: what is served, beside the worker.
struct HTTPService {
    private let server: HTTPServer
    private let api: DashboardAPI

    /// Begins to serve; nil where the configuration names no address.
    ///
    /// - Parameter further: routes of others, such as `/metrics`.
    init?(
        _ configuration: Configuration, worker: Worker, board: StatusBoard, further: [Route] = [], logger: Logger
    ) throws {
        guard let endpoint = configuration.http.endpoint else { return nil }
        var options = ServerOptions()
        options.host = endpoint.host
        options.port = endpoint.port
        if let file = configuration.http.tokenFile { options.token = try Secret.read(file: file) }
        guard endpoint.isLoopback || options.token != nil else {
            logger.critical("http.address \(endpoint.host) is open to the network: set http.token_file")
            throw ExitCode(2)
        }
        api = DashboardAPI(options: worker.options, board: board, views: worker.views, logger: logger)
        server = HTTPServer(
            options: options, routes: board.routes + Page.routes + api.routes + further, logger: logger)
        let told = worker.listeners.onConfiguration
        worker.listeners.onConfiguration = { [api] options in
            told?(options)
            api.use(options)
        }
        api.start()
        server.start()
    }

    func stop() {
        server.stop()
        api.stop()
    }
}
