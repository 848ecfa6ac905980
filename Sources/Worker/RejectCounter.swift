/// Records that were not taken, by reason. The reasons are bounded, so is the table.
struct RejectCounter {
    private(set) var counts: [String: UInt64] = [:]
    private(set) var total: UInt64 = 0

    mutating func count(_ reason: String) {
        counts[reason, default: 0] &+= 1
        total &+= 1
    }

    /// `reason=n` for each, the most frequent first.
    var summary: String {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }
}
