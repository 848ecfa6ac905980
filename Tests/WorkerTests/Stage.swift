import Foundation
import Kafka
import Logging
import Retraining
import Testing

@testable import Worker

/// An embedded broker with driftgate's topics, a producer for inputs, and workers to start and stop.
final class Stage {
    let broker: EmbeddedBroker
    let producer: Producer
    let topics = TopicNames()
    private let keeper: Keeper

    init(group: String = "driftgate", partitions: Int = 2, states: Int = 1) throws {
        broker = try EmbeddedBroker()
        for (topic, count) in [
            (topics.predictions, partitions), (topics.actuals, partitions), (topics.load, 1),
            (topics.trainingStatus, 1),
            (topics.commands, 1), (topics.decisions, 4), (topics.requests, 1), (topics.alerts, 1),
            (topics.deadLetters, 8), (topics.state, states), ("keeper", 1),
        ] {
            try broker.createTopic(topic, partitions: count)
        }
        producer = try Producer(ProducerConfiguration(bootstrapServers: broker.bootstrapServers))
        keeper = Keeper(bootstrapServers: broker.bootstrapServers, group: group)
    }

    deinit { keeper.stop() }

    func options(_ change: (inout WorkerOptions) -> Void = { _ in }) -> WorkerOptions {
        var options = WorkerOptions()
        options.kafka.bootstrapServers = broker.bootstrapServers
        // The embedded broker only keeps books of transactions.
        options.kafka.transactions = false
        // The embedded broker lets a second member in only after a session timeout.
        options.kafka.sessionTimeoutMilliseconds = 6_000
        options.kafka.properties = ["heartbeat.interval.ms": "300"]
        options.engine.drift.scoring = .plain
        options.engine.quiet.rule = .absolute
        options.engine.safeguards.maximumTriggerLag = nil
        change(&options)
        return options
    }

    func send(_ topic: String, _ value: [UInt8]?, key: String = "m", at time: Milliseconds) throws {
        try producer.produce(topic: topic, key: Array(key.utf8), value: value, timestamp: time)
    }

    func flush() throws {
        try producer.flush(timeoutMilliseconds: 30_000)
        #expect(producer.deliveries.failed == 0)
    }

    /// Everything in a topic, by a client that is not ours.
    func kcat(_ topic: String, format: String = "%s\\n", asJSON: Bool = false) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["kcat", "-b", broker.bootstrapServers, "-C", "-t", topic, "-e", "-q"] + (asJSON ? ["-J"] : ["-f", format])
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The data of each event in a topic.
    func events(_ topic: String) throws -> [[String: Any]] {
        try kcat(topic).map { line in
            let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(event["specversion"] as? String == "1.0")
            return try #require(event["data"] as? [String: Any])
        }
    }

