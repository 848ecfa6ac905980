import Foundation
import Retraining
import Testing

@testable import Serving

/// The API over a socket, on a past that was read from a broker.
@Suite(.serialized) struct APITests {
    private func withWeek(_ body: @escaping @Sendable (DashboardStage) throws -> Void) async throws {
        try await onOwnThread {
            let stage = try DashboardStage()
            defer { stage.close() }
            try stage.publishWeek("tft-prod")
            try stage.flush()
            stage.putStatus()
            try stage.start()
            try stage.waitForHistory(models: 1)
            try body(stage)
        }
    }

    private static func json(_ stage: DashboardStage, _ path: String) throws -> [String: Any] {
        let answer = try ask(stage.port, "/api/v1/\(path)")
        #expect(answer.status == 200, "\(path): \(answer)")
        return try #require(
            try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any], "\(path)")
    }

    /// All of section 8 of the source design, and nothing that docs/api.md does not name.
    @Test func summaryIsWhatIsDocumented() async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/api.md")
        let document = try String(contentsOf: file, encoding: .utf8)
        try await withWeek { stage in
            let answer = try Self.json(stage, "model?model=tft-prod")
            let summary = try #require(answer["summary"] as? [String: Any])
            for (name, value) in summary {
                #expect(document.contains("`\(name)`"), "docs/api.md does not name \(name)")
                guard let inner = value as? [String: Any], name != "drift_breakdown" else { continue }
                for name in inner.keys { #expect(document.contains("`\(name)`"), "docs/api.md does not name \(name)") }
            }
            for name in [
                "current_drift_score", "current_accuracy", "sla_status", "buffer_above_sla", "days_since_last_training",
                "trainings_this_week", "current_load", "is_quiet", "last_7_days", "drift_breakdown", "alert_level",
            ] {
                #expect(summary[name] != nil && !(summary[name] is NSNull), "\(name)")
            }
            #expect(summary["alert_level"] as? String == "critical")
            #expect(summary["sla_status"] as? String == "below")
            #expect(abs((summary["current_accuracy"] as! Double) - 0.839) < 0.001)
            let week = try #require(summary["last_7_days"] as? [String: Any])
            #expect(week["trainings_triggered"] as? Int == 1)
            #expect(week["sla_breaches"] as? Int == 1)
            #expect(week["decisions"] as? Int == 336)
        }
    }

    @Test func everyTableIsTheSameInBothForms() async throws {
        try await withWeek { stage in
            for path in ["decisions", "trainings", "alerts", "load", "pipeline"] {
                let object = try Self.json(stage, "\(path)?model=tft-prod&limit=50")
                let rows = try #require(object["rows"] as? [[String: Any]])
                let text = try ask(stage.port, "/api/v1/\(path)?model=tft-prod&limit=50&format=csv")
                #expect(text.contains("text/csv"))
                let lines = text.body.components(separatedBy: "\r\n").filter { !$0.isEmpty }
                #expect(lines.count == rows.count + 1, "\(path)")
                let names = lines[0].components(separatedBy: ",")
                #expect(
                    Set(names)
                        == Set((rows.first ?? [:]).keys.map { $0.hasSuffix("_ms") ? String($0.dropLast(3)) : $0 }))
            }
        }
    }

    @Test func seriesAreThinnedAndPagesJoin() async throws {
        try await withWeek { stage in
            let whole = try Self.json(stage, "series?model=tft-prod")
            let columns = try #require(whole["columns"] as? [String: [Any]])
            #expect(Set(columns.values.map(\.count)).count == 1)
            #expect(columns["at_ms"]?.count == 337)
            let thin = try #require(
                try Self.json(stage, "series?model=tft-prod&points=50")["columns"] as? [String: [Any]])
            #expect((40...55).contains(thin["at_ms"]!.count))
            var (seen, before) = (Set<String>(), "")
            while true {
                let page = try Self.json(stage, "decisions?model=tft-prod&limit=100\(before)")
                let rows = page["rows"] as! [[String: Any]]
                guard let last = rows.last else { break }
                for row in rows { #expect(seen.insert(row["id"] as! String).inserted) }
                before = "&before=\(last["at_ms"]!)"
            }
            #expect(seen.count == 384)
            let triggers = try Self.json(stage, "decisions?model=tft-prod&outcome=trigger")
            #expect(triggers["matching"] as? Int == 1)
            let found = try Self.json(stage, "decisions?model=tft-prod&q=weekly+limit&changes=true")
            #expect(found["matching"] as? Int == 1)
        }
    }

    /// Old decisions come back from their topic, whole.
    @Test func anyDecisionCanBeFetched() async throws {
        try await withWeek { stage in
            for step in [1, 200, 383] {
                let id = "tft-prod@\(DashboardStage.end - Int64(384 - step) * 30 * .minute)"
                let event = try Self.json(stage, "decision?id=\(id)")
                let data = try #require(event["data"] as? [String: Any])
                #expect(data["decision_id"] as? String == id)
                #expect(data["checks"] != nil)
            }
            #expect(try ask(stage.port, "/api/v1/decision?id=tft-prod@1").status == 404)
            #expect(try ask(stage.port, "/api/v1/decision?id=x").status == 400)
            #expect(try ask(stage.port, "/api/v1/series?model=x").status == 404)
            #expect(try ask(stage.port, "/api/v1/series?model=tft-prod&from=yesterday").status == 400)
            #expect(try ask(stage.port, "/api/v1/decisions?model=tft-prod&limit=100000000").status == 400)
            #expect(try ask(stage.port, "/healthz").body == "ok\n")
            #expect(try ask(stage.port, "/readyz").body == "ready\n")
        }
    }

    @Test func newsIsToldWhileItComes() async throws {
        try await withWeek { stage in
            let listener = try RawConnection(port: stage.port)
            listener.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(listener.read(until: "event: hello").text.contains("text/event-stream"))
            try stage.publish(
                stage.options.topics.decisions, key: "tft-prod",
                DashboardStage.decision(
                    "tft-prod", at: DashboardStage.end, score: 0.01, accuracy: 0.99, load: 0.1, reason: "no_drift"),
                at: DashboardStage.end)
            try stage.flush()
            let news = listener.read(until: "event: changed", seconds: 30).text
            #expect(news.contains("event: changed"))
            #expect(listener.read(until: "\n\n").text.contains("tft-prod") || news.contains("tft-prod"))
        }
    }
}
