/// How to reach the cluster and as whom.
public struct KafkaSettings: Sendable, Equatable {
    /// Each `host:port`.
    public var bootstrapServers = ["localhost:9092"]
    public var clientID = "driftgate"
    public var groupID = "driftgate"
    /// Static membership. Nil leaves it to the worker, which takes the host's name.
    public var groupInstanceID: String?
    public var sessionTimeoutMilliseconds: Int64 = 45_000
    /// False only where the cluster has no transactions: the worker then runs at-least-once and says so.
    public var transactions = true
    public var transactionTimeoutMilliseconds: Int64 = 10_000
    public var tls = TLS()
    public var sasl = SASL()
    /// Passed to librdkafka as it stands. Never holds what would break the worker's guarantees.
    public var additional: [String: String] = [:]

    public struct TLS: Sendable, Equatable {
        public var enabled = false
        /// Authorities to trust, PEM; nil takes the system's.
        public var caFile: String?
        /// The client's own certificate and key, PEM, for mutual TLS.
        public var certificateFile: String?
        public var keyFile: String?
        public var keyPasswordFile: String?
        public var verifyHostname = true
        public init() {}
    }

    public struct SASL: Sendable, Equatable {
        public enum Mechanism: String, Sendable, CaseIterable {
            case plain = "PLAIN"
            case scramSHA256 = "SCRAM-SHA-256"
            case scramSHA512 = "SCRAM-SHA-512"
        }

        /// Nil: no authentication by SASL.
        public var mechanism: Mechanism?
        public var username: String?
        public var passwordFile: String?
        public init() {}
    }

    public init() {}

    /// The properties of librdkafka for security, and `additional`. Reads the password files.
    public func connectionProperties() throws(SecretError) -> [String: String] {
        var properties = additional
        switch (tls.enabled, sasl.mechanism != nil) {
        case (false, false): break
        case (true, false): properties["security.protocol"] = "ssl"
        case (false, true): properties["security.protocol"] = "sasl_plaintext"
        case (true, true): properties["security.protocol"] = "sasl_ssl"
        }
        if tls.enabled {
            properties["ssl.ca.location"] = tls.caFile
            properties["ssl.certificate.location"] = tls.certificateFile
            properties["ssl.key.location"] = tls.keyFile
            properties["ssl.endpoint.identification.algorithm"] = tls.verifyHostname ? "https" : "none"
            if let file = tls.keyPasswordFile { properties["ssl.key.password"] = try Secret.read(file: file) }
        }
        if let mechanism = sasl.mechanism {
            properties["sasl.mechanisms"] = mechanism.rawValue
            properties["sasl.username"] = sasl.username
            if let file = sasl.passwordFile { properties["sasl.password"] = try Secret.read(file: file) }
        }
        return properties
    }
}
