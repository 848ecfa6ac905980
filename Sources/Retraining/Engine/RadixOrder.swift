/// Puts numbers of things in the order of 64-bit keys; equal keys keep their order.
///
/// Least significant digit first, 11 bits at a time (Knuth, TAOCP vol. 3, 5.2.5), only over the bits that differ: for
/// the rows of an interval two or three passes, where comparing would take sixteen steps a row. Its memory is used again.
struct RadixOrder {
    private var keys: [UInt64] = []
    private var items: [UInt64] = []
    private var otherKeys: [UInt64] = []
    private var otherItems: [UInt64] = []
    private var counts = [Int32](repeating: 0, count: RadixOrder.digits)

    private static let digitBits: UInt64 = 11
    private static let digits = 1 << 11

    var count: Int { items.count }

    mutating func removeAll() {
        keys.removeAll(keepingCapacity: true)
        items.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    mutating func append(key: UInt64, item: UInt64) {
        keys.append(key)
        items.append(item)
    }

    func item(_ position: Int) -> UInt64 { items[position] }

    /// Calls `body` with the items in order.
    func withItems<Result>(_ body: (UnsafeBufferPointer<UInt64>) -> Result) -> Result {
        items.withUnsafeBufferPointer(body)
    }

    mutating func sort() {
        var differing: UInt64 = 0
        var isSorted = true
        keys.withUnsafeBufferPointer { keys in
            var before: UInt64 = 0
            for key in keys {
                differing |= key ^ keys[0]
                isSorted = isSorted && key >= before
                before = key
            }
        }
        guard !isSorted else { return }
        if otherKeys.count < count {
            otherKeys = Array(repeating: 0, count: count * 3 / 2)
            otherItems = otherKeys
        }
        var shift: UInt64 = 0
        while shift < 64, differing >> shift != 0 {
            if (differing >> shift) & UInt64(Self.digits - 1) != 0 { pass(shift) }
            shift += Self.digitBits
        }
    }

    private mutating func pass(_ shift: UInt64) {
        let count = count
        counts.withUnsafeMutableBufferPointer { counts in
            for digit in counts.indices { counts[digit] = 0 }
            keys.withUnsafeMutableBufferPointer { keys in
                items.withUnsafeMutableBufferPointer { items in
                    otherKeys.withUnsafeMutableBufferPointer { otherKeys in
                        otherItems.withUnsafeMutableBufferPointer { otherItems in
                            for index in 0..<count {
                                counts[Int(keys[index] >> shift) & (Self.digits - 1)] += 1
                            }
                            var sum: Int32 = 0
                            for digit in counts.indices { (counts[digit], sum) = (sum, sum + counts[digit]) }
                            for index in 0..<count {
                                let digit = Int(keys[index] >> shift) & (Self.digits - 1)
                                let place = Int(counts[digit])
                                counts[digit] += 1
                                otherKeys[place] = keys[index]
                                otherItems[place] = items[index]
                            }
                            keys.baseAddress!.update(from: otherKeys.baseAddress!, count: count)
                            items.baseAddress!.update(from: otherItems.baseAddress!, count: count)
                        }
                    }
                }
            }
        }
    }

    /// Mends the order among equal keys.
    ///
    /// - Parameter areInOrder: whether the first item comes before the second.
    mutating func sortTies(_ areInOrder: (UInt64, UInt64) -> Bool) {
        var start = 0
        while start < count {
            var end = start + 1
            while end < count, keys[end] == keys[start] { end += 1 }
            if end - start > 1 { items[start..<end].sort(by: areInOrder) }
            start = end
        }
    }
}
