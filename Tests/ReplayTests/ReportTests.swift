import Contracts
import Foundation
import Retraining
import Testing

@testable import Replay

/// What a replay writes can be read, holds what it says, and is no way in for a name.
struct ReportTests {
    private func result(model: String = "m") throws -> ReplayResult {
        let directory = try TemporaryDirectory()
        var history = SampleHistory()
        history.model = model
        try history.write(to: directory)
        let source = try SampleHistory.source(directory)
        let outcomes = try StreamReplay.run(source, [SampleHistory.configuration])
        var result = ReplayResult(
            source: "sample", configuration: SampleHistory.configuration, fingerprint: "abc", isClosedLoop: false,
            collector: outcomes[0].collector)
        result.findings = source.findings
        var own = ReplayResult.Schedule(name: "this policy", trainings: result.trainings.count, inHighLoad: 0)
        own.isPolicy = true
        result.schedules = [own] + FixedSchedules.counted(result.models, hour: 2)
        return result
    }

    @Test("drift becomes a training, and its way there is measured")
    func episode() throws {
        let result = try result()
        let training = try #require(result.trainings.first { $0.onset != nil })
        let change = SampleHistory.start + 30 * .day
        #expect(training.at > change && training.at < change + 4 * .day)
        let (onset, detected, ready) = (
            try #require(training.onset), try #require(training.detected), try #require(training.ready)
        )
        #expect(onset <= detected && detected <= ready && ready <= training.at)
        #expect(training.score ?? 0 > 0.1)
        let rows = SuccessMetrics(result).rows
        #expect(rows.map(\.name).contains("Response time without the quiet gate"))
        #expect(rows.first?.isMet == true)
    }

    @Test("fixed schedules are counted over the days that were decided about")
    func schedules() throws {
        let result = try result()
        let counts = Dictionary(uniqueKeysWithValues: result.schedules.dropFirst().map { ($0.name, $0.trainings) })
        #expect(counts == ["never": 0, "daily": 39, "every 2 days": 19, "weekly": 5, "monthly (30 days)": 1])
    }

