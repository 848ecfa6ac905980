/// The Kolmogorov–Smirnov statistic of a changing window against a fixed baseline, exact at any time.
///
/// Values come and go in any order; the window itself, and what leaves it when, is the caller's.
///
/// ```swift
/// var comparison = BaselineComparison(baseline: baseline)
/// comparison.add(41.2)
/// comparison.remove(38.9)             // which was added earlier
/// let d = comparison.statistic()
/// ```
///
/// **Method.** With the window's n values in order, ranks r₀ ≤ r₁ ≤ …, and `lower(r)`, `upper(r)` of the baseline's m
/// values below and not above the value, `D = max over j of (lower(rⱼ)/m − j/n, (j + 1)/n − upper(rⱼ)/m)`: between the
/// window's values only the baseline's function climbs, so that the extremes lie just before and at them. (Among equal
/// values the first gives the first term and the last the second; those between are smaller.) Numerators are whole
/// numbers: exact with ties, any n and m.
///
/// The ranks are kept in blocks of at most `blockCapacity`, in order. Each block remembers its two maxima, counted
/// from its own start; an added or removed value makes only its block's stale. A query refreshes stale blocks and
/// passes once over the blocks: O(n / 32), whatever m is. If n has changed since the last query, all are refreshed,
/// O(n).
///
/// Memory: 4 bytes a value, and up to the same again for room in the blocks; independent of m.
public struct BaselineComparison: Sendable {
    struct Block {
        /// The smallest rank in the block.
        var first: UInt32
        /// Where the block's ranks are: `slot * blockCapacity` in `ranks`.
        var slot: UInt32
        var count: Int32
        var isStale: Bool
        /// max over j of lower(rⱼ) · n − j · m, j counted from the start of the block.
        var greatestAbove: Int
        /// max over j of (j + 1) · m − upper(rⱼ) · n.
        var greatestBelow: Int
    }

    static var blockCapacity: Int { 64 }

    /// What the window is compared with.
    public let baseline: BaselineDistribution

    /// The number of values in the window.
    public private(set) var count = 0

    private var blocks: [Block] = []
    private var ranks: [UInt32] = []
    private var freeSlots: [UInt32] = []
    /// The count for which the blocks' maxima hold.
    private var summarisedCount = 0

    /// An empty window compared with `baseline`.
    public init(baseline: BaselineDistribution) {
        self.baseline = baseline
    }

    // MARK: Changing the window

    /// Adds a value; false if it is NaN, which is ignored.
    @discardableResult
    public mutating func add(_ value: Double) -> Bool {
        guard !value.isNaN else { return false }
        add(baseline.rank(of: value))
        return true
    }

    /// Removes a value that was added; false if it is NaN, which never was.
    ///
    /// - Precondition: the value, or one between the same neighbours in the baseline, is in the window.
    @discardableResult
    public mutating func remove(_ value: Double) -> Bool {
        guard !value.isNaN else { return false }
        remove(baseline.rank(of: value))
        return true
    }

    /// Adds a value by its rank in `baseline`, which spares the search.
    public mutating func add(_ rank: BaselineDistribution.Rank) {
        let position = rank.position
        count += 1
        guard !blocks.isEmpty else {
            insertBlock(at: 0, ranks: [position])
            return
        }
        var index = max(blockIndex(of: position), 0)
        if Int(blocks[index].count) == Self.blockCapacity {
            split(index)
            if index + 1 < blocks.count && blocks[index + 1].first <= position { index += 1 }
        }
        let blockCount = Int(blocks[index].count)
        let start = Int(blocks[index].slot) * Self.blockCapacity
        ranks.withUnsafeMutableBufferPointer { ranks in
            let block = ranks.baseAddress! + start
            let place = Self.countNotAbove(position, in: block, count: blockCount)
            (block + place + 1).update(from: block + place, count: blockCount - place)
            block[place] = position
        }
        blocks[index].first = min(blocks[index].first, position)
        blocks[index].count += 1
        blocks[index].isStale = true
    }

    /// Removes a value by its rank in `baseline`.
    ///
    /// - Precondition: a value of that rank is in the window.
    public mutating func remove(_ rank: BaselineDistribution.Rank) {
        let position = rank.position
        let index = blockIndex(of: position)
        precondition(index >= 0, "BaselineComparison: a value is removed that was not added")
        let blockCount = Int(blocks[index].count)
        let start = Int(blocks[index].slot) * Self.blockCapacity
        let first = ranks.withUnsafeMutableBufferPointer { ranks in
            let block = ranks.baseAddress! + start
            let place = Self.countNotAbove(position, in: block, count: blockCount) - 1
            precondition(
                place >= 0 && block[place] == position, "BaselineComparison: a value is removed that was not added")
            (block + place).update(from: block + place + 1, count: blockCount - place - 1)
            return block[0]
        }
        count -= 1
        blocks[index].count -= 1
        blocks[index].first = first
        blocks[index].isStale = true
        if blocks[index].count == 0 {
            freeSlots.append(blocks[index].slot)
            blocks.remove(at: index)
        } else if blockCount - 1 <= Self.blockCapacity / 4 {
            mergeNeighbours(of: index)
        }
    }

    /// Empties the window and keeps its memory.
    public mutating func removeAll() {
        freeSlots.append(contentsOf: blocks.map(\.slot))
        blocks.removeAll(keepingCapacity: true)
        count = 0
    }

