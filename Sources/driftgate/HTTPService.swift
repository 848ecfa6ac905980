import ArgumentParser
import Logging
import Operations
import Serving
import Worker

/// The HTTP side of `driftgate run`: what is served, beside the worker.
struct HTTPService {
    private let server: HTTPServer
    private let api: DashboardAPI

    /// The token that requests must carry; nil where none is asked for.
    ///
    /// - Throws: `ExitCode(2)` where there is none in its file, or an address needs one; the reason has been logged.
    static func token(_ configuration: Configuration, logger: Logger) throws -> String? {
        guard let file = configuration.http.tokenFile else {
            guard let endpoint = configuration.http.endpoint, !endpoint.isLoopback else { return nil }
            logger.critical("http.address \(endpoint.host) is open to the network: set http.token_file")
            throw ExitCode(2)
        }
        do throws(SecretError) { return try Secret.read(file: file) } catch {
            logger.critical("http.token_file: \(error)")
            throw ExitCode(2)
        }
    }

    /// Begins to serve; nil where the configuration names no address.
    ///
    /// - Parameter further: routes of others, such as `/metrics`.
    init?(
        _ configuration: Configuration, token: String?, worker: Worker, board: StatusBoard, further: [Route] = [],
        logger: Logger
    ) {
        guard let endpoint = configuration.http.endpoint else { return nil }
        var options = ServerOptions()
        options.host = endpoint.host
        options.port = endpoint.port
        options.token = token
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
