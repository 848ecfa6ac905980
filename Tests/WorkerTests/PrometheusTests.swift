import Foundation
import FoundationNetworking
import Testing

/// A real Prometheus scrapes a real worker, and every expression of the dashboard means something to it.
@Suite(.serialized)
struct PrometheusTests {
    static let path = "/usr/bin/prometheus"
    static let isInstalled = FileManager.default.isExecutableFile(atPath: path)
    fileprivate static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Expressions that have nothing to tell of a worker that is well: they hold a comparison, or ask about a channel
    /// or a model's state that this worker has not.
    private static func mayBeEmpty(_ expression: String) -> Bool {
        expression.contains("> 0") || expression.contains("notification") || expression.contains("load_score")
            || expression.contains("accuracy") || expression.contains("drift_score")
    }

    /// Every expression of every panel and annotation, as Grafana would send it.
    private func expressions() throws -> [String] {
        let data = try Data(contentsOf: Self.root.appendingPathComponent("config/grafana/driftgate.json"))
        let dashboard = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        var found: [String] = []
        func collect(_ value: Any) {
            if let object = value as? [String: Any] {
                if let expression = object["expr"] as? String { found.append(expression) }
                object.values.forEach(collect)
            } else if let list = value as? [Any] {
                list.forEach(collect)
            }
        }
        collect(dashboard)
        return found.map {
            $0.replacingOccurrences(of: "$__rate_interval", with: "1m").replacingOccurrences(of: "$model", with: ".*")
        }
    }

    @Test(.enabled(if: isInstalled, "prometheus is not installed (scripts/test-tools)"))
    func everyExpressionOfTheDashboardAnswers() async throws {
        let stage = try Stage()
        let history = History(endingAt: Clock.now(), days: 2)
        try history.publish(0..<history.steps, to: stage)
        let port = try Clock.freePort()
        let worker = try WorkerProgram([
            "kafka.bootstrap_servers=\(stage.broker.bootstrapServers)", "kafka.session_timeout_secs=6",
            "kafka.additional.heartbeat.interval.ms=300", "scoring=plain", "log_dir=", "kafka.transactions=false",
            "http.address=127.0.0.1:\(port)",
        ])
        let prometheus = try Prometheus(scraping: port)
        defer { prometheus.stop() }
        // Two scrapes after the records have been taken, for rates.
        try await stage.eventually("Prometheus has seen the worker at work", while: worker) {
            try !prometheus.ask("rate(driftgate_checkpoints_total[1m])").isEmpty
                && !prometheus.ask("sum(driftgate_models) == 1").isEmpty
                && !prometheus.ask("sum(driftgate_consumer_lag_records) == 0").isEmpty
        }
        #expect(try !prometheus.ask(#"driftgate_records_total{kind="prediction"} == \#(5 * history.steps)"#).isEmpty)
        let expressions = try expressions()
        #expect(expressions.count > 30)
        for expression in expressions {
            let answer = try prometheus.ask(expression)
            #expect(prometheus.understands(expression), "\(expression)")
            #expect(!answer.isEmpty || Self.mayBeEmpty(expression), "\(expression) finds nothing")
        }
        #expect(worker.stop() == 0)
    }
}

extension PrometheusTests {
    enum Clock {
        static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) / 3_600_000 * 3_600_000 }

        /// A port that was free a moment ago.
        static func freePort() throws -> Int {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
                }
            }
            try #require(isBound)
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }

    /// A real server with a folder of its own, that scrapes one worker each second.
    final class Prometheus {
        private let process = Process()
        private let folder: URL
        private let port: Int

        init(scraping worker: Int) throws {
            port = try Clock.freePort()
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("driftgate-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = folder.appendingPathComponent("prometheus.yml")
            let configuration = """
                global: {scrape_interval: 1s}
                rule_files: [\(PrometheusTests.root.path)/config/prometheus/driftgate.rules.yml]
                scrape_configs:
                  - {job_name: driftgate, static_configs: [{targets: ["127.0.0.1:\(worker)"]}]}
                """
            try Data(configuration.utf8).write(to: file)
            process.executableURL = URL(fileURLWithPath: PrometheusTests.path)
            process.arguments = [
                "--config.file=\(file.path)", "--storage.tsdb.path=\(folder.path)/data",
                "--web.listen-address=127.0.0.1:\(port)",
            ]
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
        }

        func stop() {
            // A test's thread may hold other signals back, and what it starts inherits that.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            try? FileManager.default.removeItem(at: folder)
        }

        /// Whether it parses an expression; a query that it does not is answered by 400, which has no body here.
        func understands(_ expression: String) -> Bool { (try? Data(contentsOf: url(expression))) != nil }

        private func url(_ expression: String) -> URL {
            var parts = URLComponents(string: "http://127.0.0.1:\(port)/api/v1/query")!
            parts.queryItems = [URLQueryItem(name: "query", value: expression)]
            parts.percentEncodedQuery = parts.percentEncodedQuery?.replacingOccurrences(of: "+", with: "%2B")
            return parts.url!
        }

        /// The samples that an expression finds now; none while the server does not answer yet.
        func ask(_ expression: String) throws -> [Any] {
            guard let data = try? Data(contentsOf: url(expression)) else { return [] }
            let answer = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            #expect(answer?["status"] as? String == "success", "\(expression)")
            return (answer?["data"] as? [String: Any])?["result"] as? [Any] ?? []
        }
    }
}