    // MARK: Asking

    /// The statistic of the window against the baseline, 0 ... 1; 0 if either is empty.
    ///
    /// Mutating only because it refreshes what it remembers of the blocks.
    public mutating func statistic() -> Double {
        let n = count
        let m = baseline.count
        guard n > 0 && m > 0 else { return 0 }
        let areAllStale = n != summarisedCount
        summarisedCount = n
        var before = 0
        var greatest = 0
        baseline.below.withUnsafeBufferPointer { below in
            ranks.withUnsafeBufferPointer { ranks in
                blocks.withUnsafeMutableBufferPointer { blocks in
                    for index in blocks.indices {
                        if areAllStale || blocks[index].isStale {
                            Self.refresh(&blocks[index], ranks: ranks, below: below, n: n, m: m)
                        }
                        greatest = max(greatest, blocks[index].greatestAbove - before)
                        greatest = max(greatest, blocks[index].greatestBelow + before)
                        before += Int(blocks[index].count) * m
                    }
                }
            }
        }
        return Double(greatest) / (Double(n) * Double(m))
    }

    /// The p-value of the window's statistic; 1 if window or baseline is empty.
    ///
    /// - Parameter method: asymptotic unless told otherwise: the exact one takes milliseconds, see
    ///   `KolmogorovSmirnov.Method`.
    public mutating func pValue(method: KolmogorovSmirnov.Method = .asymptotic) -> KolmogorovSmirnov.PValue {
        guard count > 0 && baseline.count > 0 else { return KolmogorovSmirnov.PValue(value: 1, method: .exact) }
        return KolmogorovSmirnov.pValue(statistic: statistic(), count, baseline.count, method: method)
    }
}

// MARK: - Blocks

extension BaselineComparison {
    /// The last block that starts at or below a rank; −1 if all start above.
    private func blockIndex(of position: UInt32) -> Int {
        blocks.withUnsafeBufferPointer { blocks in
            guard var first = blocks.baseAddress else { return -1 }
            let start = first
            var length = blocks.count
            while length > 1 {
                let half = length / 2
                first += first[half - 1].first <= position ? half : 0
                length -= half
            }
            return first - start - (first.pointee.first <= position ? 0 : 1)
        }
    }

    /// The number of a sorted block's ranks that are not above a rank.
    ///
    /// Compares all of them: without a branch it is faster for so few than a search.
    private static func countNotAbove(_ position: UInt32, in block: UnsafePointer<UInt32>, count: Int) -> Int {
        var notAbove: UInt32 = 0
        for index in 0..<count { notAbove &+= block[index] <= position ? 1 : 0 }
        return Int(notAbove)
    }

    private static func refresh(
        _ block: inout Block, ranks: UnsafeBufferPointer<UInt32>, below: UnsafeBufferPointer<UInt32>, n: Int, m: Int
    ) {
        let first = Int(block.slot) * blockCapacity
        var above = Int.min
        var under = Int.min
        var earlier = 0
        for index in first..<(first + Int(block.count)) {
            let position = Int(ranks[index])
            var lower = position >> 1
            var upper = (position + 1) >> 1
            if !below.isEmpty {
                lower = Int(below[lower])
                upper = Int(below[upper])
            }
            above = max(above, lower &* n &- earlier)
            earlier &+= m
            under = max(under, earlier &- upper &* n)
        }
        block.greatestAbove = above
        block.greatestBelow = under
        block.isStale = false
    }

    private mutating func insertBlock(at index: Int, ranks newRanks: [UInt32]) {
        let slot: UInt32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = UInt32(ranks.count / Self.blockCapacity)
            ranks.append(contentsOf: repeatElement(0, count: Self.blockCapacity))
        }
        let start = Int(slot) * Self.blockCapacity
        for (offset, rank) in newRanks.enumerated() { ranks[start + offset] = rank }
        let block = Block(
            first: newRanks[0], slot: slot, count: Int32(newRanks.count), isStale: true,
            greatestAbove: 0, greatestBelow: 0)
        blocks.insert(block, at: index)
    }

    /// Moves the upper half of a full block to a new one behind it.
    private mutating func split(_ index: Int) {
        let kept = Self.blockCapacity / 2
        let start = Int(blocks[index].slot) * Self.blockCapacity
        let moved = Array(ranks[(start + kept)..<(start + Self.blockCapacity)])
        blocks[index].count = Int32(kept)
        blocks[index].isStale = true
        insertBlock(at: index + 1, ranks: moved)
    }

    /// Joins a block that has become small with a neighbour, if both together leave room to grow.
    private mutating func mergeNeighbours(of index: Int) {
        for left in [index, index - 1] where left >= 0 && left + 1 < blocks.count {
            let right = left + 1
            let leftCount = Int(blocks[left].count)
            let rightCount = Int(blocks[right].count)
            guard leftCount + rightCount <= Self.blockCapacity * 3 / 4 else { continue }
            let target = Int(blocks[left].slot) * Self.blockCapacity + leftCount
            let source = Int(blocks[right].slot) * Self.blockCapacity
            for offset in 0..<rightCount { ranks[target + offset] = ranks[source + offset] }
            blocks[left].count += Int32(rightCount)
            blocks[left].isStale = true
            freeSlots.append(blocks[right].slot)
            blocks.remove(at: right)
            return
        }
    }
}
