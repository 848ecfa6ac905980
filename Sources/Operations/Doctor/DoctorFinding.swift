/// One thing that `driftgate doctor` looked at.
public struct DoctorFinding: Sendable, Equatable, CustomStringConvertible {
    public enum Severity: String, Sendable {
        /// As it should be.
        case good = "ok"
        /// It works, and is not what it should be.
        case warning
        /// The worker cannot run on it, or would lose something.
        case error
    }

    public var severity: Severity
    public var subject: String
    /// What is so, and what follows from it.
    public var text: String
    /// What mends it; nil where nothing needs to be mended, or no single command does.
    public var remedy: String?

    public init(_ severity: Severity, _ subject: String, _ text: String, remedy: String? = nil) {
        self.severity = severity
        self.subject = subject
        self.text = text
        self.remedy = remedy
    }

    public var description: String {
        "\(severity.rawValue): \(subject): \(text)" + (remedy.map { "\n    mend: \($0)" } ?? "")
    }

    init(_ finding: TopicFinding) {
        self.init(
            finding.severity == .error ? .error : .warning, finding.topic, finding.text, remedy: finding.remedy)
    }
}
