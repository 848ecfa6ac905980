import Contracts
import Foundation
import Kafka
public import Logging
import Retraining
import Synchronization
public import Worker

/// Everything under `/api/v1`: read-only, in JSON and, where it is a table, in CSV. docs/api.md describes it.
///
/// Times are milliseconds since 1970 in fields that end in `_ms`. Models are named by the parameter `model`: a name may
/// hold anything.
public final class DashboardAPI: Sendable {
    let history: History
    private let current: Mutex<WorkerOptions>
    let board: StatusBoard
    let views: ModelViewDesk
    let hub = EventHub()
    private let reader: HistoryReader
    private let fetcher: RecordFetcher
    /// The answer for all models, and the history's version that it was made from.
    private let fleet = Mutex<(version: UInt64, at: DispatchTime, bytes: [UInt8])?>(nil)
    private let viewCache = Mutex<[String: SeenView]>([:])

    public init(options: WorkerOptions, board: StatusBoard, views: ModelViewDesk, logger: Logger) {
        current = Mutex(options)
        self.board = board
        self.views = views
        history = History(retention: options.output.logRetention)
        fetcher = RecordFetcher(options: options)
        reader = HistoryReader(history, options: options, logger: logger) { [hub] in hub.note($0) }
    }

    /// The options in force.
    var options: WorkerOptions { current.withLock { $0 } }

    /// Takes up what a reload changed: thresholds, limits, names.
    public func use(_ options: WorkerOptions) {
        current.withLock { $0 = options }
        fleet.withLock { $0 = nil }
        hub.noteAll()
    }

    public func start() {
        hub.start()
        reader.start()
    }

    public func stop() {
        hub.stop()
        fetcher.stop()
        reader.stop()
    }

    public var routes: [Route] {
        [
            Route("/api/v1/overview") { [self] _ in overview() },
            Route("/api/v1/models") { [self] query in try models(query) },
            Route("/api/v1/model") { [self] query in try model(query) },
            Route("/api/v1/series") { [self] query in try series(query) },
            Route("/api/v1/load") { [self] query in try load(query) },
            Route("/api/v1/decisions") { [self] query in try decisions(query) },
            Route("/api/v1/decision") { [self] query in try await decision(query) },
            Route("/api/v1/trainings") { [self] query in try trainings(query) },
            Route("/api/v1/alerts") { [self] query in try alerts(query) },
            Route("/api/v1/distributions") { [self] query in try await distributions(query) },
            Route("/api/v1/pipeline") { [self] query in try pipeline(query) },
            Route("/api/v1/events") { [hub] _ in Answer(type: "text/event-stream", body: .stream(hub.subscribe())) },
        ]
    }

    static var now: Milliseconds { Milliseconds(Date().timeIntervalSince1970 * 1000) }

    func thresholds(_ model: String) -> Thresholds { current.withLock { Thresholds($0.engine, model: model) } }

    /// A copy of one model's history, which costs no more than its reference counts.
    func history(of query: Query) throws -> ModelHistory {
        guard let name = query["model"] else { throw Problem(400, "model is missing: which one?") }
        guard let model = history.read({ $0.models[name] }) else {
            throw Problem(404, "no decision about a model of this name has been read")
        }
        return model
    }

    /// From and to, by default the last seven days of the model.
    func range(_ query: Query, _ model: ModelHistory, days: Int64 = 7) throws -> (Milliseconds, Milliseconds) {
        let to = try query.time("to") ?? model.lastPoint?.at ?? Self.now
        let from = try query.time("from") ?? max(0, to - days * .day)
        guard from <= to else { throw Problem(400, "from lies after to") }
        return (from, to)
    }

    // MARK: All models

    private func models(_ query: Query) throws -> Answer {
        guard query["format"] ?? "json" == "json" else { return try fleetTable().answer(query) }
        let version = history.version
        if let known = fleet.withLock({ $0 }),
            known.version == version
                || DispatchTime.now().uptimeNanoseconds - known.at.uptimeNanoseconds < 1_000_000_000
        {
            return fleetAnswer(known.bytes, query)
        }
        let bytes = fleetJSON()
        fleet.withLock { $0 = (version, .now(), bytes) }
        return fleetAnswer(bytes, query)
    }