    @Test("the page stands for itself, and a model's name stays text")
    func page() throws {
        let page = HTMLReport.page(try result(model: "<script>alert('x')</script>&\"m\""))
        #expect(!page.contains("<script"))
        #expect(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;m&quot;"))
        for outside in ["http://", "https://", "url(", "@import", "src="] { #expect(!page.contains(outside)) }
        for tag in ["table", "svg", "figure", "details", "div", "p"] {
            let opened = page.components(separatedBy: "<\(tag)>").count + page.components(separatedBy: "<\(tag) ").count
            #expect(opened - 2 == page.components(separatedBy: "</\(tag)>").count - 1, "\(tag)")
        }
        #expect(page.contains("prefers-color-scheme:dark"))
        #expect(!page.contains("=\"–\"") && !page.contains("L–"), "every place in a drawing is a number")
    }

    @Test("the summary for machines says the same as the one for people")
    func json() throws {
        let result = try result()
        let data = Data(SummaryJSON.bytes(result))
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let schedules = try #require(object["schedules"] as? [[String: Any]])
        #expect(schedules.first?["trainings"] as? Int == result.trainings.count)
        let models = try #require(object["models"] as? [[String: Any]])
        #expect((models.first?["trainings"] as? [Any])?.count == result.trainings.count)
        let text = SummaryText.lines(result).joined(separator: "\n")
        #expect(text.contains("this policy") && text.contains("Training efficiency"))
    }

    @Test("a decision is explained with its checks, its figures and what would have had to differ")
    func explanation() throws {
        let directory = try TemporaryDirectory()
        try SampleHistory().write(to: directory)
        var byReason: [Reason: [String]] = [:]
        _ = try StreamReplay.run(
            SampleHistory.source(directory), [SampleHistory.configuration],
            note: { evaluation in
                for case .decision(let decision) in evaluation.effects where byReason[decision.reason] == nil {
                    let forecast = evaluation.engine.quietForecast(model: decision.model, at: decision.evaluatedAt)
                    byReason[decision.reason] = Explanation(decision, forecast: forecast).lines
                }
                return true
            })
        let held = try #require(byReason[.noDrift]).joined(separator: "\n")
        #expect(held.contains("→  no_drift"))
        #expect(held.contains("a score above 0.100"))
        #expect(held.contains("PER, error") && held.contains("; baseline "))
        let early = try #require(byReason[.persistence]).joined(separator: "\n")
        #expect(early.contains("the score above the threshold for"))
        let triggered = try #require(byReason[.driftQuiet] ?? byReason[.quietDeadline]).joined(separator: "\n")
        #expect(triggered.contains("trigger"))
        #expect(triggered.contains("it would have been held, had"))
        #expect(triggered.contains("the next 24 hours"))
    }

    @Test("points stay within their bound, however long the replay")
    func thinning() throws {
        let directory = try TemporaryDirectory()
        try SampleHistory(hours: 3).write(to: directory)
        var sample: Decision?
        _ = try StreamReplay.run(
            SampleHistory.source(directory), [SampleHistory.configuration],
            note: { evaluation in
                for case .decision(let decision) in evaluation.effects { sample = decision }
                return true
            })
        var decision = try #require(sample)
        var trace = ModelTrace(model: "m", interval: .hour, pointsMax: 100)
        for hour in 0..<5000 {
            decision.evaluatedAt = Int64(hour) * .hour
            trace.note(decision, breach: 0.12)
        }
        var collector = ResultCollector(configuration: SampleHistory.configuration, pointsOfAll: 4_000)
        for hour in 0..<400 {
            for model in 0..<20 {
                decision.model = "m\(model)"
                decision.evaluatedAt = Int64(hour) * .hour
                collector.note([.decision(decision)], at: decision.evaluatedAt)
            }
        }
        #expect(collector.traces.count == 20)
        #expect(collector.traces.values.reduce(0) { $0 + $1.points.count } <= 4_000)
        #expect(trace.points.count <= 100 && trace.points.count >= 50)
        #expect(trace.decisions == 5000)
        #expect(zip(trace.points, trace.points.dropFirst()).allSatisfy { $0.at < $1.at })
    }

    @Test("a file is there when it is finished, and nothing before")
    func atomicFile() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/out.json"
        do {
            let file = try AtomicFile(path: path)
            try file.write(Array("half".utf8))
            withExtendedLifetime(file) {
                #expect(!FileManager.default.fileExists(atPath: path))
                #expect(directory.names.count <= 1)
            }
        }
        #expect(directory.names.isEmpty, "what was not finished is gone")
        let file = try AtomicFile(path: path)
        try file.write(Array("whole".utf8))
        try file.finish()
        #expect(directory.names == ["out.json"])
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "whole")
        let other = try AtomicFile(path: path + "2")
        try other.write([1])
        withExtendedLifetime(other) { AtomicFile.discardAll() }
        #expect(directory.names == ["out.json"])
    }

    @Test("a sweep's frontier is what nothing else beats")
    func frontier() {
        func point(_ trainings: Double, _ error: Double) -> ReplayResult.FrontierPoint {
            .init(settings: [], trainings: trainings, error: error, inHighLoad: 0, isCurrent: false)
        }
        let marked = ReplayResult.FrontierPoint.marked([
            point(1, 5), point(2, 3), point(3, 3), point(3, 2), point(4, 6),
        ])
        #expect(marked.map(\.isOnFrontier) == [true, true, false, true, false])
    }

    @Test("the progress bar tells share, rate and time left")
    func progress() {
        let bar = ProgressBar(total: 1000, isShown: false) { (0, 0) }
        let line = bar.line(units: 250, records: 5000, seconds: 10)
        #expect(line.contains("25 %") && line.contains("500/s") && line.contains("30 s left"))
        #expect(
            ProgressBar(total: nil, isShown: false) { (0, 0) }.line(units: 9, records: 9, seconds: 3)
                == "9 records, 3/s")
    }
}
