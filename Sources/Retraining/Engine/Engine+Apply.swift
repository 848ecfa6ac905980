// Applying: what was joined goes into windows and skill, in an order that does not depend on how it arrived.

/// A value that was joined: of which series, and when.
protocol JoinedValue {
    var at: Milliseconds { get }
    var entity: Int32 { get }
    var slot: Int { get }
    /// Whether it comes before another of the same (`at`, entity, metric).
    func precedes(_ other: Self) -> Bool
}

extension Engine {
    /// Applies actuals, then pairs, in the order (`at`, entity, metric, `issued_at`).
    func applyJoined(_ model: ModelState, _ boundary: Milliseconds) {
        applyActuals(model)
        applyPairs(model, boundary)
        applyForecasts(model) { _ in true }
        model.newActuals.removeAll(keepingCapacity: true)
        model.pairs.removeAll(keepingCapacity: true)
    }

    private func applyActuals(_ model: ModelState) {
        guard !model.newActuals.isEmpty else { return }
        sort(&model.newActuals, &sortedActuals, by: model.places)
        let drift = configuration.drift
        let calendar = configuration.quiet.calendar
        model.firstActualAt = min(model.firstActualAt ?? .max, model.newActuals[0].at)
        var entity: Int32 = -1
        var isFollowed = false
        var last = LastRank()
        for index in model.newActuals.indices {
            let actual = model.newActuals[index]
            if actual.entity != entity {
                entity = actual.entity
                isFollowed = model.isCalibrated && model.skill.isFollowed(entity)
            }
            model.windows[actual.slot].add(
                ActualSample(at: actual.at, value: actual.value, rank: rank(entity, actual.at, &last)), drift, calendar)
            if isFollowed {
                model.skill.add(actual: actual.value, entity: entity, slot: actual.slot, at: actual.at)
            }
            // The value before: what a forecast by the last value would have said.
            model.newActuals[index].naive = model.follow(
                entity: entity, slot: actual.slot, at: actual.at, value: actual.value)
        }
    }

    private func applyPairs(_ model: ModelState, _ boundary: Milliseconds) {
        guard !model.pairs.isEmpty else { return }
        sort(&model.pairs, &sortedPairs, by: model.places)
        if model.isCalibrated {
            applyForecasts(model) { isJoined($0, model, boundary) }
            applySkill(model)
        }
        let drift = configuration.drift
        var last = LastRank()
        // Actuals and pairs are in the same order: they are gone through side by side.
        var next = 0
        for pair in model.pairs {
            while next < model.newActuals.count, comes(model.newActuals[next], before: pair, model.places) { next += 1 }
            guard !pair.isShadow, pair.version == model.serving, pair.issuedAt >= model.pairsFrom else { continue }
            var naive = Double.nan
            if next < model.newActuals.count {
                let actual = model.newActuals[next]
                if actual.at == pair.at, actual.entity == pair.entity, actual.slot == pair.slot { naive = actual.naive }
            }
            model.windows[pair.slot].add(
                ErrorSample(
                    at: pair.at, predicted: pair.predicted, actual: pair.actual, naive: naive,
                    rank: rank(pair.entity, pair.at, &last)), bucket: bucket(pair.at - pair.issuedAt), drift)
        }
    }

    private func comes(_ actual: JoinedActual, before pair: JoinedPair, _ places: [Int32]) -> Bool {
        if actual.at != pair.at { return actual.at < pair.at }
        if actual.entity != pair.entity { return precedes(actual.entity, pair.entity) }
        return places[actual.slot] < places[pair.slot]
    }

    /// Hands the pairs to the skill, those of one actual together.
    private func applySkill(_ model: ModelState) {
        var start = 0
        while start < model.pairs.count {
            let first = model.pairs[start]
            var end = start + 1
            while end < model.pairs.count {
                let other = model.pairs[end]
                guard other.at == first.at, other.entity == first.entity, other.slot == first.slot else { break }
                end += 1
            }
            if model.skill.isFollowed(first.entity) {
                model.skill.add(
                    pairs: model.pairs[start..<end], serving: model.serving, previous: model.verification?.oldVersion,
                    since: model.pairsFrom, by: configuration.drift.skill)
            }
            start = end
        }
    }

    /// Whether a new forecast has met its actual already: such a one has to be followed before its pair is.
    private func isJoined(_ forecast: ServedForecast, _ model: ModelState, _ boundary: Milliseconds) -> Bool {
        guard forecast.at <= boundary,
            let cell = model.join.find(JoinTable.Key(entity: forecast.entity, at: forecast.at))
        else { return false }
        let actual = model.join.cells[Int(cell)].actual
        return actual >= 0 && !model.join.value(actual, forecast.slot).isNaN
    }

