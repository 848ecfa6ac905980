/// One value an hour over three weeks, and its 30th percentile: what a model reaches in its good third.
///
/// Three weeks, so that one bad week cannot move it. While little has been seen the value is drawn towards 1, what a
/// model reaches that needs no training: a model that is bad on its first day is no measure of itself.
struct GoodReference: Equatable {
    var values: [(hour: Int64, value: Double)] = []

    /// The last value of an hour stands for it.
    mutating func note(_ value: Double, hour: Int64) {
        if let last = values.last, last.hour == hour { values.removeLast() }
        values.append((hour, value))
    }

    mutating func value(now: Int64, by constants: SkillConstants) -> Double? {
        var gone = 0
        while gone < values.count, values[gone].hour <= now - constants.referenceHours { gone += 1 }
        if gone > 0 { values.removeFirst(gone) }
        guard !values.isEmpty else { return nil }
        let sorted = values.map(\.value).sorted()
        let good = sorted[min(sorted.count - 1, Int(Double(sorted.count) * constants.goodShare))]
        // The pull is gone once the reference is full.
        let trust = min(1, Double(values.count) / constants.trustHours)
        return good > 1 ? 1 + trust * (good - 1) : good
    }

    static func == (left: GoodReference, right: GoodReference) -> Bool {
        left.values.elementsEqual(right.values) { $0 == $1 }
    }
}
