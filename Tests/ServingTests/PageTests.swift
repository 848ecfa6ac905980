import Foundation
import Kafka
import Logging
@testable import Retraining
import Testing

@testable import Serving
@testable import Worker

/// The whole dashboard on a broker: topics with a made-up past, the reader, the API, the server. No worker decides here.
final class DashboardStage {
    static let end: Milliseconds = 1_795_600_800_000

    let broker: EmbeddedBroker
    let options: WorkerOptions
    let board = StatusBoard()
    let views = ModelViewDesk()
    private(set) var api: DashboardAPI
    private(set) var server: HTTPServer
    private let producer: Producer
    private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private(set) var port = 0

    init() throws {
        broker = try EmbeddedBroker()
        var options = WorkerOptions()
        options.kafka.bootstrapServers = broker.bootstrapServers
        for (_, topic) in options.topics.all {
            try broker.createTopic(topic, partitions: topic == options.topics.decisions ? 4 : 1)
        }
        self.options = options
        producer = try Producer(ProducerConfiguration(bootstrapServers: broker.bootstrapServers))
        api = DashboardAPI(options: options, board: board, views: views, logger: silent)
        server = HTTPServer(options: ServerOptions(), routes: [], logger: silent)
    }

    func start() throws {
        var settings = ServerOptions()
        settings.port = port
        api = DashboardAPI(options: options, board: board, views: views, logger: silent)
        server = HTTPServer(options: settings, routes: board.routes + Page.routes + api.routes, logger: silent)
        api.start()
        port = try #require(server.start(waitMilliseconds: 30_000))
    }

    func stop() {
        server.stop()
        api.stop()
    }

    func close() {
        stop()
        try? producer.close(flushTimeoutMilliseconds: 1_000)
    }

    var url: String { "http://127.0.0.1:\(port)/" }

    /// Waits until the history holds what was published.
    func waitForHistory(models: Int) throws {
        let deadline = Date().addingTimeInterval(60)
        while api.history.read({ !$0.reading.isLive || $0.models.count < models }) {
            guard Date() < deadline else { throw Problem(500, "the history was not read in a minute") }
            usleep(20_000)
        }
    }

    // MARK: A made-up past

    func publish(_ topic: String, key: String, _ event: [String: Any], at time: Milliseconds) throws {
        let data = try JSONSerialization.data(withJSONObject: event)
        try producer.produce(
            topic: topic, partition: nil, key: Array(key.utf8), value: Array(data), headers: [], timestamp: time)
    }

    func flush() throws { try producer.flush(timeoutMilliseconds: 30_000) }

