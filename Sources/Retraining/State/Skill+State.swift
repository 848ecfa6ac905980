import Statistics

/// What a unit of one model needs to name things: places of metrics, entities and versions.
struct ModelNames {
    /// Slots by place, and places by slot.
    var slots: [Int]
    var places: [Int]
    var entities: NameDictionary
    var versions: NameDictionary
}

/// The same for reading: slots are places.
struct StoredModelNames {
    var metricCount: Int
    var entities: [Int32]
    var versions: [Int32]
    /// Hashes of the entities' names, by place.
    var hashes: [UInt64]
}

extension Skill {
    var entitiesNamed: [Int32] {
        followed.map(\.entity) + series.keys.map(\.entity) + pending.keys.map(\.entity)
    }

    func encode(_ names: ModelNames, into writer: inout StateWriter) {
        writer.count(followed.count)
        for one in followed { writer.count(names.entities.index(one.entity)) }
        let keys = series.keys.map { (entity: names.entities.index($0.entity), metric: names.places[$0.slot], key: $0) }
        writer.count(keys.count)
        for one in keys.sorted(by: { ($0.entity, $0.metric) < ($1.entity, $1.metric) }) {
            writer.count(one.entity)
            writer.count(one.metric)
            series[one.key]!.encode(into: &writer)
        }
        encodePending(names, into: &writer)
        let learners = forecasters.keys.map { (metric: names.places[$0.slot], bucket: $0.bucket, key: $0) }
        writer.count(learners.count)
        for one in learners.sorted(by: { ($0.metric, $0.bucket) < ($1.metric, $1.bucket) }) {
            writer.count(one.metric)
            writer.count(one.bucket)
            forecasters[one.key]!.encode(into: &writer)
        }
        let judged = versions.keys.sorted { names.versions.indexOrNone($0) < names.versions.indexOrNone($1) }
        writer.count(judged.count)
        for version in judged {
            writer.count(names.versions.indexOrNone(version))
            versions[version]!.encode(into: &writer)
        }
        slowReference.encode(into: &writer)
        fastReference.encode(into: &writer)
        comparison.encode(into: &writer)
        writer.optionalTime(lastRollback)
    }

    private func encodePending(_ names: ModelNames, into writer: inout StateWriter) {
        let keys = pending.keys.map {
            (at: $0.at, entity: names.entities.index($0.entity), metric: names.places[$0.slot], key: $0)
        }
        writer.count(keys.count)
        var last: Milliseconds = 0
        for one in keys.sorted(by: { ($0.at, $0.entity, $0.metric) < ($1.at, $1.entity, $1.metric) }) {
            writer.signed(one.at - last)
            last = one.at
            writer.count(one.entity)
            writer.count(one.metric)
            let waiting = pending[one.key]!
            writer.count(waiting.count)
            for forecast in waiting {
                writer.signed(one.at - forecast.issuedAt)
                writer.count(forecast.bucket)
                for value in [
                    forecast.inputs.forecast, forecast.inputs.last, forecast.inputs.yesterday, forecast.inputs.lastWeek,
                    forecast.inputs.scale, forecast.made.regression, forecast.made.expert,
                ] { writer.double(value) }
            }
        }
    }

    init(
        _ names: StoredModelNames, _ stored: StateSettings, _ settings: StateSettings,
        from reader: inout StateReader
    ) throws(StateError) {
        self.init()
        let followedCount = try reader.count()
        guard followedCount <= Self.followedEntities else { throw reader.failure("\(followedCount) entities followed") }
        for _ in 0..<followedCount {
            let place = try reader.index(below: names.entities.count)
            followed.append((names.hashes[place], names.entities[place]))
        }
        // An initialiser calls no observers.
        noteFollowed()
        for _ in 0..<(try reader.count(ofAtLeast: 6)) {
            let key = Key(entity: try reader.number(names.entities), slot: try reader.index(below: names.metricCount))
            series[key] = try SeriesHistory(from: &reader)
        }
        try decodePending(names, stored, settings, from: &reader)
        for _ in 0..<(try reader.count(ofAtLeast: 8)) {
            let metric = try reader.index(below: names.metricCount)
            let old = try reader.index(below: stored.horizonBuckets.count + 1)
            let learner = try ShadowForecaster(from: &reader)
            if let bucket = stored.bucket(old, under: settings) {
                forecasters[ForecasterKey(slot: metric, bucket: bucket)] = learner
            }
        }
        for _ in 0..<(try reader.count(ofAtLeast: 2)) {
            let version = try reader.numberOrNone(names.versions)
            versions[version] = try SkillCells(from: &reader)
        }
        slowReference = try GoodReference(from: &reader)
        fastReference = try GoodReference(from: &reader)
        comparison = try VersionComparison(from: &reader)
        lastRollback = try reader.optionalTime()
    }

