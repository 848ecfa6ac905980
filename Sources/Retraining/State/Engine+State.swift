// The state as of the last evaluation: exact, canonical, versioned.
//
// Whatever is collected after an evaluation belongs to the next one and is not in the state; a shell that restores reads
// its inputs again from the cut. Numbers of names, orders of arrival, free lists and capacities do not show: engines
// that were fed the same cuts have the same bytes, however partitions interleaved.

extension Engine {
    /// The version of the format that is written. Older ones are read; see `docs/state-format.md`.
    static let stateFormat: UInt8 = 2

    /// The units of the state, in an order that is the same for the same state.
    public func stateUnits() -> [StateUnit] {
        var units: [StateUnit] = [.core, .names]
        for lane in laneOrder where lanes[lane].cut != nil {
            let (topic, partition) = (StateUnit.escaped(lanes[lane].topic), lanes[lane].partition)
            units.append(
                StateUnit(key: "lane/\(lanes[lane].role)/\(topic)/\(partition)", content: .lane(lane)))
        }
        units.append(.everything)
        for pool in NameDictionary(Array(pools.keys), in: poolNames).numbers {
            let key = poolNames.withBytes(pool) { "pool/" + StateUnit.escaped($0) }
            units.append(StateUnit(key: key, content: .pool(pool)))
        }
        for model in evaluatedModels {
            let key = modelNames.withBytes(model) { "model/" + StateUnit.escaped($0) }
            units.append(StateUnit(key: key, content: .model(model)))
        }
        return units
    }

    /// Lets go of all inputs, so that the state can go on with others: those of a history made of files are not those of
    /// a cluster. What was collected since the last evaluation is lost.
    public func releaseLanes() {
        lanes.removeAll()
        laneOrder.removeAll()
    }

    /// The bytes of one unit: the same at any moment up to the next evaluation.
    ///
    /// - Parameter unit: of `stateUnits()` since the last evaluation.
    public func encode(_ unit: StateUnit) -> [UInt8] {
        var writer = StateWriter(format: Self.stateFormat)
        switch unit.content {
        case .core: encodeCore(into: &writer)
        case .names: encodeNames(into: &writer)
        case .lane(let lane): lanes[lane].encode(into: &writer)
        case .everything: everything.encode(machineNames, into: &writer)
        case .pool(let number):
            poolNames.withBytes(number) { writer.text($0) }
            pools[number]!.encode(machineNames, into: &writer)
        case .model(let number): models[Int(number)]!.encode(self, into: &writer)
        }
        return writer.bytes
    }

    /// All units one behind the other, each after its key: for tests and comparisons.
    func stateBytes() -> [UInt8] {
        stateUnits().reduce(into: []) { bytes, unit in
            bytes += Array(unit.key.utf8) + [0]
            bytes += encode(unit)
        }
    }

    /// A number that engines of the same state agree on, in hexadecimal: SHA-256 over the keys and bytes of all units.
    public func stateDigest() -> String {
        SHA256.digest(stateBytes()).map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
    }

    /// Where the last evaluation cut every input partition that it knew, by role, topic and partition.
    public var cutPositions: [CutPosition] {
        laneOrder.compactMap { number in
            let lane = lanes[number]
            return lane.cut.map { cut in
                CutPosition(
                    topic: lane.topic, partition: lane.partition, role: lane.role, nextOffset: cut.nextOffset,
                    mergeTime: cut.mergeTime == .min ? nil : cut.mergeTime)
            }
        }
    }

    var evaluatedModels: [Int32] { modelsByName.filter { models[Int($0)]?.metricsAtCut != nil } }

    // MARK: Restoring