    private func fleetAnswer(_ bytes: [UInt8], _ query: Query) -> Answer {
        var answer = Answer(json: bytes)
        if query["download"] != nil { answer.fileName = "driftgate-models.json" }
        return answer
    }

    private func fleetSnapshot() -> (models: [ModelHistory], open: [String: Int]) {
        history.read { state in
            let models = state.names.compactMap { state.models[$0] }
            var open: [String: Int] = [:]
            for alert in state.openAlerts.values { if let model = alert.model { open[model, default: 0] += 1 } }
            return (models, open)
        }
    }

    private func fleetJSON() -> [UInt8] {
        let (models, open) = fleetSnapshot()
        var writer = JSONWriter(capacity: models.count * 1_400 + 256)
        writer.beginObject()
        writer.field("now_ms", Self.now)
        writer.array("models", models) { writer, model in
            writer.beginObject()
            ModelSummary(model, thresholds(model.name), openAlerts: open[model.name] ?? 0).write(to: &writer)
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes
    }

    private func fleetTable() -> Table {
        let (models, open) = fleetSnapshot()
        var table = Table(
            name: "models",
            columns: [
                "model", "model_version", "decided_at_ms", "alert_level", "current_drift_score", "current_accuracy",
                "sla_status", "buffer_above_sla", "outcome", "reason", "trainings_this_week",
                "next_scheduled_training_ms", "current_load", "is_quiet", "open_alerts",
            ])
        table.rows = models.map { model in
            let summary = ModelSummary(model, thresholds(model.name), openAlerts: open[model.name] ?? 0)
            return [
                .text(model.name), .optional(model.versions.last?.version), .optional(summary.point?.at),
                .text(summary.alertLevel), .figure(summary.score), .figure(summary.accuracy),
                .text(summary.isAboveTarget.map { $0 ? "above" : "below" } ?? "unknown"),
                .figure(summary.accuracy.map { $0 - summary.thresholds.target }),
                .optional(summary.point.map { $0.isTrigger ? "trigger" : "hold" }),
                .optional(summary.point?.reason?.rawValue),
                model.latest?.history.map { .integer(Int64($0.trainingsInWeek)) } ?? .none,
                .optional(summary.nextTraining?.at), .figure(summary.point?.load ?? .nan),
                summary.point.map { .flag($0.isQuiet) } ?? .none, .integer(Int64(summary.openAlerts)),
            ]
        }
        return table
    }

    // MARK: One model

    private func model(_ query: Query) throws -> Answer {
        let model = try history(of: query)
        let open = history.read { $0.openAlerts.values.filter { $0.model == model.name }.count }
        return Answer { writer in
            writer.field("now_ms", Self.now)
            writer.object("summary") { writer in
                ModelSummary(model, thresholds(model.name), openAlerts: open).write(to: &writer)
            }
            writer.array("versions", model.versions) { writer, entry in
                writer.beginObject()
                writer.field("version", entry.version)
                writer.field("first_seen_ms", entry.at)
                writer.endObject()
            }
            writer.key("decision")
            if model.latestRecord.isEmpty { writer.writeNull() } else { writer.write(json: model.latestRecord) }
        }
    }

    private func decision(_ query: Query) async throws -> Answer {
        guard let id = query["id"] else { throw Problem(400, "id is missing: model@milliseconds") }
        guard let at = id.lastIndex(of: "@"), let time = Milliseconds(id[id.index(after: at)...]) else {
            throw Problem(400, "id is no decision's: model@milliseconds")
        }
        let name = String(id[..<at])
        guard let model = history.read({ $0.models[name] }), let point = model.point(at: time) else {
            throw Problem(404, "no such decision is known; older ones are kept by the hour")
        }
        if point.at == model.lastPoint?.at, !model.latestRecord.isEmpty { return Answer(json: model.latestRecord) }
        let partition = TopicPartition(options.topics.decisions, Int32(point.partition))
        guard let record = await fetcher.record(partition, point.offset) else {
            throw Problem(410, "the topic no longer holds this decision, or its broker does not answer")
        }
        return Answer(json: record)
    }

    /// A look at a model, and when it was taken.
    private struct SeenView: Sendable {
        var view: ModelView
        var at: Milliseconds
    }

    /// Histograms from the engine; the same look is good for a few seconds, however many ask. Where the worker cannot
    /// be asked at the moment, because it restores its state or waits for a broker, the last look is served.
    private func distributions(_ query: Query) async throws -> Answer {
        guard let name = query["model"] else { throw Problem(400, "model is missing: which one?") }
        var seen = viewCache.withLock { $0[name] }
        if seen.map({ !(0..<Self.viewLife).contains(Self.now - $0.at) }) ?? true, let view = await ask(name) {
            let fresh = SeenView(view: view, at: Self.now)
            seen = fresh
            viewCache.withLock { cache in
                if cache.count >= Self.viewsMax, let oldest = cache.min(by: { $0.value.at < $1.value.at }) {
                    cache[oldest.key] = nil
                }
                cache[name] = fresh
            }
        }
        guard let seen else {
            throw Problem(
                404, "this worker does not hold the model at the moment: ask the worker that reads its partition")
        }
        return try Self.distributions(seen, query)
    }

    private func ask(_ model: String) async -> ModelView? {
        await withCheckedContinuation { continuation in
            let number = views.ask(model) { continuation.resume(returning: $0) }
            // A worker that waits for a broker does not look at the desk.
            DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + .seconds(5)) { [views] in
                views.withdraw(number)
            }
        }
    }