    private mutating func decodePending(
        _ names: StoredModelNames, _ stored: StateSettings, _ settings: StateSettings,
        from reader: inout StateReader
    ) throws(StateError) {
        var last: Milliseconds = 0
        for _ in 0..<(try reader.count(ofAtLeast: 60)) {
            last = try reader.checked(last &+ (try reader.signed()))
            let key = ForecastKey(
                entity: try reader.number(names.entities), slot: try reader.index(below: names.metricCount), at: last)
            var waiting: [Pending] = []
            for _ in 0..<(try reader.count(ofAtLeast: 58)) {
                let issuedAt = try reader.checked(last &- (try reader.signed()))
                let old = try reader.index(below: stored.horizonBuckets.count + 1)
                let inputs = ShadowForecaster.Inputs(
                    forecast: try reader.double(), last: try reader.double(), yesterday: try reader.double(),
                    lastWeek: try reader.double(), scale: try reader.double())
                let made = ShadowForecaster.Forecast(regression: try reader.double(), expert: try reader.double())
                guard let bucket = stored.bucket(old, under: settings) else { continue }
                waiting.append(Pending(issuedAt: issuedAt, bucket: bucket, inputs: inputs, made: made))
            }
            guard last != .min else { throw reader.failure("a forecast has no time") }
            if !waiting.isEmpty { pending[key] = waiting }
        }
    }
}

extension SeriesHistory {
    func encode(into writer: inout StateWriter) {
        for cells in [hours, days] {
            writer.count(cells.count)
            var last: Int64 = 0
            for cell in cells {
                writer.signed(cell.key - last)
                last = cell.key
                writer.count(Int(cell.count))
                writer.double(cell.sum)
            }
        }
        writer.count(recent.count)
        var last: Milliseconds = 0
        for one in recent {
            writer.signed(one.at - last)
            last = one.at
            writer.double(one.value)
        }
        writer.optionalDouble(scale)
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init()
        hours = try Self.cells(from: &reader)
        days = try Self.cells(from: &reader)
        var last: Milliseconds = 0
        for _ in 0..<(try reader.count(ofAtLeast: 9)) {
            last = try reader.checked(last &+ (try reader.signed()))
            guard last != .min, recent.last.map({ $0.at <= last }) ?? true else {
                throw reader.failure("values of a series are not in order")
            }
            recent.append((last, try reader.double()))
        }
        scale = try reader.optionalDouble()
    }

    private static func cells(from reader: inout StateReader) throws(StateError) -> [Cell] {
        var cells: [Cell] = []
        var last: Int64 = 0
        for _ in 0..<(try reader.count(ofAtLeast: 10)) {
            last = try reader.checked(last &+ (try reader.signed()))
            guard last != .min, cells.last.map({ $0.key < last }) ?? true else {
                throw reader.failure("hours of a series are not in order")
            }
            let count = try reader.index(below: Int(Int32.max) / 2)
            cells.append(Cell(key: last, sum: try reader.double(), count: Int32(count)))
        }
        return cells
    }
}

extension ShadowForecaster {
    func encode(into writer: inout StateWriter) {
        for value in regression.state { writer.double(value) }
        for index in 0..<4 { writer.double(expertErrors[index]) }
        writer.optionalTime(hour)
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init()
        var state = regression.state
        for index in state.indices { state[index] = try reader.double() }
        guard let restored = RecursiveLeastSquares<5>(state: state) else {
            throw reader.failure("the weights of a shadow forecaster are impossible")
        }
        regression = restored
        for index in 0..<4 { expertErrors[index] = try reader.double() }
        hour = try reader.optionalTime()
    }
}

extension SkillCells {
    func encode(into writer: inout StateWriter) {
        writer.count(cells.count)
        var last: Int64 = 0
        for cell in cells {
            writer.signed(cell.hour - last)
            last = cell.hour
            writer.count(cell.count)
            for value in [cell.model, cell.regression, cell.expert] { writer.double(value) }
        }
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init()
        var last: Int64 = 0
        for _ in 0..<(try reader.count(ofAtLeast: 26)) {
            last = try reader.checked(last &+ (try reader.signed()))
            guard last != .min else { throw reader.failure("an hour is missing") }
            let count = try reader.integer()
            cells.append(
                Cell(
                    hour: last, model: try reader.double(), regression: try reader.double(),
                    expert: try reader.double(), count: count))
        }
    }
}

extension GoodReference {
    func encode(into writer: inout StateWriter) {
        writer.count(values.count)
        var last: Int64 = 0
        for one in values {
            writer.signed(one.hour - last)
            last = one.hour
            writer.double(one.value)
        }
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init()
        var last: Int64 = 0
        for _ in 0..<(try reader.count(ofAtLeast: 9)) {
            last = try reader.checked(last &+ (try reader.signed()))
            guard last != .min else { throw reader.failure("an hour is missing") }
            values.append((last, try reader.double()))
        }
    }
}

extension VersionComparison {
    func encode(into writer: inout StateWriter) {
        writer.count(pairs)
        writer.count(cells.count)
        var last: Int64 = 0
        for cell in cells {
            writer.signed(cell.hour - last)
            last = cell.hour
            writer.double(cell.new)
            writer.double(cell.old)
        }
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init()
        pairs = try reader.integer()
        var last: Int64 = 0
        for _ in 0..<(try reader.count(ofAtLeast: 17)) {
            last = try reader.checked(last &+ (try reader.signed()))
            guard last != .min else { throw reader.failure("an hour is missing") }
            cells.append((last, try reader.double(), try reader.double()))
        }
    }
}
