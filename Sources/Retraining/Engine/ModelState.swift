import Statistics

/// All that the engine knows of one model.
final class ModelState {
    let number: Int32
    let name: String
    let settings: ModelSettings

    /// Metrics that an evaluation has seen, those of the lower slots; nil before the first evaluation.
    var metricsAtCut: Int?

    // Metrics: slot by number of the name, and back.
    private(set) var metricNumbers: [Int32] = []
    private(set) var metricNames: [String] = []
    private var slots = OpenTable<Int32, Int32>()
    /// Slots by name: sums over metrics run in this order, whatever order they arrived in.
    private(set) var slotsByName: [Int] = []
    /// The inverse: the place of a slot among the names.
    private(set) var places: [Int32] = []
    private(set) var ranges: [DriftConfiguration.ExpectedRange?] = []

    // The join.
    let join: JoinTable
    var pairs: [JoinedPair] = []
    var newActuals: [JoinedActual] = []
    /// Entities that the model predicted, by number.
    var entities = NumberSet()
    var lastActuals = OpenTable<SeriesKey, LastActual>()

    // Versions.
    var serving: Int32 = -1
    var previousVersions: [Int32] = []
    var servingSince: Milliseconds = .min
    /// When a version last began to serve for the first time; a roll-back does not change it.
    var deployedAt: Milliseconds?
    /// The latest issue time of a forecast by the version in service.
    var servingLastIssued: Milliseconds = .min
    /// A version that served before and has spoken once since the one in service did.
    var returning: (version: Int32, issuedAt: Milliseconds)?
    /// Pairs of forecasts issued before this belong to a version that has been replaced without a name of its own.
    var pairsFrom: Milliseconds = .min

    /// How many versions in a row were replaced before they could be judged, `namesOnly` at most.
    var briefVersions = 0

    // Windows.
    var windows: [MetricWindows] = []
    var anomalies: AnomalyWindow
    private let anomalyCapacity: Int
    var baseline: Baseline?
    var baselineVersions = 0
    var isBaselineFrozen = false
    var captureBaseline: Baseline.Origin?
    /// What a trainer says of its data, until the evaluation that takes the baseline.
    var suppliedBaseline: [String: QuantileSummary] = [:]
    /// The baseline of before the last training.
    var replacedBaseline: Baseline?

    // Skill and verification.
    let isCalibrated: Bool
    var skill = Skill()
    var verification: Verification?
    /// Trials that ended without a verdict since the last evaluation: told by it, so never part of a state.
    var superseded: [Verification.Superseded] = []
    var newForecasts: [ServedForecast] = []

    // Decisions.
    var ledger = TrainingLedger()
    var isPaused = false
    var manual: CommandRecord?
    var aboveSince: Milliseconds?
    var severeSince: Milliseconds?
    var evaluationsAbove = 0
    var wantedSince: Milliseconds?
    var plan: QuietWindow?
    var activeAlerts: [Alert.Kind: Milliseconds] = [:]
    var lastPrediction: Milliseconds?
    var lastActual: Milliseconds?
    var firstActualAt: Milliseconds?
    var lastSeen: Milliseconds = .min
    /// The request that is open, as it was sent.
    var lastRequest: TrainingRequest?

    struct SeriesKey: TableKey {
        var entity: Int32
        var slot: Int

        @inline(__always)
        var tableHash: UInt64 { mixed(UInt64(truncatingIfNeeded: entity), UInt64(truncatingIfNeeded: slot)) }
    }

    struct LastActual {
        var at: Milliseconds
        var value: Double
    }

    init(number: Int32, name: String, configuration: EngineConfiguration) {
        self.number = number
        self.name = name
        settings = ModelSettings(configuration, model: name)
        isCalibrated = configuration.drift.scoring == .calibrated
        anomalyCapacity = configuration.drift.windowSize
        join = JoinTable(stride: 1)
        anomalies = AnomalyWindow(capacity: configuration.drift.windowSize)
    }

    func slot(_ metric: Int32) -> Int? { slots.position(of: metric).map { Int(slots.values[$0]) } }

    var metricCount: Int { metricNumbers.count }

    func addMetric(_ metric: Int32, name: String) -> Int {
        let slot = metricNumbers.count
        metricNumbers.append(metric)
        metricNames.append(name)
        slots[metric] = Int32(slot)
        ranges.append(settings.range(of: name))
        windows.append(MetricWindows())
        var low = 0
        var high = slotsByName.count
        while low < high {
            let middle = (low + high) / 2
            if metricNames[slotsByName[middle]].precedes(name) { low = middle + 1 } else { high = middle }
        }
        slotsByName.insert(slot, at: low)
        places = Array(repeating: 0, count: slotsByName.count)
        for (place, slot) in slotsByName.enumerated() { places[slot] = Int32(place) }
        join.widen(to: (slot + 1).nextPowerOfTwo)
        return slot
    }

    /// The actual of the series before `at`, NaN where none is known; remembers this one.
    func follow(entity: Int32, slot: Int, at: Milliseconds, value: Double) -> Double {
        // One that is new begins with a time that no actual has.
        let position = lastActuals.position(
            of: SeriesKey(entity: entity, slot: slot), orInsert: LastActual(at: .min, value: .nan))
        let before = lastActuals.values[position]
        guard before.at < at else { return .nan }
        lastActuals.values[position] = LastActual(at: at, value: value)
        return before.value
    }

    func forget(entities gone: Set<Int32>) {
        entities.removeAll { gone.contains($0) }
        for entity in skill.followedEntities where gone.contains(entity) { skill.forget(entity: entity) }
        lastActuals.removeAll { gone.contains($0.entity) }
    }

