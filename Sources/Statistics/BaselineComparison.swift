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
        /// Where the block's ranks are: `slot * blockCapacity` in `ranks`.
        var slot: Int32
        var count: Int32
        var isStale: Bool
        /// count · m. This and the next two are whole numbers, below 2^53.
        var width: Double
        /// max over j of lower(rⱼ) · n − j · m, j counted from the start of the block.
        var greatestAbove: Double
        /// max over j of (j + 1) · m − upper(rⱼ) · n.
        var greatestBelow: Double
    }

    static var blockCapacity: Int { 64 }

    /// What the window is compared with.
    public let baseline: BaselineDistribution

    /// The number of values in the window.
    public private(set) var count = 0

    private var blocks: [Block] = []
    /// The smallest rank of each block, apart from the blocks so that a search reads little memory.
    private var firsts: [Int32] = []
    private var ranks: [Int32] = []
    private var freeSlots: [Int32] = []
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
            if index + 1 < blocks.count && firsts[index + 1] <= position { index += 1 }
        }
        let blockCount = Int(blocks[index].count)
        let start = Int(blocks[index].slot) * Self.blockCapacity
        ranks.withUnsafeMutableBufferPointer { ranks in
            let block = ranks.baseAddress! + start
            let place = Self.countNotAbove(position, in: block, count: blockCount)
            (block + place + 1).update(from: block + place, count: blockCount - place)
            block[place] = position
        }
        if position < firsts[index] { firsts[index] = position }
        Self.change(&blocks[index], by: 1)
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
        firsts[index] = first
        Self.change(&blocks[index], by: -1)
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
        var before = 0.0
        var above = 0.0
        var under = 0.0
        baseline.below.withUnsafeBufferPointer { below in
            ranks.withUnsafeBufferPointer { ranks in
                blocks.withUnsafeMutableBufferPointer { blocks in
                    for index in blocks.indices {
                        if areAllStale || blocks[index].isStale {
                            Self.refresh(&blocks[index], ranks: ranks, below: below, n: Double(n), m: Double(m))
                        }
                        // Comparisons written out: `max` orders equal values too, and costs several instructions.
                        let fromAbove = blocks[index].greatestAbove - before
                        let fromBelow = blocks[index].greatestBelow + before
                        above = fromAbove > above ? fromAbove : above
                        under = fromBelow > under ? fromBelow : under
                        before += blocks[index].width
                    }
                }
            }
        }
        return max(above, under) / (Double(n) * Double(m))
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

    /// Computes a block's maxima, four ranks at a time; in whole numbers, which `Double` holds exactly.
    private static func refresh(
        _ block: inout Block, ranks: UnsafeBufferPointer<Int32>, below: UnsafeBufferPointer<Int32>, n: Double,
        m: Double
    ) {
        let start = ranks.baseAddress! + Int(block.slot) * blockCapacity
        let count = Int(block.count)
        var above = SIMD4<Double>(repeating: -.infinity)
        var under = SIMD4<Double>(repeating: -.infinity)
        var earlier = SIMD4<Double>(0, 1, 2, 3) * m
        var index = 0
        while index + 4 <= count {
            let positions = UnsafeRawPointer(start + index).loadUnaligned(as: SIMD4<Int32>.self)
            var lower = positions &>> 1
            var upper = (positions &+ 1) &>> 1
            if !below.isEmpty {
                lower = gather(lower, from: below)
                upper = gather(upper, from: below)
            }
            let fromAbove = doubles(lower) * n - earlier
            let fromBelow = earlier + m - doubles(upper) * n
            above.replace(with: fromAbove, where: fromAbove .> above)
            under.replace(with: fromBelow, where: fromBelow .> under)
            earlier += 4 * m
            index += 4
        }
        var greatestAbove = max(max(above[0], above[1]), max(above[2], above[3]))
        var greatestBelow = max(max(under[0], under[1]), max(under[2], under[3]))
        while index < count {
            let lower = Int(start[index] >> 1)
            let upper = Int((start[index] + 1) >> 1)
            let earlier = Double(index) * m
            greatestAbove = max(greatestAbove, Double(below.isEmpty ? lower : Int(below[lower])) * n - earlier)
            greatestBelow = max(greatestBelow, earlier + m - Double(below.isEmpty ? upper : Int(below[upper])) * n)
            index += 1
        }
        block.width = Double(count) * m
        block.greatestAbove = greatestAbove
        block.greatestBelow = greatestBelow
        block.isStale = false
    }

    private static func doubles(_ numbers: SIMD4<Int32>) -> SIMD4<Double> {
        SIMD4(Double(numbers[0]), Double(numbers[1]), Double(numbers[2]), Double(numbers[3]))
    }

    private static func gather(_ indices: SIMD4<Int32>, from table: UnsafeBufferPointer<Int32>) -> SIMD4<Int32> {
        SIMD4(
            table[Int(indices[0])], table[Int(indices[1])], table[Int(indices[2])], table[Int(indices[3])])
    }

    private static func change(_ block: inout Block, by difference: Int) {
        block.count += Int32(difference)
        block.isStale = true
    }

    private mutating func insertBlock(at index: Int, ranks newRanks: [Int32]) {
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = Int32(ranks.count / Self.blockCapacity)
            ranks.append(contentsOf: repeatElement(0, count: Self.blockCapacity))
        }
        let start = Int(slot) * Self.blockCapacity
        for (offset, rank) in newRanks.enumerated() { ranks[start + offset] = rank }
        let block = Block(
            slot: slot, count: Int32(newRanks.count), isStale: true, width: 0, greatestAbove: 0, greatestBelow: 0)
        blocks.insert(block, at: index)
        firsts.insert(newRanks[0], at: index)
    }

    private mutating func removeBlock(at index: Int) {
        freeSlots.append(blocks[index].slot)
        blocks.remove(at: index)
        firsts.remove(at: index)
    }

    /// Moves the upper half of a full block to a new one behind it.
    private mutating func split(_ index: Int) {
        let kept = Self.blockCapacity / 2
        let start = Int(blocks[index].slot) * Self.blockCapacity
        let moved = Array(ranks[(start + kept)..<(start + Self.blockCapacity)])
        Self.change(&blocks[index], by: kept - Self.blockCapacity)
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
            Self.change(&blocks[left], by: rightCount)
            removeBlock(at: right)
            return
        }
    }
}