    /// Has the forecasts that are chosen followed by the skill.
    private func applyForecasts(_ model: ModelState, where isChosen: (ServedForecast) -> Bool) {
        guard !model.newForecasts.isEmpty else { return }
        let places = model.places
        let split = model.newForecasts.partition(by: isChosen)
        guard split < model.newForecasts.count else { return }
        model.newForecasts[split...].sort { left, right in
            if left.issuedAt != right.issuedAt { return left.issuedAt < right.issuedAt }
            if left.at != right.at { return left.at < right.at }
            if left.entity != right.entity { return precedes(left.entity, right.entity) }
            return places[left.slot] < places[right.slot]
        }
        var last = LastRank()
        for forecast in model.newForecasts[split...] {
            model.skill.add(
                forecast: forecast.value, entity: forecast.entity, slot: forecast.slot, at: forecast.at,
                issuedAt: forecast.issuedAt, bucket: bucket(forecast.at - forecast.issuedAt),
                rank: rank(forecast.entity, forecast.at, &last))
        }
        model.newForecasts.removeSubrange(split...)
    }

    // MARK: Order

    /// Puts values in the order (`at`, entity, metric), and in their own where all three are equal.
    ///
    /// The values of one row lie together already: rows are ordered as a whole, by radix, then the values inside.
    ///
    /// - Parameters:
    ///   - other: memory for the outcome; the two arrays change places.
    ///   - places: of the metrics, by slot, in the order of their names.
    private func sort<Value: JoinedValue>(_ values: inout [Value], _ other: inout [Value], by places: [Int32]) {
        orderRows(values)
        other.removeAll(keepingCapacity: true)
        other.reserveCapacity(values.count)
        var start = 0
        for position in 0..<rowOrder.count {
            let row = rowOrder.item(position)
            let (first, count) = (Int(row >> 32), Int(row & 0xFFFF_FFFF))
            if start < other.count, other[start].at != values[first].at || other[start].entity != values[first].entity {
                Self.sortRun(&other, from: start, by: places)
                start = other.count
            }
            for index in first..<first + count { other.append(values[index]) }
        }
        Self.sortRun(&other, from: start, by: places)
        swap(&values, &other)
    }

    private func orderRows<Value: JoinedValue>(_ values: [Value]) {
        rowOrder.removeAll()
        var (earliest, latest) = (Milliseconds.max, Milliseconds.min)
        for value in values { (earliest, latest) = (min(earliest, value.at), max(latest, value.at)) }
        let timeBits = UInt64.bitWidth - UInt64(bitPattern: latest &- earliest).leadingZeroBitCount
        // 16 million hashes tell the entities of a moment apart; what is equal in them is compared whole.
        let hashBits = min(24, UInt64.bitWidth - timeBits)
        var start = 0
        while start < values.count {
            let (at, entity) = (values[start].at, values[start].entity)
            var end = start + 1
            while end < values.count, values[end].at == at, values[end].entity == entity { end += 1 }
            let hash = entityNames.hash(entity) >> UInt64(UInt64.bitWidth - hashBits)
            rowOrder.append(
                key: UInt64(bitPattern: at &- earliest) << UInt64(hashBits) | hash,
                item: UInt64(start) << 32 | UInt64(end - start))
            start = end
        }
        rowOrder.sort()
        rowOrder.sortTies { left, right in
            let (a, b) = (values[Int(left >> 32)].entity, values[Int(right >> 32)].entity)
            return a == b ? left < right : precedes(a, b)
        }
    }

    /// Orders the values of one (`at`, entity).
    private static func sortRun<Value: JoinedValue>(_ values: inout [Value], from start: Int, by places: [Int32]) {
        func isBefore(_ left: Value, _ right: Value) -> Bool {
            let (a, b) = (places[left.slot], places[right.slot])
            return a == b ? left.precedes(right) : a < b
        }
        guard values.count - start > 1 else { return }
        if values.count - start > 32 { return values[start...].sort(by: isBefore) }
        for index in start + 1..<values.count where isBefore(values[index], values[index - 1]) {
            let value = values[index]
            var place = index
            while place > start, isBefore(value, values[place - 1]) {
                values[place] = values[place - 1]
                place -= 1
            }
            values[place] = value
        }
    }

    /// Whether an entity comes before another, which is not the same: by the hashes of their names.
    private func precedes(_ left: Int32, _ right: Int32) -> Bool {
        let (a, b) = (entityNames.hash(left), entityNames.hash(right))
        return a != b ? a < b : entityNames[left] < entityNames[right]
    }

    /// The last rank that was worked out: the values of a row share one.
    private struct LastRank {
        var entity: Int32 = -1
        var at: Milliseconds = 0
        var rank: UInt64 = 0
    }

    private func rank(_ entity: Int32, _ at: Milliseconds, _ last: inout LastRank) -> UInt64 {
        if last.entity != entity || last.at != at {
            last = LastRank(entity: entity, at: at, rank: mixed(entityNames.hash(entity), UInt64(bitPattern: at)))
        }
        return last.rank
    }

    private func bucket(_ horizon: Milliseconds) -> Int {
        let edges = configuration.drift.horizonBuckets
        for index in edges.indices where horizon <= edges[index] { return index }
        return edges.count
    }
}