    /// Every version that something is known of, by number.
    var versions: [Int32] {
        var versions = previousVersions + [serving] + skill.judgedVersions
        if let returning { versions.append(returning.version) }
        if let verification { versions += [verification.newVersion, verification.oldVersion] }
        return versions
    }

    /// A version serves from its first non-shadow prediction; one that served before comes back by a roll-back only.
    func serve(version: Int32, at time: Milliseconds) {
        guard version != serving || servingSince == .min else { return }
        replace(by: version, at: time)
        resetErrors()
    }

    /// A version that serves for less than this is hardly judged: the fast ratio counts from 24 h on.
    private static let briefLife: Milliseconds = 36 * .hour
    /// Brief versions in a row that are taken for names of one model. Not the first: what replaces it may mend it.
    static let namesOnly = 2

    /// Whether a version that comes unasked is only another name of the one in service: names that change every day, as
    /// of a nightly build, would else leave no version long enough to be judged.
    func isAnotherName(_ version: Int32, isTrained: Bool, at time: Milliseconds) -> Bool {
        guard version >= 0, serving >= 0, !isTrained, time - servingSince < Self.briefLife,
            !ledger.trainings.contains(where: { $0.state == .succeeded && !$0.deploymentSettled })
        else {
            briefVersions = 0
            return false
        }
        briefVersions = min(Self.namesOnly, briefVersions + 1)
        return briefVersions == Self.namesOnly
    }

    /// The version in service goes on under another name: what is known of it stays.
    func rename(to version: Int32, at time: Milliseconds) {
        skill.rename(serving, to: version)
        if verification?.newVersion == serving { verification?.newVersion = version }
        replace(by: version, at: time)
    }

    private func replace(by version: Int32, at time: Milliseconds) {
        if servingSince != .min { previousVersions.append(serving) }
        previousVersions.removeAll { $0 == version }
        if previousVersions.count > 16 { previousVersions.removeFirst() }
        serving = version
        servingSince = time
        returning = nil
    }

    /// Empties whatever speaks of the version in service.
    func resetErrors() {
        for slot in windows.indices { windows[slot].removeErrors() }
        anomalies = AnomalyWindow(capacity: anomalyCapacity)
        aboveSince = nil
        severeSince = nil
        evaluationsAbove = 0
        wantedSince = nil
        plan = nil
    }

    /// Takes note of a forecast by the version in service.
    func noteServed(_ value: Double, _ slot: Int, _ row: IntakeRow, isFollowed: Bool) {
        if let range = ranges[slot] {
            anomalies.add(isAnomalous: value < range.minimum || value > range.maximum)
        } else {
            anomalies.add(isAnomalous: false)
        }
        guard isFollowed else { return }
        newForecasts.append(
            ServedForecast(at: row.at, entity: row.entity, slot: slot, issuedAt: row.issuedAt, value: value))
    }
}

/// A forecast by the version in service, waiting for the shadow forecaster's beside it.
struct ServedForecast {
    var at: Milliseconds
    var entity: Int32
    var slot: Int
    var issuedAt: Milliseconds
    var value: Double
}

/// A prediction that met its actual, waiting to be applied in order.
struct JoinedPair: JoinedValue {
    var at: Milliseconds
    var entity: Int32
    var slot: Int
    var issuedAt: Milliseconds
    var version: Int32
    var isShadow: Bool
    var predicted: Double
    var actual: Double

    func precedes(_ other: JoinedPair) -> Bool {
        issuedAt != other.issuedAt ? issuedAt < other.issuedAt : predicted < other.predicted
    }
}

/// An actual seen for the first time, waiting to be applied in order.
struct JoinedActual: JoinedValue {
    var at: Milliseconds
    var entity: Int32
    var slot: Int
    var value: Double
    /// The series' value before; filled in when actuals are applied.
    var naive = Double.nan

    /// There is one of each (`at`, entity, metric).
    func precedes(_ other: JoinedActual) -> Bool { false }
}

/// The settings that hold for one model.
struct ModelSettings {
    var mode: EngineConfiguration.Mode
    var critical: Double
    var warning: Double
    var safeguards: SafeguardConfiguration
    var errorMeasure: DriftConfiguration.ErrorMeasure
    var pool: String?
    private var ranges: [String: DriftConfiguration.ExpectedRange]

    init(_ configuration: EngineConfiguration, model: String) {
        let own = configuration.models[model] ?? ModelOverrides()
        mode = own.mode ?? configuration.mode
        critical = own.criticalThreshold ?? configuration.drift.criticalThreshold
        warning = own.warningThreshold ?? configuration.drift.warningThreshold
        errorMeasure = own.errorMeasure ?? configuration.drift.errorMeasure
        safeguards = configuration.safeguards
        safeguards.minimumInterval = own.minimumInterval ?? safeguards.minimumInterval
        safeguards.maximumAge = own.maximumAge ?? safeguards.maximumAge
        safeguards.maximumPerWeek = own.maximumPerWeek ?? safeguards.maximumPerWeek
        safeguards.breachThreshold = own.breachThreshold ?? safeguards.breachThreshold
        ranges = configuration.drift.expectedRanges.merging(own.expectedRanges ?? [:]) { $1 }
        pool = own.pool ?? configuration.quiet.pool
        if pool == QuietConfiguration.poolOfModel { pool = model }
    }

    /// The configured range, else 0 to 100 for what calls itself a percentage.
    func range(of metric: String) -> DriftConfiguration.ExpectedRange? {
        if let range = ranges[metric] { return range }
        let isShare = metric.hasSuffix("_pct") || metric.hasSuffix("_percent")
        return isShare ? DriftConfiguration.ExpectedRange(minimum: 0, maximum: 100) : nil
    }
}

extension QuietConfiguration {
    /// As `pool`: each model asks the pool of its own name.
    public static let poolOfModel = "{model}"
}