    /// Asks until something is so.
    ///
    /// - Parameter worker: must be running meanwhile.
    /// - Throws: `NotInTime` after five minutes: what follows would only fail for the same reason. Far more than a
    ///   machine that does other work needs; only a test that fails anyhow waits for so long.
    func eventually(
        _ what: String, while worker: WorkerProgram? = nil, _ condition: () throws -> Bool
    ) async throws {
        let deadline = Date(timeIntervalSinceNow: 300)
        while try !condition() {
            guard Date() < deadline else { throw NotInTime(what: what) }
            try worker?.expectRunning()
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    struct NotInTime: Error, CustomStringConvertible {
        let what: String
        var description: String { "not within five minutes: \(what)" }
    }
}

/// A worker on a thread of its own.
final class RunningWorker {
    private let stopRequest: @Sendable () -> Void
    /// Goes on by other options.
    let reload: @Sendable (WorkerOptions) -> Void
    private let box: Box

    /// Handed over between threads by the semaphore.
    private final class Box: @unchecked Sendable {
        var worker: Worker?
        var ending: Result<Worker.Ending, any Error>?
        let done = DispatchSemaphore(value: 0)
    }

    init(_ options: WorkerOptions) throws {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let worker = try Worker(options: options, logger: logger)
        stopRequest = worker.stopRequest
        reload = worker.reloadRequest
        let box = Box()
        box.worker = worker
        self.box = box
        Thread.detachNewThread {
            box.ending = Result { try box.worker!.run() }
            box.worker = nil
            box.done.signal()
        }
    }

    /// Stops it, and tells how it ended.
    @discardableResult
    func stop() throws -> Worker.Ending {
        stopRequest()
        return try wait()
    }

    func wait() throws -> Worker.Ending {
        box.done.wait()
        return try box.ending!.get()
    }
}

/// The program itself, as a process of its own.
final class WorkerProgram {
    private let process = Process()
    private let log: URL

    init(_ settings: [String], configuration: URL? = nil) throws {
        // Beside the test bundle, where the package manager puts it.
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        process.executableURL = folder.appendingPathComponent("driftgate")
        process.arguments =
            ["run"] + (configuration.map { ["--config", $0.path] } ?? []) + settings.flatMap { ["--set", $0] }
        log = FileManager.default.temporaryDirectory.appendingPathComponent("driftgate-\(UUID()).log")
        FileManager.default.createFile(atPath: log.path, contents: nil)
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
    }

    deinit {
        if process.isRunning { kill() }
        try? FileManager.default.removeItem(at: log)
    }

    /// - Throws: `HasEnded`, with its last words, when it runs no more.
    func expectRunning() throws {
        guard !process.isRunning else { return }
        let said = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        throw HasEnded(
            status: process.terminationStatus, said: said.split(separator: "\n").suffix(8).joined(separator: "\n"))
    }

    struct HasEnded: Error, CustomStringConvertible {
        let status: Int32
        let said: String
        var description: String { "the worker ended with \(status):\n\(said)" }
    }

    var isRunning: Bool { process.isRunning }

    var residentBytes: Int {
        let path = "/proc/\(process.processIdentifier)/statm"
        let pages = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: " ")
        return (pages.flatMap { Int($0[1]) } ?? 0) * 4096
    }

    /// Asks it to read its configuration again.
    func reload() { Foundation.kill(process.processIdentifier, SIGHUP) }

    /// Ends it as a power failure would.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Waits for its end; its exit status.
    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Stops it by SIGTERM; its exit status.
    func stop() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// A member that stays in the group: the embedded broker cannot take a group up again that has become empty.
private final class Keeper: @unchecked Sendable {
    private let stopping = DispatchSemaphore(value: 0)
    private let stopped = DispatchSemaphore(value: 0)

    init(bootstrapServers: String, group: String) {
        let (stopping, stopped) = (stopping, stopped)
        Thread.detachNewThread {
            var configuration = ConsumerConfiguration(bootstrapServers: bootstrapServers, groupID: group)
            configuration.sessionTimeoutMilliseconds = 6_000
            configuration.additional = ["heartbeat.interval.ms": "300"]
            if let consumer = try? Consumer(configuration) {
                try? consumer.subscribe(["keeper"])
                while stopping.wait(timeout: .now()) == .timedOut { _ = consumer.poll(timeoutMilliseconds: 100) }
                try? consumer.close()
            }
            stopped.signal()
        }
    }

    func stop() {
        stopping.signal()
        stopped.wait()
    }
}

/// Ten days of five machines every half hour, with a change near the end; the same each time.
struct History {
    static let step: Milliseconds = 30 * .minute
    let start: Milliseconds
    var days = 10.0
    /// Share of the days after which the actuals are higher by a third.
    var changeAfter = 0.8

    init(endingAt end: Milliseconds, days: Double = 10) {
        self.days = days
        start = (end - Milliseconds(days * Double(Milliseconds.day))).floored(to: Self.step)
    }

    var steps: Int { Int(days * Double(Milliseconds.day) / Double(Self.step)) }

    func time(_ step: Int) -> Milliseconds { start + Milliseconds(step) * Self.step }

    func level(at time: Milliseconds) -> Double {
        let ofDay = Double(time % .day) / Double(Milliseconds.day)
        return 25 + 10 * sin(2 * .pi * ofDay)
    }

    /// Publishes the steps of a range.
    ///
    /// - Parameters:
    ///   - error: what the forecasts are multiplied by.
    ///   - shadow: another version that goes on beside it, without that error.
    func publish(
        _ range: Range<Int>, to stage: Stage, version: String = "v1", error: Double = 1, shadow: String? = nil
    ) throws {
        for step in range {
            let time = time(step)
            for machine in 0..<5 {
                let entity = "srv-\(machine)"
                let wobble = Double((step * 7 + machine * 13) % 11 - 5) / 5
                let factor = Double(step) < changeAfter * Double(steps) ? 1 : 1.35
                let actual = level(at: time) * factor + wobble
                let target = time + .hour
                func predict(_ version: String, _ isShadow: Bool, _ value: Double) throws {
                    try stage.send(
                        stage.topics.predictions,
                        Array(
                            #"{"model":"m","model_version":"\#(version)","entity":"\#(entity)","at":\#(target),"issued_at":\#(time),"shadow":\#(isShadow),"values":{"cpu_pct":\#(value)}}"#
                                .utf8), key: entity, at: time)
                }
                try predict(version, false, level(at: target) * error)
                if let shadow { try predict(shadow, true, level(at: target)) }
                try stage.send(
                    stage.topics.actuals,
                    Array(#"{"model":"m","entity":"\#(entity)","at":\#(time),"values":{"cpu_pct":\#(actual)}}"#.utf8),
                    key: entity, at: time)
                try stage.send(
                    stage.topics.load,
                    Array(#"{"pool":"prod","entity":"\#(entity)","at":\#(time),"cpu_pct":\#(actual)}"#.utf8),
                    key: entity,
                    at: time)
            }
        }
        try stage.flush()
    }
}
