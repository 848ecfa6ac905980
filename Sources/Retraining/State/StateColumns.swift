// Columns: many numbers of one kind, written close together.

extension StateWriter {
    /// Doubles as decimals where all of them are (41.2, 60.15): two or three bytes each. Otherwise as they are.
    mutating func column(_ values: [Double]) {
        guard let digits = Decimals.digits(of: values) else {
            byte(Decimals.none)
            reserve(values.count * 8)
            for value in values { double(value) }
            return
        }
        byte(digits)
        let scale = Decimals.scales[Int(digits)]
        reserve(values.count * 3)
        for value in values {
            if value.isNaN {
                varint(0)
            } else {
                let whole = Int64((value * scale).rounded())
                varint(UInt64(bitPattern: whole << 1 ^ whole >> 63) + 1)
            }
        }
    }

    /// Times as differences, in units of their greatest common divisor.
    mutating func column(times: [Milliseconds]) {
        guard let first = times.first else { return }
        time(first)
        var step: UInt64 = 0
        for index in 1..<max(1, times.count) {
            step = Self.commonDivisor((times[index] - times[index - 1]).magnitude, step)
        }
        varint(step)
        guard step > 0 else { return }
        reserve(times.count * 2)
        for index in 1..<max(1, times.count) { signed((times[index] - times[index - 1]) / Int64(step)) }
    }

    private static func commonDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}

extension StateReader {
    mutating func column(count: Int, _ value: (Int, Double) -> Void) throws(StateError) {
        let digits = try byte()
        guard digits != Decimals.none else {
            guard remaining / 8 >= count else { throw failure("more is announced than follows") }
            for index in 0..<count { value(index, try double()) }
            return
        }
        guard Int(digits) < Decimals.scales.count else { throw failure("a column of an unknown kind") }
        let scale = Decimals.scales[Int(digits)]
        for index in 0..<count {
            let code = try varint()
            let zigzag = code &- 1
            let whole = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
            value(index, code == 0 ? .nan : Double(whole) / scale)
        }
    }

    mutating func column(times count: Int, _ value: (Int, Milliseconds) -> Void) throws(StateError) {
        guard count > 0 else { return }
        var time = try time()
        value(0, time)
        let step = try varint()
        for index in 1..<max(1, count) {
            if step > 0 { time = try checked(time &+ (try signed()) &* Int64(truncatingIfNeeded: step)) }
            value(index, time)
        }
    }
}

/// Doubles that are whole numbers divided by a power of ten.
private enum Decimals {
    static let none: UInt8 = 255
    static let scales: [Double] = [1, 10, 100, 1000, 10_000]

    /// The fewest digits behind the point that all values have exactly; nil where some have more.
    static func digits(of values: [Double]) -> UInt8? {
        var digits = 0
        for value in values where value.bitPattern != Double.nan.bitPattern {
            while !fits(value, scales[digits]) {
                digits += 1
                guard digits < scales.count else { return nil }
            }
        }
        // What has few digits has more as well, but for rounding: the digits found must do for all.
        for value in values where value.bitPattern != Double.nan.bitPattern && !fits(value, scales[digits]) {
            return nil
        }
        return UInt8(digits)
    }

    private static func fits(_ value: Double, _ scale: Double) -> Bool {
        let whole = (value * scale).rounded()
        return abs(whole) < 0x1p40 && (Double(Int64(whole)) / scale).bitPattern == value.bitPattern
    }
}
