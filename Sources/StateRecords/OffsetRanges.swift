/// Ascending offsets as ranges, so that a stretch costs as much as one.
package struct OffsetRanges: Equatable {
    package private(set) var ranges: [Range<Int64>] = []
    /// More ranges than this are not kept: a producer that is wrong in every other record must not grow memory.
    package static let countMax = 10_000

    package var isEmpty: Bool { ranges.isEmpty }

    package init(_ ranges: [Range<Int64>] = []) { self.ranges = ranges }

    /// Adds an offset that is not below the last one.
    package mutating func add(_ offset: Int64) {
        if let last = ranges.last, last.upperBound >= offset {
            if last.upperBound == offset { ranges[ranges.count - 1] = last.lowerBound..<offset + 1 }
            return
        }
        guard ranges.count < Self.countMax else { return }
        ranges.append(offset..<offset + 1)
    }

    package mutating func formUnion(_ other: OffsetRanges) {
        ranges = (ranges + other.ranges).sorted { $0.lowerBound < $1.lowerBound }
    }

    package func contains(_ offset: Int64) -> Bool {
        guard !ranges.isEmpty else { return false }
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= offset { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= offset
    }

    package mutating func removeAll() { ranges.removeAll(keepingCapacity: true) }
}
