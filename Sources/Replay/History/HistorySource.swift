package import Contracts
package import Retraining

/// One stretch of history that is read in order: a file, or a partition of a topic.
package struct LaneDescription: Sendable, Equatable {
    package var topic: String
    package var partition: Int32
    package var role: InputRole
    /// Offset of the first record.
    package var begin: Int64
    /// What a person calls it: a path, or topic and partition.
    package var name: String

    package init(topic: String, partition: Int32, role: InputRole, begin: Int64 = 0, name: String) {
        self.topic = topic
        self.partition = partition
        self.role = role
        self.begin = begin
        self.name = name
    }
}

/// Where history comes from. One thread reads it, once.
package protocol HistorySource: AnyObject {
    var lanes: [LaneDescription] { get }
    /// All that there is to read, in bytes or records, for the progress bar; nil where nobody knows.
    var size: Int64? { get }
    /// The next records of a lane; nil at its end.
    ///
    /// - Throws: `ReplayError` where the source itself is broken. A broken record is no error: it is refused.
    func next(lane: Int) throws -> HistoryBatch?
    /// What was refused so far, and what else a person should know at the end.
    var findings: SourceFindings { get }
    func close()
}

/// What a source noticed while it was read.
package struct SourceFindings: Sendable {
    /// A record that nobody could read.
    package struct Refusal: Sendable {
        /// File and line, or topic, partition and offset.
        package var place: String
        package var rejection: Rejection
    }

    /// Refusals by reason code.
    package var counts: [String: Int] = [:]
    /// The first of them, bounded.
    package var first: [Refusal] = []
    /// Records outside the range asked for, and the stretch of time that they lie in. What lies behind the range's end is
    /// not read, beyond the first of it.
    package private(set) var outside = 0
    package private(set) var outsideTimes: ClosedRange<Milliseconds>?
    /// Records read, refused ones among them.
    package var records = 0
    package var warnings: [String] = []
    package static let firstMax = 1000

    package var refused: Int { counts.values.reduce(0, +) }

    package init() {}

    package mutating func leaveOut(at time: Milliseconds) {
        outside += 1
        guard time != .unknownTime else { return }
        outsideTimes = min(outsideTimes?.lowerBound ?? time, time)...max(outsideTimes?.upperBound ?? time, time)
    }

    package mutating func refuse(_ rejection: Rejection, at place: @autoclosure () -> String) {
        counts[rejection.reason.rawValue, default: 0] += 1
        if first.count < Self.firstMax { first.append(Refusal(place: place(), rejection: rejection)) }
    }
}

/// The stretch of time that is replayed: [from, to).
package struct ReplayRange: Sendable, Equatable {
    package var from: Milliseconds?
    package var to: Milliseconds?

    /// - Throws: `ReplayError` where it runs backwards or holds nothing.
    package init(from: Milliseconds? = nil, to: Milliseconds? = nil) throws {
        if let from, let to, from >= to {
            let (start, end) = (Timestamp.text(from) ?? "\(from)", Timestamp.text(to) ?? "\(to)")
            throw ReplayError(
                from == to
                    ? "the range is empty: from and to are both \(start)"
                    : "the range runs backwards: from \(start) is after to \(end)")
        }
        self.from = from
        self.to = to
    }
}
