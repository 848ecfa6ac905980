/// Asks a worker how it is, over its HTTP address.
public struct StatusClient: Sendable {
    public static let path = "/api/v1/worker"
    private static let bytesMax = 64 << 20

    private let configuration: Configuration
    private let base: String

    /// - Parameter address: base address, such as `http://127.0.0.1:8080`; nil takes the configuration's.
    /// - Throws: `StatusError` where there is neither.
    public init(_ configuration: Configuration, address: String?) throws(StatusError) {
        guard let base = address ?? Self.address(of: configuration) else {
            throw StatusError("http.address is empty, so the worker answers nobody: set it, or name one by --address")
        }
        self.configuration = configuration
        self.base = base
    }

    /// - Throws: `StatusError`, in words for a person.
    public func fetch() throws(StatusError) -> StatusReport {
        do { return try StatusReport(json: try get(Self.path)) } catch let error as StatusError { throw error } catch {
            throw StatusError("\(base)\(Self.path) answers with something else than a status: \(error)")
        }
    }

    /// Whether the worker is alive, be it active or standing by.
    public func checkAlive() throws(StatusError) { _ = try get("/healthz") }

    private func get(_ path: String) throws(StatusError) -> [UInt8] {
        var request = CurlRequest(url: base + path, body: [])
        request.isGet = true
        if let file = configuration.http.tokenFile {
            do throws(SecretError) {
                request.headers = ["Authorization: Bearer \(try Secret.read(file: file))"]
            } catch { throw StatusError("\(error)") }
        }
        do throws(DeliveryFailure) { return try request.send(bytesMax: Self.bytesMax) } catch {
            throw StatusError(
                "\(error.message). Is the worker running, and is this its address? `driftgate doctor` looks further")
        }
    }

    private static func address(of configuration: Configuration) -> String? {
        configuration.http.address.map { address in
            let open = address.hasPrefix("0.0.0.0:") ? "127.0.0.1" + address.dropFirst(7) : address
            return "http://\(open)"
        }
    }
}

/// Why a worker's status is not known.
public struct StatusError: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
