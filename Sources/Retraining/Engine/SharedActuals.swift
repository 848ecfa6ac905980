/// Actuals that named no model. They go to every model that predicted their entity; a model that predicts it later
/// finds them here, until they are too old to meet a prediction.
struct SharedActuals {
    struct Key: Hashable {
        var entity: Int32
        var at: Milliseconds
    }

    var values: [Key: [IntakeValue]] = [:]
    private var byHour: [Int64: [Key]] = [:]

    var count: Int { values.count }
    var oldestHour: Int64? { byHour.keys.min() }

    /// Lets go of the oldest hour; tells how many halves that were.
    mutating func evictOldestHour() -> Int {
        guard let oldest = oldestHour, let keys = byHour.removeValue(forKey: oldest) else { return 0 }
        for key in keys { values[key] = nil }
        return keys.count
    }

    /// The first value of a (entity, at, metric) wins.
    mutating func add(entity: Int32, at: Milliseconds, _ new: some Sequence<IntakeValue>) {
        let key = Key(entity: entity, at: at)
        if values[key] == nil { byHour[at.flooredDivision(by: .hour), default: []].append(key) }
        for value in new where !(values[key, default: []].contains { $0.metric == value.metric }) {
            values[key, default: []].append(value)
        }
    }

    /// Takes over what a stored state held of one (entity, at).
    mutating func restore(entity: Int32, at: Milliseconds, _ held: [IntakeValue]) {
        let key = Key(entity: entity, at: at)
        if values.updateValue(held, forKey: key) == nil {
            byHour[at.flooredDivision(by: .hour), default: []].append(key)
        }
    }

    func value(entity: Int32, at: Milliseconds, metric: Int32) -> Double? {
        values.isEmpty ? nil : values[Key(entity: entity, at: at)]?.first { $0.metric == metric }?.value
    }

    mutating func expire(before time: Milliseconds) {
        let hour = time.flooredDivision(by: .hour)
        for past in byHour.keys.filter({ $0 < hour }) {
            for key in byHour.removeValue(forKey: past) ?? [] { values[key] = nil }
        }
    }
}
