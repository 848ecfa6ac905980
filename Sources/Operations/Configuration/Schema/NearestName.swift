/// The name that was probably meant.
public enum NearestName {
    /// The candidate at the smallest edit distance, if it is near enough to be a slip; else the shortest one that begins
    /// with `name`, or the only one that holds it.
    public static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().utf8)
        var best: (distance: Int, name: String)?
        var containing: [String] = []
        for candidate in candidates {
            let bytes = Array(candidate.lowercased().utf8)
            let distance = distance(wanted, bytes)
            if distance <= max(1, min(wanted.count, bytes.count) / 3), distance < best?.distance ?? .max {
                best = (distance, candidate)
            }
            if wanted.count >= 4, candidate.lowercased().contains(name.lowercased()) { containing.append(candidate) }
        }
        if let best { return best.name }
        let beginning = containing.filter { $0.lowercased().hasPrefix(name.lowercased()) }
        return beginning.min { $0.count < $1.count } ?? (containing.count == 1 ? containing[0] : nil)
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other
    /// (optimal string alignment).
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var beforePrevious = [Int](repeating: 0, count: right.count + 1)
        var previous = Array(0...right.count)
        var current = previous
        for row in 1...left.count {
            current[0] = row
            for column in 1...right.count {
                let substitution = previous[column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1)
                current[column] = min(previous[column] + 1, current[column - 1] + 1, substitution)
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    current[column] = min(current[column], beforePrevious[column - 2] + 1)
                }
            }
            (beforePrevious, previous, current) = (previous, current, beforePrevious)
        }
        return previous[right.count]
    }
}
