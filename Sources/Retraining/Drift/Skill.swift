/// How well a model forecasts beside a cheap online forecaster that sees the same: the error term of the calibrated
/// score.
///
/// A hard week raises the errors of both, so that their ratio stays; a model that has gone stale raises its own alone.
/// G is the ratio over 84 h against the least squares, F over 24 h against the best expert; each is held against what
/// it is in the model's good third of three weeks. Only the version in service counts, with the history of its own.
struct Skill {
    /// What one evaluation found.
    struct Reading: Equatable {
        /// Model error over that of the least squares, 84 h; nil with fewer than 24 hours filled.
        var ratio: Double?
        var reference: Double?
        /// Model error over that of the best expert, 24 h; nil with fewer than 12 hours filled.
        var fastRatio: Double?
        var fastReference: Double?
        /// What the ratios are held against: the reference, kept from falling too low, and raised after a roll-back.
        /// Nil while the ratio does not count.
        var limit: Double?
        var fastLimit: Double?
        /// PER*: 0 to 1. 0.25 (a loss of a quarter, or 2.25 times the error of the best expert) reaches the threshold alone.
        var loss = 0.0
    }

    /// Entities that the shadow follows at most: those of the least hash. Skill is a mean, 64 series tell it.
    static let followedEntities = 64
    /// Pairs an hour of one series that are followed at most, about.
    private static let pairsPerHour: Int32 = 12

    struct Key: TableKey {
        var entity: Int32
        var slot: Int

        @inline(__always)
        var tableHash: UInt64 { mixed(UInt64(truncatingIfNeeded: entity), UInt64(truncatingIfNeeded: slot)) }
    }

    struct ForecastKey: TableKey {
        var entity: Int32
        var slot: Int
        var at: Milliseconds

        @inline(__always)
        var tableHash: UInt64 {
            mixed(UInt64(bitPattern: at), UInt64(truncatingIfNeeded: entity) << 16 ^ UInt64(truncatingIfNeeded: slot))
        }
    }

    struct Pending {
        var issuedAt: Milliseconds
        var bucket: Int
        var inputs: ShadowForecaster.Inputs
        var made: ShadowForecaster.Forecast
    }

    struct ForecasterKey: TableKey {
        var slot: Int
        var bucket: Int

        @inline(__always)
        var tableHash: UInt64 { mixed(UInt64(truncatingIfNeeded: slot), UInt64(truncatingIfNeeded: bucket)) }
    }

    var series = OpenTable<Key, SeriesHistory>()
    var pending = OpenTable<ForecastKey, [Pending]>()
    var forecasters = OpenTable<ForecasterKey, ShadowForecaster>()
    var versions: [Int32: SkillCells] = [:]
    var slowReference = GoodReference()
    var fastReference = GoodReference()
    /// Entities followed, by hash.
    var followed: [(hash: UInt64, entity: Int32)] = [] { didSet { noteFollowed() } }
    /// Bit n of them is set where an entity n modulo 1024 is followed: a clear bit spares the search.
    private var followedBits = InlineArray<16, UInt64>(repeating: 0)
    /// All that are followed are predicted, which is looked at once and not for every record of the others.
    private var isSettled = false
    var comparison = VersionComparison()
    var lastRollback: Milliseconds?

    // MARK: Following entities

    func isFollowed(_ entity: Int32) -> Bool {
        let bit = Int(entity) & 1023
        guard followedBits[bit >> 6] >> UInt64(bit & 63) & 1 != 0 else { return false }
        for one in followed where one.entity == entity { return true }
        return false
    }

    mutating func noteFollowed() {
        isSettled = false
        followedBits = InlineArray(repeating: 0)
        for one in followed {
            let bit = Int(one.entity) & 1023
            followedBits[bit >> 6] |= 1 << UInt64(bit & 63)
        }
    }

    /// Considers an entity; true where it is followed. One that the model predicts goes before any that it does not.
    mutating func follow(_ entity: Int32, hash: UInt64, predicted: NumberSet) -> Bool {
        if isFollowed(entity) { return true }
        if followed.count == Self.followedEntities {
            if !isSettled, let other = followed.last(where: { predicted.position(of: $0.entity) == nil }) {
                guard hash < other.hash || predicted.position(of: entity) != nil else { return false }
                forget(entity: other.entity)
            } else {
                isSettled = true
                guard let last = followed.last, hash < last.hash, predicted.position(of: entity) != nil else {
                    return false
                }
                forget(entity: last.entity)
            }
        }
        let position = followed.firstIndex { $0.hash > hash } ?? followed.count
        followed.insert((hash, entity), at: position)
        return true
    }

    var judgedVersions: [Int32] { Array(versions.keys) }
    var followedEntities: [Int32] { followed.map(\.entity) }

    mutating func forget(entity: Int32) {
        followed.removeAll { $0.entity == entity }
        series.removeAll { $0.entity == entity }
        pending.removeAll { $0.entity == entity }
    }

    // MARK: Learning