    private static let viewLife: Milliseconds = 5_000
    private static let viewsMax = 64

    private static func distributions(_ seen: SeenView, _ query: Query) throws -> Answer {
        let view = seen.view
        if query["format"] ?? "json" != "json" {
            var table = Table(name: "distributions", columns: ["metric", "from", "to", "baseline", "window"])
            for metric in view.metrics {
                let bins = max(metric.baseline.count, metric.window.count)
                let width = (metric.upper - metric.lower) / Double(max(1, bins))
                for bin in 0..<bins {
                    table.rows.append([
                        .text(metric.name), .figure(metric.lower + width * Double(bin)),
                        .figure(metric.lower + width * Double(bin + 1)),
                        .integer(Int64(metric.baseline.isEmpty ? 0 : metric.baseline[bin])),
                        .integer(Int64(metric.window.isEmpty ? 0 : metric.window[bin])),
                    ])
                }
            }
            return try table.answer(query)
        }
        var answer = Answer { writer in
            writer.field("model", view.model)
            writer.field("seen_at_ms", seen.at)
            writer.field("model_version", view.version)
            writer.field("paused", view.isPaused)
            writer.field("baseline_frozen", view.isBaselineFrozen)
            writer.field("baseline_version", view.baselineVersion)
            writer.field("baseline_origin", view.baselineOrigin?.rawValue)
            writer.field("baseline_captured_at_ms", view.baselineCapturedAt)
            writer.array("metrics", view.metrics) { writer, metric in
                writer.beginObject()
                writer.field("metric", metric.name)
                writer.key("from")
                writer.write(Table.Cell.figure(metric.lower))
                writer.key("to")
                writer.write(Table.Cell.figure(metric.upper))
                writer.key("baseline_mean")
                writer.write(Table.Cell.figure(metric.baselineMean))
                writer.key("window_mean")
                writer.write(Table.Cell.figure(metric.windowMean))
                writer.array("baseline", metric.baseline) { $0.write($1) }
                writer.array("window", metric.window) { $0.write($1) }
                writer.endObject()
            }
        }
        if query["download"] != nil { answer.fileName = "driftgate-distributions.json" }
        return answer
    }
}