    private static func example(_ name: String) throws -> [String: Any] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "contracts/examples/\(name).json")
        return try JSONSerialization.jsonObject(with: try Data(contentsOf: file)) as! [String: Any]
    }

    static func isoText(_ time: Milliseconds) -> String {
        Date(timeIntervalSince1970: Double(time) / 1000).formatted(.iso8601)
    }

    /// A decision like the example's, with other figures.
    static func decision(
        _ model: String, at time: Milliseconds, score: Double, accuracy: Double, load: Double, reason: String,
        isTrigger: Bool = false, version: String = "v1", isShort: Bool = false
    ) throws -> [String: Any] {
        var event = try template
        var data = event["data"] as! [String: Any]
        var signal = data["signal"] as! [String: Any]
        signal["score"] = score
        signal["recommendation"] = score > 0.1 ? "retrain" : score > 0.08 ? "monitor" : "healthy"
        signal["weighted_score"] = score
        signal["plain_score"] = score + 0.04
        signal["terms"] = [
            "prediction_error": score * 1.5, "distribution_shift": score, "feature_drift": score / 2, "anomaly_rate": 0,
        ]
        if isShort { signal["metrics"] = [] }
        var loadEvidence = data["load"] as! [String: Any]
        loadEvidence["score"] = load
        loadEvidence["quiet"] = load < 0.3
        let (from, to) = (time + 3 * .hour, time + 5 * .hour)
        let window: [String: Any] = [
            "from": isoText(from), "from_ms": from, "to": isoText(to), "to_ms": to, "expected_load": NSNull(),
        ]
        loadEvidence["next_window"] = window
        loadEvidence["planned_window"] = reason == "waiting_for_quiet" ? window : NSNull()
        for (key, value) in [
            "decision_id": "\(model)@\(time)", "model": model, "model_version": version,
            "evaluated_at": isoText(time), "evaluated_at_ms": time, "outcome": isTrigger ? "trigger" : "hold",
            "reason": ["code": reason, "text": "Because of \(reason)."], "accuracy": accuracy,
        ] as [String: Any] { data[key] = value }
        data["signal"] = signal
        data["load"] = loadEvidence
        event["data"] = data
        event["subject"] = model
        return event
    }

    nonisolated(unsafe) private static let cachedTemplate = Result { try example("decision") }
    private static var template: [String: Any] { get throws { try cachedTemplate.get() } }

    /// Eight days every half hour: a healthy week, drift, holds by safeguards, a training that helps and one that does not.
    func publishWeek(_ model: String) throws {
        for step in 0..<384 {
            let time = Self.end - Int64(384 - step) * 30 * .minute
            let hour = Double(time % .day) / Double(Milliseconds.hour)
            let load = 0.3 + 0.16 * sin((hour - 9) / 24 * 2 * .pi)
            let drift = step > 240 ? min(0.22, Double(step - 240) / 600 + 0.05) : 0.03 + 0.01 * sin(Double(step) / 9)
            let reason =
                step < 20
                ? "insufficient_data"
                : drift < 0.1
                    ? "no_drift"
                    : step < 290
                        ? "persistence"
                        : step < 310
                            ? "waiting_for_quiet"
                            : step == 310
                                ? "drift_quiet"
                                : step < 330
                                    ? "training_in_progress"
                                    : step < 350 ? "min_interval" : "weekly_limit"
            try publish(
                options.topics.decisions, key: model,
                Self.decision(
                    model, at: time, score: drift, accuracy: 0.96 - drift * 0.55, load: load, reason: reason,
                    isTrigger: step == 310, version: step < 320 ? "v1" : "v2"), at: time)
        }
        for (number, step, outcome) in [(1, 150, "improved"), (2, 310, "regressed")] {
            let time = Self.end - Int64(384 - step) * 30 * .minute
            var request = try Self.example("request")
            var data = request["data"] as! [String: Any]
            for (key, value) in [
                "model": model, "request_id": "rt-\(number)", "requested_at_ms": time, "attempt": 1,
                "decision_id": "\(model)@\(time)",
            ] as [String: Any] { data[key] = value }
            request["data"] = data
            try publish(options.topics.requests, key: model, request, at: time)
            for (status, delay) in [("accepted", 5), ("started", 10), ("succeeded", 70)] as [(String, Int64)] {
                try publish(
                    options.topics.trainingStatus, key: "rt-\(number)",
                    [
                        "request_id": "rt-\(number)", "status": status, "at": time + delay * .minute,
                        "model_version": "v\(number)",
                        "url": number == 1 ? "javascript:hacked=1" : "https://runs.example/2",
                    ], at: time + delay * .minute)
            }
            var verdict = try Self.example("verdict")
            data = verdict["data"] as! [String: Any]
            for (key, value) in [
                "model": model, "request_id": "rt-\(number)", "outcome": outcome, "at_ms": time + 30 * .hour,
                "recommends_rollback": outcome == "regressed", "new_version": "v\(number)",
            ] as [String: Any] { data[key] = value }
            verdict["data"] = data
            try publish(options.topics.decisions, key: model, verdict, at: time + 30 * .hour)
        }
        var alert = try Self.example("alert")
        var data = alert["data"] as! [String: Any]
        data["model"] = model
        data["at_ms"] = Self.end
        alert["data"] = data
        try publish(options.topics.alerts, key: model, alert, at: Self.end)
    }

    func publishFleet(_ names: [String], decisions: Int) throws {
        for (index, name) in names.enumerated() {
            for step in 0..<decisions {
                let time = Self.end - Int64(decisions - step) * .hour
                let score = Double(index % 13) / 90
                try publish(
                    options.topics.decisions, key: name,
                    Self.decision(
                        name, at: time, score: score, accuracy: 0.97 - score, load: 0.2,
                        reason: score > 0.1 ? "persistence" : "no_drift", isShort: true), at: time)
            }
        }
    }

    static let hostileNames = [
        "<img src=x onerror=window.hacked=1>", "\"><script>window.hacked=1</script>", "=1+1", "'; alert(1) //",
        "a&model=b#c?d=%00", "\u{202E}gnp.exe", "مدل پیش‌بینی", "👩‍🔬🚀 model 🧪", "two\nlines\tand a tab",
        "名前 " + String(repeating: "x", count: 180), String(repeating: "W", count: 249), "../../etc/passwd",
        "{{constructor}}", "__proto__", " ",
    ]

    /// Other thresholds from now on.
    func reload() {
        var changed = options
        changed.engine.drift.warningThreshold = 0.15
        changed.engine.drift.criticalThreshold = 0.2
        changed.engine.safeguards.breachThreshold = 0.25
        api.use(changed)
    }

    func putStatus() {
        var counters = EngineCounters()
        counters.predictions = 1_234
        board.put(
            WorkerStatus(
                at: DashboardAPI.now, phase: .working, isReady: true, lastCheckpointAt: DashboardAPI.now,
                checkpoints: 7,
                tasks: [
                    .init(
                        number: 0, streamTime: Self.end, lastBoundary: Self.end, isReplaying: false, isCaughtUp: true,
                        models: 1, entities: 20, retainedHalves: 5, counters: counters, rejects: ["not_json": 3],
                        inputs: [
                            .init(
                                topic: "predictions", partition: 0, nextOffset: 0, committedOffset: 0, isAtEnd: true),
                            .init(topic: "actuals", partition: 0, nextOffset: 0, committedOffset: 0, isAtEnd: true),
                            .init(topic: "load", partition: 0, nextOffset: 0, committedOffset: 0, isAtEnd: true),
                        ])
                ]))
    }

    /// What the engine would say of a model: answers at the desk, as the worker does.
    func serveViews() {
        views.serve { [api] model in
            guard api.history.read({ $0.models[model] != nil }) else { return nil }
            let bins = (0..<24).map { (bin: Int) -> Int in
                let distance = Double(bin) - 9
                return Int(100 * exp(-distance * distance / 18))
            }
            let metrics = ["cpu_user_pct", "mem_used_pct"].map { name in
                ModelView.Metric(
                    name: name, lower: 0, upper: 100, baseline: bins, window: Array(bins.reversed()),
                    baselineMean: 37.5,
                    windowMean: 58.3)
            }
            return ModelView(
                model: model, version: "v2", isPaused: false, isBaselineFrozen: false, baselineVersion: 3,
                baselineOrigin: .training, baselineCapturedAt: Self.end, metrics: metrics)
        }
    }
}

