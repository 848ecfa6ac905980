import Logging
import Synchronization
import Testing

@testable import driftgate

/// Protects: a part that wants less in the log takes nothing from the others, and a reload reaches all of them.
@Suite(.serialized)
struct SharedLogLevelTests {
    private final class Lines: LogHandler, Sendable {
        let written = Mutex<[String]>([])
        var logLevel: Logger.Level {
            get { .trace }
            set {}
        }
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }
        func log(event: LogEvent) { written.withLock { $0.append("\(event.message)") } }
    }

    @Test func oneLoggerIsMadeQuiet() {
        defer { SharedLogLevel.set("info") }
        let lines = Lines()
        let loud = Logger(label: "worker") { _ in SharedLogLevel(lines) }
        var quiet = loud
        quiet.logLevel = .critical
        loud.info("joined")
        quiet.error("not for an operator")
        loud.debug("too much")
        SharedLogLevel.set("debug")
        loud.debug("wanted now")
        quiet.error("still not")
        SharedLogLevel.set("error")
        loud.notice("not any more")
        #expect(lines.written.withLock { $0 } == ["joined", "wanted now"])
    }
}
