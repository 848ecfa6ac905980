/// One thing that is wrong with the configuration: where, what, and what to do about it.
public struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
    public var origin: Origin
    public var message: String
    public var hint: String?

    public init(_ origin: Origin, _ message: String, hint: String? = nil) {
        self.origin = origin
        self.message = message
        self.hint = hint
    }

    /// `driftgate.yaml:12:3: error: …`, as compilers write it, with the hint on a line of its own.
    public var description: String {
        "\(origin): error: \(message)" + (hint.map { "\n    hint: \($0)" } ?? "")
    }
}

/// Everything that is wrong with the configuration, in the order of the layers, then of lines and columns.
public struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
    public let problems: [ConfigurationProblem]

    init(_ problems: [ConfigurationProblem]) {
        self.problems = problems.enumerated().sorted { left, right in
            let (first, second) = (left.element.origin.sortKey, right.element.origin.sortKey)
            return first == second ? left.offset < right.offset : first < second
        }.map(\.element)
    }

    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

extension Origin {
    /// Rank of the layer: a later layer overrides an earlier one.
    var rank: Int {
        switch self {
        case .default: 0
        case .file: 1
        case .environment: 2
        case .argument: 3
        }
    }

    fileprivate var sortKey: (Int, Int, Int) {
        if case .file(_, let line, let column) = self { return (rank, line, column) }
        return (rank, 0, 0)
    }
}
