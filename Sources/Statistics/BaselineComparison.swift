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
/// Memory: about 8 bytes a value (a rank of 4, room in the blocks, their maxima), 22 at worst; independent of m.
public struct BaselineComparison: Sendable {
    struct Block {
        /// Where the block's ranks are: `slot * blockCapacity` in `ranks`.
        var slot: Int32
        var count: Int32
        var isStale: Bool
        /// count · m.
        var width: Int
        /// max over j of lower(rⱼ) · n − j · m, j counted from the start of the block.
        var greatestAbove: Int
        /// max over j of (j + 1) · m − upper(rⱼ) · n.
        var greatestBelow: Int
    }

    /// Small and a multiple of four: a block is searched as a whole, four ranks at a time, so that the number of steps
    /// does not depend on its content, which no processor could predict.
    static var blockCapacity: Int { 32 }

    /// Stands in the places of a block that hold no rank; above all ranks.
    private static var noRank: Int32 { .max }

    /// What the window is compared with.
    public let baseline: BaselineDistribution

    /// The number of values in the window.
    public private(set) var count = 0

    private var blocks: [Block] = []
    /// The smallest rank of each block, apart from the blocks so that a search reads little memory.
    private var firsts: [Int32] = []
    private var ranks: [Int32] = []
    private var freeSlots: [Int32] = []
    /// The count for which the blocks' maxima hold, but for those that are stale.
    private var summarisedCount = 0
    /// The blocks to refresh, as long as they are few and stay where they are; otherwise all are looked at.
    private var staleBlocks: [Int] = []
    private var areStaleBlocksKnown = true

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
            if index + 1 < blocks.count && firsts[index + 1] <= position { index += 1 }
        }
        let start = Int(blocks[index].slot) * Self.blockCapacity
        ranks.withUnsafeMutableBufferPointer { ranks in
            let block = ranks.baseAddress! + start
            let place = Self.countNotAbove(position, in: block, count: Self.blockCapacity)
            (block + place + 1).update(from: block + place, count: Self.blockCapacity - 1 - place)
            block[place] = position
        }
        if position < firsts[index] { firsts[index] = position }
        change(index, by: 1)
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
            let place = Self.countNotAbove(position, in: block, count: Self.blockCapacity) - 1
            precondition(
                place >= 0 && block[place] == position, "BaselineComparison: a value is removed that was not added")
            (block + place).update(from: block + place + 1, count: Self.blockCapacity - 1 - place)
            block[Self.blockCapacity - 1] = Self.noRank
            return block[0]
        }
        count -= 1
        firsts[index] = first
        change(index, by: -1)
        if blockCount == 1 {
            removeBlock(at: index)
        } else if blockCount - 1 <= Self.blockCapacity / 4 {
            mergeNeighbours(of: index)
        }
    }

    /// Empties the window and keeps its memory.
    public mutating func removeAll() {
        freeSlots.append(contentsOf: blocks.map(\.slot))
        blocks.removeAll(keepingCapacity: true)
        firsts.removeAll(keepingCapacity: true)
        areStaleBlocksKnown = false
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
        refreshStaleBlocks()
        var before = 0
        var above = 0
        var under = 0
        blocks.withUnsafeBufferPointer { blocks in
            for block in blocks {
                above = max(above, block.greatestAbove &- before)
                under = max(under, block.greatestBelow &+ before)
                before &+= block.width
            }
        }
        return Double(max(above, under)) / (Double(n) * Double(m))
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
    private func blockIndex(of position: Int32) -> Int {
        firsts.withUnsafeBufferPointer { firsts in
            guard let start = firsts.baseAddress else { return -1 }
            return Self.countNotAbove(position, in: start, count: firsts.count) - 1
        }
    }

    /// The number of sorted ranks that are not above a rank.
    ///
    /// Compares all of them: without a branch, four at a time, it is faster for so few than a search.
    private static func countNotAbove(_ position: Int32, in ranks: UnsafePointer<Int32>, count: Int) -> Int {
        var notAbove = SIMD4<Int32>.zero
        var index = 0
        while index + 4 <= count {
            let four = UnsafeRawPointer(ranks + index).loadUnaligned(as: SIMD4<Int32>.self)
            notAbove.replace(with: notAbove &+ 1, where: four .<= position)
            index += 4
        }
        var total = Int(notAbove.wrappedSum())
        while index < count {
            total += ranks[index] <= position ? 1 : 0
            index += 1
        }
        return total
    }

    private mutating func refreshStaleBlocks() {
        let n = count
        let m = baseline.count
        let areAllStale = count != summarisedCount
        summarisedCount = count
        baseline.below.withUnsafeBufferPointer { below in
            ranks.withUnsafeBufferPointer { ranks in
                blocks.withUnsafeMutableBufferPointer { blocks in
                    if areAllStale || !areStaleBlocksKnown {
                        for index in blocks.indices where areAllStale || blocks[index].isStale {
                            Self.refresh(&blocks[index], ranks: ranks, below: below, n: n, m: m)
                        }
                    } else {
                        for index in staleBlocks {
                            Self.refresh(&blocks[index], ranks: ranks, below: below, n: n, m: m)
                        }
                    }
                }
            }
        }
        staleBlocks.removeAll(keepingCapacity: true)
        areStaleBlocksKnown = true
    }

    /// Computes a block's maxima.
    private static func refresh(
        _ block: inout Block, ranks: UnsafeBufferPointer<Int32>, below: UnsafeBufferPointer<Int32>, n: Int, m: Int
    ) {
        let start = ranks.baseAddress! + Int(block.slot) * blockCapacity
        let count = Int(block.count)
        let maxima =
            below.isEmpty
            ? maxima(of: start, count: count, n: n, m: m) { $0 }
            : maxima(of: start, count: count, n: n, m: m) { Int(below[$0]) }
        block.width = count * m
        block.greatestAbove = maxima.above
        block.greatestBelow = maxima.below
        block.isStale = false
    }

    /// - Parameter countBelow: the number of baseline values below the distinct value of an index.
    @inline(__always)
    private static func maxima(
        of ranks: UnsafePointer<Int32>, count: Int, n: Int, m: Int, countBelow: (Int) -> Int
    ) -> (above: Int, below: Int) {
        var above = Int.min
        var under = Int.min
        var earlier = 0
        var index = 0
        while index < count {
            let rank = Int(ranks[index])
            above = max(above, countBelow(rank >> 1) &* n &- earlier)
            earlier &+= m
            under = max(under, earlier &- countBelow((rank &+ 1) >> 1) &* n)
            index &+= 1
        }
        return (above, under)
    }

    private mutating func change(_ index: Int, by difference: Int) {
        blocks[index].count += Int32(difference)
        guard !blocks[index].isStale else { return }
        blocks[index].isStale = true
        staleBlocks.append(index)
    }

    private mutating func insertBlock(at index: Int, ranks newRanks: [Int32]) {
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = Int32(ranks.count / Self.blockCapacity)
            ranks.append(contentsOf: repeatElement(Self.noRank, count: Self.blockCapacity))
        }
        let start = Int(slot) * Self.blockCapacity
        for offset in 0..<Self.blockCapacity {
            ranks[start + offset] = offset < newRanks.count ? newRanks[offset] : Self.noRank
        }
        areStaleBlocksKnown = false
        let block = Block(
            slot: slot, count: Int32(newRanks.count), isStale: true, width: 0, greatestAbove: 0, greatestBelow: 0)
        blocks.insert(block, at: index)
        firsts.insert(newRanks[0], at: index)
    }

    private mutating func removeBlock(at index: Int) {
        freeSlots.append(blocks[index].slot)
        areStaleBlocksKnown = false
        blocks.remove(at: index)
        firsts.remove(at: index)
    }

    /// Moves the upper half of a full block to a new one behind it.
    private mutating func split(_ index: Int) {
        let kept = Self.blockCapacity / 2
        let start = Int(blocks[index].slot) * Self.blockCapacity
        let moved = Array(ranks[(start + kept)..<(start + Self.blockCapacity)])
        for offset in kept..<Self.blockCapacity { ranks[start + offset] = Self.noRank }
        change(index, by: kept - Self.blockCapacity)
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
            change(left, by: rightCount)
            removeBlock(at: right)
            return
        }
    }
}
