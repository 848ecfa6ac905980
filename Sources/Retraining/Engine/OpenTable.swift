/// A key of an `OpenTable`: a few numbers that mix well.
protocol TableKey: BitwiseCopyable, Equatable {
    /// Evenly distributed in its low bits.
    var tableHash: UInt64 { get }
}

extension Int32: TableKey {
    @inline(__always)
    var tableHash: UInt64 { mixed(UInt64(truncatingIfNeeded: self), 0x9E37_79B9) }
}

/// A dictionary for the path of a message: keys are numbers, so that hashing is one multiplication instead of the keyed
/// hash that `Dictionary` has for texts from strangers.
///
/// Open addressing with linear probing; keys and values lie densely in two arrays, so that a value is changed in place
/// and going through all of them reads memory in order. The order depends on what was removed: whoever needs one sorts.
struct OpenTable<Key: TableKey, Value> {
    private var slots: [Int32] = []
    private(set) var keys: [Key] = []
    /// By the same positions as `keys`.
    var values: [Value] = []

    var count: Int { keys.count }
    var isEmpty: Bool { keys.isEmpty }

    /// Where a key's value is; nil where there is none. Valid until the next removal.
    @inline(__always)
    func position(of key: Key) -> Int? {
        guard !slots.isEmpty else { return nil }
        return slots.withUnsafeBufferPointer { slots in
            keys.withUnsafeBufferPointer { keys in
                let mask = slots.count - 1
                var slot = Int(truncatingIfNeeded: key.tableHash) & mask
                while slots[slot] >= 0 {
                    let position = Int(slots[slot])
                    if keys[position] == key { return position }
                    slot = (slot + 1) & mask
                }
                return nil
            }
        }
    }

    /// Where a key's value is, put there if need be.
    @inline(__always)
    mutating func position(of key: Key, orInsert value: @autoclosure () -> Value) -> Int {
        position(of: key) ?? insert(key, value())
    }

    subscript(key: Key) -> Value? {
        get { position(of: key).map { values[$0] } }
        set {
            guard let newValue else { return remove(key) }
            if let position = position(of: key) {
                values[position] = newValue
            } else {
                _ = insert(key, newValue)
            }
        }
    }

    private mutating func insert(_ key: Key, _ value: Value) -> Int {
        if (count + 1) * 2 > slots.count { rehash(count: max(16, slots.count * 2)) }
        keys.append(key)
        values.append(value)
        place(count - 1)
        return count - 1
    }

    mutating func remove(_ key: Key) {
        guard let position = position(of: key) else { return }
        unlink(position)
        let last = count - 1
        if position != last {
            // The last one moves into the gap.
            slots[slot(holding: last)] = Int32(position)
            keys[position] = keys[last]
            values.swapAt(position, last)
        }
        keys.removeLast()
        values.removeLast()
    }

    mutating func removeAll(where isGone: (Key) -> Bool) {
        for key in keys.filter(isGone) { remove(key) }
    }

    private func slot(holding position: Int) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: keys[position].tableHash) & mask
        while slots[slot] != position { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func place(_ position: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: keys[position].tableHash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(position)
    }

    /// Removal by shifting back, so that probing needs no tombstones (Knuth, TAOCP vol. 3, 6.4, algorithm R).
    private mutating func unlink(_ position: Int) {
        let mask = slots.count - 1
        var hole = slot(holding: position)
        var probe = hole
        while true {
            probe = (probe + 1) & mask
            guard slots[probe] >= 0 else { break }
            let home = Int(truncatingIfNeeded: keys[Int(slots[probe])].tableHash) & mask
            if (probe &- home) & mask >= (probe &- hole) & mask {
                slots[hole] = slots[probe]
                hole = probe
            }
        }
        slots[hole] = -1
    }

    private mutating func rehash(count: Int) {
        slots = Array(repeating: -1, count: count)
        for position in keys.indices { place(position) }
    }
}

/// A set of numbers.
typealias NumberSet = OpenTable<Int32, Void>

extension OpenTable where Value == Void {
    /// True where it was not there.
    mutating func insert(_ key: Key) -> Bool {
        let before = count
        _ = position(of: key, orInsert: ())
        return count > before
    }
}
