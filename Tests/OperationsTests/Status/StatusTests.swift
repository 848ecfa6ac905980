import Foundation
import Retraining
import Testing

@testable import Operations
@testable import Worker

/// Protects what a person reads at three in the morning.
@Suite struct StatusTests {
    private func report(_ change: (inout WorkerObservation) -> Void = { _ in }) -> StatusReport {
        var observation = SampleObservation.observation
        change(&observation)
        return StatusReport(observation, [("actuals", 0), ("predictions", 17)], configuration: "0123456789abcdef")
    }

    @Test func theFirstLineSaysWhetherAPersonIsNeeded() {
        func verdict(_ change: (inout WorkerObservation) -> Void) -> Substring {
            StatusText.render(report(change)).prefix { $0 != "\n" }
        }
        #expect(verdict { _ in } == "2 models watched: 1 below the agreed accuracy.")
        #expect(verdict { $0.models = [["m": SampleObservation.model(score: nil)]] } == "All is well: 1 model watched.")
        #expect(verdict { $0.phase = .standingBy } == "Standing by: another worker decides.")
        #expect(verdict { $0.phase = .restoring } == "Restoring from the log; no decision meanwhile.")
        #expect(StatusText.render(StatusReport(nil, [], configuration: "x")).hasPrefix("Starting"))
    }

    @Test func whatNeedsAPersonComesFirst() throws {
        let lines = StatusText.render(report()).split(separator: "\n")
        #expect(lines.contains { $0 == "lag       predictions 17" })
        #expect(lines.contains { $0 == "refused   invalid_json 3" })
        let first = try #require(lines.firstIndex { $0.hasPrefix("model ") })
        #expect(lines[first + 1].hasPrefix("tft-prod"))
        #expect(lines[first + 1].contains("79 %") && lines[first + 1].contains("BELOW"))
    }

    /// A name from Kafka moves no cursor and begins no line.
    @Test func namesStayInTheirColumn() {
        let hostile = "x\u{1B}[2Jy\r\nAll is well\u{202E}z"
        let text = StatusText.render(report { $0.models = [[hostile: SampleObservation.model(score: 0.2)]] })
        #expect(text.contains("x·[2Jy··All is well·z"))
        #expect(!text.unicodeScalars.contains("\u{1B}") && !text.unicodeScalars.contains("\u{202E}"))
    }

    @Test func oneModelInFull() {
        let text = StatusText.render(report(), model: "tft-prod")
        #expect(text.contains("decision   hold persistence"))
        #expect(text.contains("accuracy   79 %, below the agreed one"))
        #expect(StatusText.render(report(), model: "who").contains("no decision about who yet"))
    }

    @Test func asJSONItIsTheSame() throws {
        let report = report()
        #expect(try StatusReport(json: report.json()) == report)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(report.json())) as? [String: Any])
        #expect((object["models"] as? [[String: Any]])?.count == 2)
        #expect(object["last_checkpoint"] as? String == "2024-10-17T16:00:01.250Z")
    }
}
