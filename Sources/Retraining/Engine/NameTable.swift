internal import Glibc

/// Numbers names: equal bytes get the same number, and a known name costs one hash and one comparison.
///
/// Open addressing with linear probing over one arena of bytes. Numbers of forgotten names are used again.
struct NameTable {
    private struct Entry {
        var hash: UInt64
        var start: Int
        var count: Int
    }

    private static let vacant: Int32 = -1
    private static let forgotten: Int32 = -2

    private var slots: [Int32]
    private var entries: [Entry] = []
    private var bytes: [UInt8] = []
    private var free: [Int32] = []
    private var occupied = 0
    /// Bytes of the names held.
    private var liveBytes = 0

    init() { slots = Array(repeating: Self.vacant, count: 64) }

    /// Names held now.
    var count: Int { entries.count - free.count }

    /// One past the highest number given out.
    var upperBound: Int { entries.count }

    func find(_ name: BorrowedText) -> Int32? {
        let hash = stableHash(name.bytes)
        return find(name.bytes, hash)
    }

    mutating func intern(_ name: BorrowedText) -> Int32 {
        let hash = stableHash(name.bytes)
        return find(name.bytes, hash) ?? insert(name.bytes, hash)
    }

    mutating func intern(_ name: String) -> Int32 {
        var name = name
        return name.withUTF8 { intern(BorrowedText(base: $0.baseAddress, count: $0.count)) }
    }

    func find(_ name: String) -> Int32? {
        var name = name
        return name.withUTF8 { find(BorrowedText(base: $0.baseAddress, count: $0.count)) }
    }

    subscript(number: Int32) -> String {
        let entry = entries[Int(number)]
        return String(decoding: bytes[entry.start..<entry.start + entry.count], as: UTF8.self)
    }

    /// Whether the bytes of one name come before those of another.
    func precedes(_ left: Int32, _ right: Int32) -> Bool {
        let (a, b) = (entries[Int(left)], entries[Int(right)])
        return bytes.withUnsafeBufferPointer { own in
            let common = min(a.count, b.count)
            for index in 0..<common where own[a.start + index] != own[b.start + index] {
                return own[a.start + index] < own[b.start + index]
            }
            return a.count < b.count
        }
    }

    func withBytes<Result>(_ number: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        let entry = entries[Int(number)]
        return bytes.withUnsafeBufferPointer {
            body(UnsafeBufferPointer(rebasing: $0[entry.start..<entry.start + entry.count]))
        }
    }

    /// The same for the same name in every run: orders things without comparing strings.
    func hash(_ number: Int32) -> UInt64 { entries[Int(number)].hash }

    mutating func forget(_ number: Int32) {
        let entry = entries[Int(number)]
        var slot = Int(truncatingIfNeeded: entry.hash) & (slots.count - 1)
        while slots[slot] != number { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Self.forgotten
        liveBytes -= entry.count
        entries[Int(number)].count = 0
        free.append(number)
        compactIfWasteful()
    }

    private func find(_ name: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int32? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let number = slots[slot]
            if number == Self.vacant { return nil }
            if number >= 0, entries[Int(number)].hash == hash, matches(Int(number), name) { return number }
            slot = (slot + 1) & mask
        }
    }

    private func matches(_ number: Int, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        let entry = entries[number]
        guard entry.count == name.count, let other = name.baseAddress else { return entry.count == name.count }
        return bytes.withUnsafeBufferPointer { memcmp($0.baseAddress! + entry.start, other, entry.count) == 0 }
    }

    private mutating func insert(_ name: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int32 {
        if (occupied + 1) * 2 > slots.count { rehash(count: max(64, self.count * 4).nextPowerOfTwo) }
        let entry = Entry(hash: hash, start: bytes.count, count: name.count)
        bytes.append(contentsOf: name)
        liveBytes += name.count
        let number: Int32
        if let reused = free.popLast() {
            number = reused
            entries[Int(reused)] = entry
        } else {
            number = Int32(entries.count)
            entries.append(entry)
        }
        place(number, hash)
        return number
    }

    private mutating func place(_ number: Int32, _ hash: UInt64) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        if slots[slot] == Self.vacant { occupied += 1 }
        slots[slot] = number
    }

    private mutating func rehash(count: Int) {
        slots = Array(repeating: Self.vacant, count: count)
        occupied = 0
        let gone = Set(free)
        for number in entries.indices where !gone.contains(Int32(number)) { place(Int32(number), entries[number].hash) }
    }

    /// Bytes of forgotten names go once they are more than half of the arena.
    private mutating func compactIfWasteful() {
        guard bytes.count > 4096, liveBytes * 2 < bytes.count else { return }
        var packed: [UInt8] = []
        packed.reserveCapacity(liveBytes)
        for index in entries.indices {
            let entry = entries[index]
            entries[index].start = packed.count
            packed.append(contentsOf: bytes[entry.start..<entry.start + entry.count])
        }
        bytes = packed
    }
}

/// A 64-bit hash that is the same in every process, unlike `Hasher`.
///
/// Folded 64 × 64 multiplication over 8 bytes at a time, as wyhash does it (Wang Yi, 2019).
func stableHash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: bytes.count)
    guard let base = bytes.baseAddress else { return mixed(state, 0) }
    let raw = UnsafeRawPointer(base)
    var offset = 0
    while offset + 8 <= bytes.count {
        state = mixed(state, UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        offset += 8
    }
    let rest = bytes.count - offset
    if rest > 0 {
        var tail: UInt64 = 0
        if offset > 0 {
            // The last eight bytes, without those that have been taken.
            let last = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
            tail = last >> UInt64(8 * (8 - rest))
        } else {
            for index in 0..<rest { tail |= UInt64(bytes[index]) << UInt64(8 * index) }
        }
        state = mixed(state, tail)
    }
    return mixed(state, 0xD6E8_FEB8_6659_FD93)
}

/// One step of `stableHash`.
@inline(__always)
func mixed(_ state: UInt64, _ value: UInt64) -> UInt64 {
    let product = (state ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: value ^ 0xE703_7ED1_A0B4_28DB)
    return product.high ^ product.low ^ state
}

extension String {
    /// A total order of names: as people sort them, and by bytes where two differ in bytes alone.
    func precedes(_ other: String) -> Bool {
        self != other ? self < other : utf8.lexicographicallyPrecedes(other.utf8)
    }
}

extension Int {
    var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
