extension BaselineDistribution {
    /// How many values lie in each of `bins` equal parts of a range; those outside count for the nearest part.
    ///
    /// O(bins · log n).
    public func histogram(from lower: Double, to upper: Double, bins: Int) -> [Int] {
        precondition(bins > 0, "a histogram has at least one bin")
        guard count > 0 else { return [] }
        let width = (upper - lower) / Double(bins)
        guard width > 0, width.isFinite else { return [count] + [Int](repeating: 0, count: bins - 1) }
        var before = 0
        return (1...bins).map { bin in
            let below = bin == bins ? count : countBelow(lower + width * Double(bin))
            defer { before = below }
            return below - before
        }
    }

    private func countBelow(_ value: Double) -> Int {
        countBelow(distinctIndex: distinct.withUnsafeBufferPointer { lowerBound(of: value, in: $0) })
    }
}
