import ArgumentParser
import Kafka
import Logging
import Operations

/// Looks at the topics before a worker joins its group, by the same rules as `driftgate topics check`: what would lose
/// state, or stop the worker later, ends it now and in plain words.
enum StartUpCheck {
    /// - Throws: `ExitCode(1)` where a topic cannot be worked with; every reason has been logged.
    static func run(_ configuration: Configuration, file: String?, logger: Logger) throws {
        // A broker that keeps only the books of transactions is the embedded one, which knows no settings.
        let hasSettings = configuration.kafka.transactions
        let findings: [TopicFinding]
        do {
            findings = try Cluster(configuration, file: file).findings(readingSettings: hasSettings)
        } catch {
            logger.warning("the topics were not checked: \(error)")
            return
        }
        for finding in findings where finding.severity == .error { logger.critical("\(finding)") }
        if hasSettings {
            for finding in findings where finding.severity != .error { logger.warning("\(finding)") }
        }
        guard !findings.contains(where: { $0.severity == .error }) else { throw ExitCode(1) }
    }
}
