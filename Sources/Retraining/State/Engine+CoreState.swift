// What belongs to the engine as a whole: where it stands, its names, and its input partitions.

/// What the core says about the other units.
struct CoreSummary {
    var settings: StateSettings
    var lanes: Int
    var pools: Int
    var models: Int
}

extension Engine {
    func encodeCore(into writer: inout StateWriter) {
        StateSettings(configuration).encode(into: &writer)
        writer.count(lanes.count { $0.cut != nil })
        writer.count(pools.count)
        writer.count(evaluatedModels.count)
        writer.optionalTime(lastBoundary)
        writer.optionalTime(lastTidied)
        writer.bool(isPaused)
        let counts = countersAtCut.all
        writer.count(counts.count)
        for count in counts { writer.varint(count) }
        writer.count(orphans.count)
        for orphan in orphans {
            orphan.status.encode(into: &writer)
            writer.time(orphan.at)
        }
    }

    func decodeCore(from reader: inout StateReader) throws(StateError) -> CoreSummary {
        let summary = CoreSummary(
            settings: try StateSettings(from: &reader), lanes: try reader.integer(), pools: try reader.integer(),
            models: try reader.integer())
        lastBoundary = try reader.optionalTime()
        lastTidied = try reader.optionalTime()
        isPaused = try reader.bool()
        var counts: [UInt64] = []
        for _ in 0..<(try reader.count()) { counts.append(try reader.varint()) }
        counters.all = counts
        countersAtCut = counters
        for _ in 0..<(try reader.count(ofAtLeast: 4)) {
            let status = try TrainingStatusRecord(from: &reader)
            orphans.append((status, try reader.time()))
        }
        return summary
    }

    // MARK: Names

    func encodeNames(into writer: inout StateWriter) {
        let entities = NameDictionary(Self.seen(entitySeen), in: entityNames)
        entities.encode(entityNames, into: &writer)
        writer.column(times: entities.numbers.map { entitySeen[Int($0)] })
        let versions = NameDictionary(Self.seen(versionSeen), in: versionNames)
        versions.encode(versionNames, into: &writer)
        writer.column(times: versions.numbers.map { versionSeen[Int($0)] })
        let metrics = NameDictionary((0..<Int32(metricNamesAtCut)).map { $0 }, in: metricNames)
        metrics.encode(metricNames, into: &writer)
        sharedActuals.encode(entities, metrics, into: &writer)
    }

    /// Numbers that an evaluation has seen.
    private static func seen(_ times: [Milliseconds]) -> [Int32] {
        times.indices.filter { times[$0] != .min }.map(Int32.init)
    }

    func decodeNames(from reader: inout StateReader) throws(StateError) {
        let entities = try reader.names { restored(entity: $0) }
        try reader.column(times: entities.count) { entitySeen[Int(entities[$0])] = $1 }
        let versions = try reader.names { restored(version: $0) }
        try reader.column(times: versions.count) { versionSeen[Int(versions[$0])] = $1 }
        let metrics = try reader.names { metricNames.intern($0) }
        sharedActuals = try SharedActuals(entities, metrics, from: &reader)
    }

    // MARK: Lanes

    func decodeLane(from reader: inout StateReader) throws(StateError) {
        let roleNumber = try reader.index(below: InputRole.allCases.count)
        let topic = try reader.text()
        let partition = try reader.partition()
        let known = lanes.count
        let lane = lane(topic: topic, partition: partition, role: InputRole.allCases[roleNumber])
        guard lane == known else { throw reader.failure("the partition occurs twice") }
        try lanes[lane].decode(from: &reader)
    }
}

extension Lane {
    func encode(into writer: inout StateWriter) {
        writer.count(role.rawValue)
        writer.text(topic)
        writer.signed(Int64(partition))
        let cut = cut ?? (0, .min)
        writer.signed(cut.nextOffset)
        writer.time(cut.mergeTime)
        // What lies behind the cut belongs to the next evaluation.
        let seen = offsets.hours.prefix { $0.offset < cut.nextOffset }
        writer.count(seen.count)
        var last: (hour: Int64, offset: Int64) = (0, 0)
        for entry in seen {
            writer.signed(entry.hour - last.hour)
            writer.signed(entry.offset - last.offset)
            last = entry
        }
    }

    func decode(from reader: inout StateReader) throws(StateError) {
        nextOffset = try reader.checked(try reader.signed())
        mergeTime = try reader.time()
        cut = (nextOffset, mergeTime)
        var last: (hour: Int64, offset: Int64) = (0, 0)
        for _ in 0..<(try reader.count(ofAtLeast: 2)) {
            last.hour = try reader.checked(last.hour &+ (try reader.signed()))
            last.offset = try reader.checked(last.offset &+ (try reader.signed()))
            guard last.hour != .min, last.offset != .min, offsets.hours.last.map({ $0.hour < last.hour }) ?? true else {
                throw reader.failure("hours of the offset index are not in order")
            }
            offsets.hours.append(last)
        }
    }
}

extension EngineCounters {
    private static var places: [WritableKeyPath<EngineCounters, UInt64>] {
        [
            \.predictions, \.actuals, \.load, \.statuses, \.commands, \.pairs, \.latePredictions, \.lateActuals,
            \.duplicatePredictions, \.duplicateActuals, \.unmatchedPredictions, \.unmatchedActuals, \.evictedHalves,
            \.unknownRequests, \.repeatedStatuses, \.evaluations, \.decisions,
        ]
    }

    /// Adds what was counted between two moments of the same engine.
    public mutating func add(_ later: EngineCounters, minus earlier: EngineCounters) {
        for place in Self.places where later[keyPath: place] > earlier[keyPath: place] {
            self[keyPath: place] &+= later[keyPath: place] - earlier[keyPath: place]
        }
    }

    /// In an order that later versions only add to.
    var all: [UInt64] {
        get { Self.places.map { self[keyPath: $0] } }
        set { for (place, value) in zip(Self.places, newValue) { self[keyPath: place] = value } }
    }
}
