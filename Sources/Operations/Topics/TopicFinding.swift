/// Something about the cluster's topics that a person should know.
public struct TopicFinding: Hashable, Sendable {
    public enum Severity: Int, Sendable, Comparable {
        /// It works, and is not what it should be.
        case warning
        /// The worker cannot run on it, or would lose something.
        case error

        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    public var severity: Severity
    public var topic: String
    /// What is wrong, and what follows from it.
    public var text: String
    /// The command that mends it; nil where no single one does.
    public var remedy: String?

    public init(_ severity: Severity, topic: String, _ text: String, remedy: String? = nil) {
        self.severity = severity
        self.topic = topic
        self.text = text
        self.remedy = remedy
    }
}

extension TopicFinding: CustomStringConvertible {
    public var description: String {
        let line = "\(severity == .error ? "error" : "warning"): \(topic): \(text)"
        return remedy.map { "\(line)\n    \($0)" } ?? line
    }
}