    /// Restores an engine as it was right after the evaluation behind the state, with nothing collected.
    ///
    /// The configuration may differ from that of the engine that wrote; `adaptations` then says what became of the state.
    /// The bytes may come from anywhere: whatever they are, this either restores or throws.
    ///
    /// - Parameter units: keys and bytes of all units of one state, in any order.
    /// - Throws: what is wrong, and in which unit. The state is then of no use.
    public convenience init(
        configuration: EngineConfiguration, restoring units: [(key: String, bytes: [UInt8])]
    ) throws(StateError) {
        self.init(configuration: configuration)
        var rest: [(key: String, bytes: [UInt8])] = []
        var first: [String: [UInt8]] = [:]
        var seen: Set<String> = []
        for unit in units {
            guard seen.insert(unit.key).inserted else { throw StateError(unit: unit.key, problem: "it occurs twice") }
            if unit.key == StateUnit.core.key || unit.key == StateUnit.names.key {
                first[unit.key] = unit.bytes
            } else {
                rest.append(unit)
            }
        }
        guard let core = first[StateUnit.core.key] else { throw StateError(unit: "core", problem: "it is missing") }
        guard let names = first[StateUnit.names.key] else { throw StateError(unit: "names", problem: "it is missing") }
        var summary: CoreSummary?
        try Self.read("core", core) { reader throws(StateError) in summary = try decodeCore(from: &reader) }
        try Self.read("names", names) { reader throws(StateError) in try decodeNames(from: &reader) }
        var hasEverything = false
        // By key, so that the order in which units come decides nothing.
        for unit in rest.sorted(by: { $0.key < $1.key }) {
            if unit.key == StateUnit.everything.key { hasEverything = true }
            try Self.read(unit.key, unit.bytes) { reader throws(StateError) in
                try decode(unit.key, summary!.settings, from: &reader)
            }
        }
        guard hasEverything, summary!.lanes == lanes.count, summary!.pools == pools.count,
            summary!.models == evaluatedModels.count
        else {
            throw StateError(
                unit: "core",
                problem: """
                    it announces \(summary!.lanes) lanes, \(summary!.pools) pools and \(summary!.models) models; \
                    \(lanes.count), \(pools.count) and \(evaluatedModels.count) were found
                    """)
        }
        finishRestoring(summary!)
    }

    private static func read(
        _ key: String, _ bytes: [UInt8], _ body: (inout StateReader) throws(StateError) -> Void
    ) throws(StateError) {
        try bytes.withUnsafeBufferPointer { buffer throws(StateError) in
            var reader = StateReader(unit: key, buffer)
            let format = try reader.readFormat()
            guard 1...stateFormat ~= format else {
                throw StateError(
                    unit: key, position: 0,
                    problem: "format \(format) is not known to this version, which reads 1 to \(stateFormat)")
            }
            try body(&reader)
            try reader.finish()
        }
    }

    private func decode(
        _ key: String, _ stored: StateSettings, from reader: inout StateReader
    ) throws(StateError) {
        let lookback = configuration.quiet.lookback
        if key == StateUnit.everything.key {
            everything = try LoadMonitor(lookback: lookback, from: &reader) { machineNames.intern($0) }
        } else if key.hasPrefix("pool/") {
            let name = try reader.borrowedText()
            let number = poolNames.intern(BorrowedText(base: name.baseAddress, count: name.count))
            guard pools[number] == nil else { throw reader.failure("the pool occurs twice") }
            pools[number] = try LoadMonitor(lookback: lookback, from: &reader) { machineNames.intern($0) }
        } else if key.hasPrefix("lane/") {
            try decodeLane(from: &reader)
        } else if key.hasPrefix("model/") {
            let name = try reader.borrowedText()
            let model = modelState(modelNames.intern(BorrowedText(base: name.baseAddress, count: name.count)))
            guard model.metricsAtCut == nil else { throw reader.failure("the model occurs twice") }
            try model.decode(self, stored, from: &reader)
            for training in model.ledger.trainings where training.state != .observed {
                requestModels[training.requestID] = model.number
            }
        } else {
            throw StateError(unit: key, problem: "no unit has such a key")
        }
    }

    private func finishRestoring(_ summary: CoreSummary) {
        streamTime = lanes.compactMap { $0.role.advancesStreamTime ? $0.cut?.mergeTime : nil }.max()
        if streamTime == .min { streamTime = nil }
        metricNamesAtCut = metricNames.upperBound
        adaptations = summary.settings.adaptations(to: StateSettings(configuration))
        if evaluatedModels.count > configuration.limits.models {
            adaptations.append(
                "limits.models is \(configuration.limits.models) and there are \(evaluatedModels.count): all of them stay."
            )
        }
        if entityCount > configuration.limits.entities {
            adaptations.append(
                "limits.entities is \(configuration.limits.entities) and there are \(entityCount): all of them stay.")
        }
        if retainedHalves > configuration.limits.retainedHalves {
            adaptations.append(
                "limits.retained_halves is \(configuration.limits.retainedHalves) and \(retainedHalves) are held: the next evaluation evicts."
            )
        }
    }

    /// The number of an entity that a unit names. One that only a model knows counts as seen at the cut.
    func restored(entity name: BorrowedText) -> Int32 {
        let number = entityNames.intern(name)
        reserve(entity: number)
        if entitySeen[Int(number)] == .min { entitySeen[Int(number)] = lastBoundary ?? 0 }
        return number
    }

    func restored(version name: BorrowedText) -> Int32 {
        let number = number(version: name)
        if versionSeen[Int(number)] == .min { versionSeen[Int(number)] = lastBoundary ?? 0 }
        return number
    }
}