/// The page in a real browser. Skipped, and said, where there is no Chromium: `apt-get install chromium`.
@Suite(.serialized, .enabled(if: hasBrowser, "no chromium here: the page is not looked at"))
struct PageTests {
    /// Set to a directory, screenshots are left there.
    private static let shots = ProcessInfo.processInfo.environment["DRIFTGATE_TEST_SCREENSHOTS"]

    @Test(arguments: ["empty", "one", "restart", "reload", "hostile", "thousand"])
    func page(_ scenario: String) async throws {
        try await onOwnThread {
            let stage = try DashboardStage()
            defer { stage.close() }
            var models = 0
            switch scenario {
            case "one", "restart", "reload":
                try stage.publishWeek("tft-prod")
                models = 1
            case "hostile":
                try stage.publishFleet(DashboardStage.hostileNames, decisions: 6)
                models = DashboardStage.hostileNames.count
            case "thousand":
                try stage.publishFleet(
                    (0..<1_000).map { "model-" + String(10_000 + $0).dropFirst(1) }, decisions: 4)
                models = 1_000
            default: break
            }
            try stage.flush()
            stage.putStatus()
            try stage.start()
            try stage.waitForHistory(models: models)
            try Self.look(stage, scenario)
        }
    }

    private static func look(_ stage: DashboardStage, _ scenario: String) throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "page/check_page.py").path
        let browser = try Script(
            "/usr/bin/env", ["python3", script, stage.url, scenario] + (shots.map { [$0] } ?? []))
        var last = ""
        while let line = browser.nextLine(idle: {
            stage.serveViews()
            stage.putStatus()
        }) {
            switch line {
            case "stop": stage.stop()
            case "start":
                try stage.start()
                try stage.waitForHistory(models: 1)
            case "reload": stage.reload()
            default:
                last = line
                continue
            }
            browser.tell("done")
        }
        #expect(last == "passed")
        #expect(browser.end() == 0)
    }
}

/// Tests share few threads, and handlers need them: what waits does so elsewhere.
func onOwnThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        Thread { continuation.resume(with: Result { try body() }) }.start()
    }
}

private let hasBrowser = ["/usr/bin/chromium", "/usr/local/bin/chromium"].contains {
    FileManager.default.isExecutableFile(atPath: $0)
}
