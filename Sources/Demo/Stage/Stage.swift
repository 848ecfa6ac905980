import Foundation
import Kafka
import Retraining

/// Everything around the worker: broker, topics, a temporary directory, and the worker itself.
final class Stage {
    let broker: EmbeddedBroker
    let directory: String
    let bulkPartitions: Int
    /// Nil where no port could be had.
    let dashboardPort = FreePort.find(preferred: 8080)
    private(set) var worker: WorkerProcess?

    /// - Throws: `DemoError` or `KafkaError` where the directory, the broker or a topic cannot be made.
    init(bulkPartitions: Int) throws {
        self.bulkPartitions = bulkPartitions
        var template = Array(
            (NSTemporaryDirectory() + "/driftgate-demo-XXXXXX").replacingOccurrences(of: "//", with: "/").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw DemoError(
                "cannot make a temporary directory below \(NSTemporaryDirectory()): set TMPDIR to one that is writable")
        }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        broker = try EmbeddedBroker()
        try Topics.create(on: broker, bulkPartitions: bulkPartitions)
    }

    var configurationPath: String { directory + "/driftgate.yaml" }
    var logPath: String { directory + "/worker.log" }

    /// Writes the worker's configuration and starts it.
    func startWorker(configuration: WorkerConfiguration, executable: String?) throws {
        var configuration = configuration
        configuration.dashboardPort = dashboardPort
        let text = configuration.text(bootstrapServers: broker.bootstrapServers, logDirectory: directory + "/decisions")
        try text.write(toFile: configurationPath, atomically: true, encoding: .utf8)
        worker = try WorkerProcess(
            executable: executable ?? Self.thisExecutable, arguments: ["run", "--config", configurationPath],
            logPath: logPath)
    }

    /// - Throws: `DemoError` that quotes the worker's log if the worker has died, `Interrupted` on a signal.
    func check() throws {
        if Interruption.isRequested { throw Interrupted() }
        if let worker, let ending = worker.ending {
            throw DemoError("the worker \(ending); its log \(logPath) ends with\n\(worker.lastLogLines(12))")
        }
    }

    /// Topics of which the broker has let go of the oldest records, for want of room.
    func trimmedTopics() throws -> [String] {
        let reader = try TopicReader(
            bootstrapServers: broker.bootstrapServers, groupID: "driftgate-demo-watermarks", start: [])
        defer { reader.close() }
        return try [Topics.predictions, Topics.actuals, Topics.load, Topics.decisions].filter { topic in
            try (0..<Int32(bulkPartitions)).contains { partition in
                try reader.watermarks(TopicPartition(topic, partition)).low > 0
            }
        }
    }

    func stopWorker() {
        worker?.stop(withinSeconds: 15)
    }

    func removeFiles() {
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// The program that is running now, by what the kernel says about it.
    static var thisExecutable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
