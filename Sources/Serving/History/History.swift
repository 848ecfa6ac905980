public import Retraining
import Synchronization

/// Everything that the dashboard shows of the past, for all models: what the outputs' topics hold, in memory.
///
/// One thread writes; handlers read. Both hold the lock for as long as a copy or a scan of one model takes, and neither
/// is the worker's thread.
public final class History: Sendable {
    /// How far the topics have been read.
    struct Reading: Sendable {
        /// All partitions have been read to where they ended when reading began.
        var isLive = false
        /// Records read, and to be read at the start.
        var records: UInt64 = 0
        var startRecords: Int64 = 0
        var startRecordsLeft: Int64 = 0
        /// Why nothing comes in; nil while all is well.
        var problem: String?
        /// Models that are left out because there are too many.
        var modelsLeftOut = 0
    }

    struct State: Sendable {
        var models: [String: ModelHistory] = [:]
        /// Names in order.
        var names: [String] = []
        /// The model of each request.
        var requests: [String: String] = [:]
        /// What trainers said about requests that have not been read yet.
        var earlyStatuses: [(record: TrainingStatusRecord, at: Milliseconds)] = []
        var earlyVerdicts: [VerdictEntry] = []
        var alerts: [AlertEntry] = []
        var openAlerts: [String: AlertEntry] = [:]
        var reading = Reading()
        /// High watermark of each input partition, by `topic/partition`.
        var ends: [String: Int64] = [:]
        var endsAt: Milliseconds?
        /// Grows with every change.
        var version: UInt64 = 0
    }

    /// How long decisions are kept.
    public let retention: Milliseconds
    let modelsMax: Int
    private let state = Mutex(State())

    static let alertsMax = 2_000
    private static let earlyMax = 1_000

    public init(retention: Milliseconds, modelsMax: Int = 20_000) {
        self.retention = retention
        self.modelsMax = modelsMax
    }

    func read<Result>(_ body: (borrowing State) throws -> sending Result) rethrows -> sending Result {
        try state.withLock { try body($0) }
    }

    func change(_ body: (inout State) -> Void) {
        state.withLock {
            body(&$0)
            $0.version += 1
        }
    }

    var version: UInt64 { state.withLock { $0.version } }
}

extension History.State {
    /// Takes a decision; false for one that changes nothing.
    mutating func add(
        _ point: HistoryPoint, model: String, version: String?, retention: Milliseconds, modelsMax: Int
    ) -> Bool {
        if models[model] == nil {
            guard models.count < modelsMax else {
                reading.modelsLeftOut += 1
                return false
            }
            models[model] = ModelHistory(name: model)
            var (low, high) = (0, names.count)
            while low < high {
                let middle = (low + high) / 2
                if names[middle] < model { low = middle + 1 } else { high = middle }
            }
            names.insert(model, at: low)
        }
        return models[model]!.add(point, version: version, retention: retention)
    }

    mutating func add(_ request: RequestEntry, modelsMax: Int) {
        if let model = requests[request.requestID] {
            // Sent again.
            guard let index = models[model]?.trainings.firstIndex(where: { $0.requestID == request.requestID }) else {
                return
            }
            models[model]!.trainings[index].attempt = max(models[model]!.trainings[index].attempt, request.attempt)
            return
        }
        if models[request.model] == nil {
            guard models.count < modelsMax else { return }
            models[request.model] = ModelHistory(name: request.model)
            names = models.keys.sorted()
        }
        requests[request.requestID] = request.model
        var training = Training(
            requestID: request.requestID, model: request.model, requestedAt: request.requestedAt,
            reason: request.reason.code, text: request.reason.text, priority: request.priority,
            attempt: request.attempt, oldVersion: request.modelVersion, decisionID: request.decisionID,
            deadline: request.deadline)
        for early in earlyStatuses where early.record.requestID == request.requestID {
            training.take(early.record, at: early.at)
        }
        earlyStatuses.removeAll { $0.record.requestID == request.requestID }
        if let index = earlyVerdicts.firstIndex(where: { $0.requestID == request.requestID }) {
            training.verdict = earlyVerdicts.remove(at: index)
        }
        let trainings = models[request.model]!.trainings
        let place = trainings.lastIndex { $0.requestedAt <= training.requestedAt }.map { $0 + 1 } ?? 0
        models[request.model]!.trainings.insert(training, at: place)
        if trainings.count >= ModelHistory.trainingsMax {
            requests[models[request.model]!.trainings.removeFirst().requestID] = nil
        }
    }

    mutating func add(_ status: TrainingStatusRecord, at time: Milliseconds) {
        guard let model = requests[status.requestID],
            let index = models[model]?.trainings.lastIndex(where: { $0.requestID == status.requestID })
        else {
            if earlyStatuses.count == 1_000 { earlyStatuses.removeFirst(250) }
            return earlyStatuses.append((status, time))
        }
        models[model]!.trainings[index].take(status, at: time)
    }

    mutating func add(_ verdict: VerdictEntry) {
        guard let request = verdict.requestID, let model = requests[request],
            let index = models[model]?.trainings.lastIndex(where: { $0.requestID == request })
        else {
            if earlyVerdicts.count == 1_000 { earlyVerdicts.removeFirst(250) }
            return earlyVerdicts.append(verdict)
        }
        models[model]!.trainings[index].verdict = verdict
    }

    mutating func add(_ alert: AlertEntry) {
        if alert.state == "resolved" {
            openAlerts[alert.subject] = nil
        } else if !alert.isNews, openAlerts.count < History.alertsMax {
            openAlerts[alert.subject] = alert
        }
        if alerts.count >= History.alertsMax { alerts.removeFirst(History.alertsMax / 4) }
        alerts.append(alert)
    }
}
