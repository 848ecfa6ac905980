/// driftgate's decisions: records in, effects out.
///
/// A deterministic state machine. It reads no clock, no file, no socket and no random number; worker, replay, demo and
/// tests are shells around it. Between two evaluations it only collects; `evaluate` then takes what was collected in
/// an order of its own, so that it does not matter how records of different partitions interleaved, nor in which
/// batches they came. The same records with the same cuts give the same effects.
///
/// One thread owns an engine.
public final class Engine {
    public let configuration: EngineConfiguration
    public internal(set) var counters = EngineCounters()
    /// The counters as the last evaluation left them: part of the state.
    var countersAtCut = EngineCounters()
    /// While a start takes in again what was taken before: no limit on names is asked, since what was refused then is
    /// not handed over again.
    public var isReplaying = false
    /// What a changed configuration made of a restored state, in sentences for a person.
    public internal(set) var adaptations: [String] = []

    var lanes: [Lane] = []
    /// Lane numbers by (role, topic, partition): the order in which equal merge times are taken.
    var laneOrder: [Int] = []

    var modelNames = NameTable()
    var entityNames = NameTable()
    var metricNames = NameTable()
    var versionNames = NameTable()
    var poolNames = NameTable()
    var machineNames = NameTable()
    /// By model number.
    var models: [ModelState?] = []
    /// Models by name: the order in which they are evaluated.
    var modelsByName: [Int32] = []
    var defaultModel: Int32?
    /// Which models predicted an entity, by entity number.
    var entityModels: [[Int32]] = []
    var entitySeen: [Milliseconds] = []
    var versionSeen: [Milliseconds] = []
    /// Metric names that an evaluation has seen: those of lower numbers.
    var metricNamesAtCut = 0
    /// Actuals that named no model, until they are too old to meet a prediction.
    var sharedActuals = SharedActuals()
    /// Load by pool number; the last one, by `allPools`, is everything together.
    var pools: [Int32: LoadMonitor] = [:]
    var everything: LoadMonitor
    var planner: QuietPlanner

    /// The last boundary evaluated.
    public internal(set) var lastBoundary: Milliseconds?
    /// Highest merge time of a prediction or actual.
    public internal(set) var streamTime: Milliseconds?
    /// Requests by id → model, so that a status finds its model.
    var requestModels: [String: Int32] = [:]
    /// Statuses of requests that are not known (yet): a trainer's clock may run behind, and what is read again comes by
    /// its time. Bounded; the oldest go first.
    var orphans: [(status: TrainingStatusRecord, at: Milliseconds)] = []
    /// Worker-wide: paused for all models.
    var isPaused = false
    /// When the alert that nothing comes in at all was last raised, by the wall clock; nil while records come in.
    public internal(set) var stallAlert: Milliseconds?
    /// The boundary at which old things were last let go.
    var lastTidied: Milliseconds?
    // Memory that every evaluation uses again.
    var rowOrder = RadixOrder()
    var sortedRows: [IntakeRow] = []
    var sortedActuals: [JoinedActual] = []
    var sortedPairs: [JoinedPair] = []
    /// Replaces the drift signal of a model: scenario tests inject scores here.
    var injectedSignal: ((_ model: String, _ boundary: Milliseconds) -> DriftSignal?)?
    /// Replaces the load reading: scenario tests inject loads here.
    var injectedLoad: ((_ boundary: Milliseconds) -> Double?)?

    public init(configuration: EngineConfiguration) {
        self.configuration = configuration
        everything = LoadMonitor(lookback: configuration.quiet.lookback)
        planner = QuietPlanner(configuration: configuration.quiet)
        if let name = configuration.defaultModel { defaultModel = model(named: name).number }
    }

    /// Registers an input partition and gives its lane number. Registering it again gives the same number.
    public func lane(topic: String, partition: Int32, role: InputRole) -> Int {
        if let known = lanes.firstIndex(where: { $0.topic == topic && $0.partition == partition && $0.role == role }) {
            return known
        }
        lanes.append(Lane(topic: topic, partition: partition, role: role))
        laneOrder = lanes.indices.sorted {
            let (a, b) = (lanes[$0], lanes[$1])
            return (a.role.rawValue, a.topic, a.partition) < (b.role.rawValue, b.topic, b.partition)
        }
        return lanes.count - 1
    }

    /// The merge time that a record of this timestamp would have in its lane.
    @inline(__always)
    public func mergeTime(lane: Int, timestamp: Milliseconds) -> Milliseconds {
        max(lanes[lane].mergeTime, timestamp)
    }

    public func nextOffset(lane: Int) -> Int64 { lanes[lane].nextOffset }

    /// Sets where a lane begins to read; for the cut, before its first record.
    public func begin(lane: Int, at offset: Int64) { lanes[lane].nextOffset = offset }

    /// Memory of what was collected since the last evaluation, in bytes.
    public var collectedBytes: Int { lanes.reduce(0) { $0 + $1.collectedBytes } }

    public var modelCount: Int { modelNames.count }
    public var entityCount: Int { entityNames.count }
    /// Predictions and actuals retained for the join.
    public var retainedHalves: Int {
        modelsByName.reduce(sharedActuals.count) { $0 + (models[Int($1)]?.join.liveRows ?? 0) }
    }

    /// The positions of all lanes: what an evaluation now would have seen.
    public func cut(wallClock: Milliseconds?) -> Cut {
        let positions = lanes.map { Cut.Position(topic: $0.topic, partition: $0.partition, nextOffset: $0.nextOffset) }
        return Cut(
            positions: positions.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }, wallClock: wallClock,
            configuration: configuration.fingerprint.isEmpty ? nil : configuration.fingerprint)
    }

    func model(named name: String) -> ModelState {
        let number = modelNames.intern(name)
        return modelState(number)
    }

    func modelState(_ number: Int32) -> ModelState {
        while models.count <= Int(number) { models.append(nil) }
        if let known = models[Int(number)] { return known }
        let name = modelNames[number]
        let made = ModelState(number: number, name: name, configuration: configuration)
        models[Int(number)] = made
        var low = 0
        var high = modelsByName.count
        while low < high {
            let middle = (low + high) / 2
            if models[Int(modelsByName[middle])]!.name.precedes(name) { low = middle + 1 } else { high = middle }
        }
        modelsByName.insert(number, at: low)
        return made
    }
}
