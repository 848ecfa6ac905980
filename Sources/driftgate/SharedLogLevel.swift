import Logging
import Synchronization

/// A log handler whose level is the same in all copies, so that a reload can change it. A logger of which less is wanted
/// has a level of its own beside it: what is set on one logger changes no other.
struct SharedLogLevel: LogHandler {
    private static let level = Mutex(Logger.Level.info)

    static func set(_ name: String) {
        guard let level = Logger.Level(rawValue: name) else { return }
        Self.level.withLock { $0 = level }
    }

    private var handler: any LogHandler
    private var own = Logger.Level.trace

    init(_ handler: any LogHandler) {
        self.handler = handler
        self.handler.logLevel = .trace
    }

    var logLevel: Logger.Level {
        get { max(Self.level.withLock { $0 }, own) }
        set { own = newValue }
    }

    var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { handler.log(event: event) }
}