    /// Takes an actual of an entity that is followed.
    mutating func add(actual: Double, entity: Int32, slot: Int, at time: Milliseconds) {
        let position = series.position(of: Key(entity: entity, slot: slot), orInsert: SeriesHistory())
        series.values[position].add(actual, at: time)
    }

    /// Forecasts beside a forecast of the version in service.
    mutating func add(
        forecast: Double, entity: Int32, slot: Int, at time: Milliseconds, issuedAt: Milliseconds, bucket: Int,
        rank: UInt64
    ) {
        guard let known = series.position(of: Key(entity: entity, slot: slot)) else { return }
        let perHour = series.values[known].valuesPerHour
        if perHour > Self.pairsPerHour,
            Double(rank >> 11) * 0x1p-53 > Double(Self.pairsPerHour) / Double(perHour)
        {
            return
        }
        guard let scale = series.values[known].fixScale(), let last = series.values[known].last(at: issuedAt) else {
            return
        }
        // The shadow forecaster must not learn from an absurd forecast: one of them would fix its weights for weeks.
        let forecast = abs(forecast) < series.values[known].limit ?? .infinity ? forecast : last
        let yesterday = past(.day, known, at: time, issuedAt: issuedAt) ?? last
        let inputs = ShadowForecaster.Inputs(
            forecast: forecast / scale, last: last / scale, yesterday: yesterday / scale,
            lastWeek: (past(7 * .day, known, at: time, issuedAt: issuedAt) ?? yesterday) / scale, scale: scale)
        let forecaster = forecasters.position(
            of: ForecasterKey(slot: slot, bucket: bucket), orInsert: ShadowForecaster())
        let made = forecasters.values[forecaster].forecast(inputs)
        let waiting = pending.position(of: ForecastKey(entity: entity, slot: slot, at: time), orInsert: [])
        guard pending.values[waiting].count < 64 else { return }
        pending.values[waiting].append(Pending(issuedAt: issuedAt, bucket: bucket, inputs: inputs, made: made))
    }

    /// The mean of the same hour as many whole periods earlier as it takes to be known at the time of issue.
    private func past(
        _ period: Milliseconds, _ position: Int, at time: Milliseconds, issuedAt: Milliseconds
    ) -> Double? {
        let periods = max(1, (time - issuedAt + period - 1) / period)
        return series.values[position].hour(at: time - periods * period)
    }

    /// Takes the pairs of one actual, those of all versions and horizons, in the order of their issue.
    ///
    /// Each forecast that was followed is judged with the forecasts that others made beside it. Two servers never issue
    /// at the same millisecond: of every other version the nearest forecast counts, where it is near enough.
    mutating func add(
        pairs: ArraySlice<JoinedPair>, serving: Int32, previous: Int32?, since pairsFrom: Milliseconds,
        by constants: SkillConstants
    ) {
        guard let first = pairs.first else { return }
        let key = ForecastKey(entity: first.entity, slot: first.slot, at: first.at)
        guard let position = pending.position(of: key) else { return }
        let waiting = pending.values[position]
        if waiting.count == 1, pairs.allSatisfy({ $0.issuedAt == waiting[0].issuedAt }) {
            judge(pairs, beside: waiting[0], key, serving, previous, since: pairsFrom, by: constants)
            return
        }
        for shadow in waiting where pairs.contains(where: { $0.issuedAt == shadow.issuedAt }) {
            var beside: [JoinedPair] = []
            for pair in pairs {
                let distance = abs(pair.issuedAt - shadow.issuedAt)
                guard distance == 0 || distance <= Self.tolerance(key.at - shadow.issuedAt),
                    distance == 0 || !waiting.contains(where: { $0.issuedAt == pair.issuedAt })
                else { continue }
                if let other = beside.firstIndex(where: { $0.version == pair.version }) {
                    if distance < abs(beside[other].issuedAt - shadow.issuedAt) { beside[other] = pair }
                } else {
                    beside.append(pair)
                }
            }
            judge(beside[...], beside: shadow, key, serving, previous, since: pairsFrom, by: constants)
        }
    }

    /// How far apart two forecasts may be issued to count as made side by side: a tenth of the horizon, five minutes
    /// at least.
    private static func tolerance(_ horizon: Milliseconds) -> Milliseconds { max(5 * .minute, horizon / 10) }

