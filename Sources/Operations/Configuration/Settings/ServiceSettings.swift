import Retraining

/// Dashboard, metrics and health checks.
public struct HTTPSettings: Sendable, Equatable {
    /// `host:port`; nil serves nothing. Anything but loopback needs a token.
    public var address: String? = "127.0.0.1:8080"
    /// Holds the bearer token; without one only GET is served.
    public var tokenFile: String?

    public init() {}

    /// Host and port of `address`, and whether only this machine can reach it.
    public var endpoint: (host: String, port: Int, isLoopback: Bool)? {
        address.flatMap { HostAndPort($0) }.map { ($0.host, $0.port, $0.isLoopback) }
    }
}

/// Where alerts go besides their topic.
public struct AlertDelivery: Sendable, Equatable {
    /// `alert_email`.
    public var email: String?
    /// Gets each alert by POST.
    public var webhookURL: String?
    /// Holds the bearer token for the webhook.
    public var webhookTokenFile: String?
    /// Holds the secret that the webhook's body is signed by.
    public var webhookSecretFile: String?
    /// Base address of an Alertmanager, such as `http://alertmanager:9093`.
    public var alertmanagerURL: String?
    /// `smtp://host:port` or `smtps://host:port`.
    public var smtpURL: String? = "smtp://localhost:25"
    public var smtpFrom = "driftgate@localhost"
    public var smtpUsername: String?
    public var smtpPasswordFile: String?
    /// Deliveries a minute and channel.
    public var maximumPerMinute = 30

    public init() {}
}

/// The local calendar as the file writes it.
public struct CalendarSettings: Sendable, Equatable {
    /// A name of the tz database.
    public var timeZone = "UTC"
    /// `2025-12-25`, or `12-25` for every year.
    public var holidays: [String] = []
    /// The same, for days on which no quiet is to be expected.
    public var busyDays: [String] = []
    /// The last day and the last Monday-to-Friday of each quarter are busy days.
    public var quarterEnds = false
    public var blackouts: [Blackout] = []

    public struct Blackout: Sendable, Equatable {
        /// RFC 3339, or without an offset in the local time zone; a date alone is its midnight.
        public var from: String
        public var to: String
        public var name: String
        public init(from: String, to: String, name: String) {
            self.from = from
            self.to = to
            self.name = name
        }
    }

    public init() {}
}