    private mutating func judge(
        _ pairs: ArraySlice<JoinedPair>, beside shadow: Pending, _ key: ForecastKey, _ serving: Int32,
        _ previous: Int32?, since pairsFrom: Milliseconds, by constants: SkillConstants
    ) {
        guard let first = pairs.first, let position = pending.position(of: key),
            let index = pending.values[position].firstIndex(where: { $0.issuedAt == shadow.issuedAt }),
            let known = series.position(of: Key(entity: first.entity, slot: first.slot)),
            let normaliser = series.values[known].normaliser
        else { return }
        let limit = series.values[known].limit ?? .infinity
        pending.values[position].remove(at: index)
        if pending.values[position].isEmpty { pending.remove(key) }
        let scale = shadow.inputs.scale
        let hour = first.at.flooredDivision(by: .hour)
        let regression = constants.winsorised(abs(shadow.made.regression * scale - first.actual) / normaliser)
        let expert = constants.winsorised(abs(shadow.made.expert * scale - first.actual) / normaliser)
        var new: Double?
        var old: Double?
        // Versions without a name are told apart by time, and a shadow without one by nothing.
        for pair in pairs where pair.version >= 0 || !pair.isShadow && pair.issuedAt >= pairsFrom {
            // An absurd forecast says nothing: it counts as one by the last value would. A single one can then neither
            // blind nor trigger, and a model that gives many loses its skill.
            let predicted = abs(pair.predicted) < limit ? pair.predicted : shadow.inputs.last * scale
            let error = constants.winsorised(abs(predicted - pair.actual) / normaliser)
            versions[pair.version, default: SkillCells()].add(
                hour: hour, model: error, regression: regression, expert: expert)
            if pair.version == serving { new = error } else if pair.version == previous { old = error }
        }
        if let new, let old { comparison.add(hour: hour, new: new, old: old) }
        guard abs(first.actual) < limit else { return }
        guard let learner = forecasters.position(of: ForecasterKey(slot: first.slot, bucket: shadow.bucket)) else {
            return
        }
        forecasters.values[learner].learn(
            shadow.inputs, actual: first.actual / scale, made: shadow.made, normaliser: normaliser / scale,
            targetHour: hour)
    }

    /// Lets go of forecasts whose actual can no longer come, and of hours that no window reaches.
    mutating func expire(
        now: Milliseconds, lateness: Milliseconds, serving: Int32, by constants: SkillConstants
    ) {
        let hour = now.flooredDivision(by: .hour)
        for version in versions.keys {
            versions[version]!.forget(through: hour - constants.slowHours)
            if versions[version]!.cells.isEmpty, version != serving { versions[version] = nil }
        }
        comparison.forget(through: hour - constants.slowHours)
        pending.removeAll { $0.at + lateness < now }
    }

    // MARK: Reading

    mutating func read(
        now: Milliseconds, serving: Int32, deployedAt: Milliseconds?, verification: Verification?,
        by constants: SkillConstants
    ) -> Reading {
        var reading = Reading()
        let hour = now.flooredDivision(by: .hour)
        let cells = versions[serving] ?? SkillCells()
        let slow = cells.sums(now: hour, span: constants.slowHours)
        if slow.filled >= SkillConstants.slowFill, let ratio = Self.ratio(slow.model, slow.regression) {
            reading.ratio = ratio
            slowReference.note(reading.ratio!, hour: hour)
        }
        reading.reference = slowReference.value(now: hour, by: constants)
        let fast = cells.sums(now: hour, span: constants.fastHours)
        if fast.filled >= SkillConstants.fastFill, let ratio = Self.ratio(fast.model, fast.expert) {
            reading.fastRatio = ratio
            fastReference.note(reading.fastRatio!, hour: hour)
        }
        reading.fastReference = fastReference.value(now: hour, by: constants)
        var loss = 0.0
        // On trial a version is judged early only where it is ahead of the old one, or has none beside it, and has been
        // seen for long enough: a training soon after a change has seen little of it, and another one helps.
        let counts = verification.map { ($0.isAhead || $0.isAlone) && slow.filled >= constants.trialFill } ?? true
        if let ratio = reading.ratio, let reference = reading.reference, counts {
            let limit = max(reference, constants.leastReference) * bar(at: now, by: constants)
            reading.limit = limit
            loss = max(loss, ratio / limit - 1)
        }
        if let ratio = reading.fastRatio, let reference = reading.fastReference,
            deployedAt.map({ now - $0 >= SkillConstants.fastAfter }) ?? true
        {
            let limit = max(1, reference)
            reading.fastLimit = limit
            loss = max(loss, constants.fastGain * (ratio / limit - 1))
        }
        reading.loss = min(1, max(0, loss))
        return reading
    }

    private func bar(at now: Milliseconds, by constants: SkillConstants) -> Double {
        guard let lastRollback else { return 1 }
        let age = Double(now - lastRollback) / Double(Milliseconds.hour)
        return 1 + constants.backoff * Portable.exp(-age / constants.backoffHours)
    }

    /// G of a version over the last days, for comparison where no shadow predictions exist.
    func ratio(of version: Int32, now: Milliseconds, by constants: SkillConstants) -> Double? {
        let sums = (versions[version] ?? SkillCells()).sums(
            now: now.flooredDivision(by: .hour), span: constants.slowHours)
        return sums.filled >= SkillConstants.slowFill ? Self.ratio(sums.model, sums.regression) : nil
    }

    /// Where neither errs, as on a constant series, one is as good as the other.
    private static func ratio(_ model: Double, _ other: Double) -> Double? {
        other > 0 ? model / other : model == 0 ? 1 : nil
    }

    /// The version in service goes on under another name.
    mutating func rename(_ old: Int32, to new: Int32) { versions[new] = versions.removeValue(forKey: old) }

    /// The version without a name has been replaced: what was known of it says nothing of the next.
    mutating func forgetUnnamed() { versions[-1] = nil }

    mutating func beginComparison() { comparison = VersionComparison() }
}
