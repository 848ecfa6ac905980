import Foundation
import Retraining
import Testing

@testable import Contracts
@testable import Serving

@Suite struct HistoryTests {
    private func point(
        _ at: Milliseconds, score: Double = 0.05, reason: Reason = .noDrift, isTrigger: Bool = false
    ) -> HistoryPoint {
        HistoryPoint(
            DecisionFigures(
                model: "m", modelVersion: nil, evaluatedAt: at, isTrigger: isTrigger, reason: reason, requestID: nil,
                accuracy: 0.95, score: score, plainScore: score, predictionError: 0, distributionShift: 0,
                featureDrift: 0, anomalyRate: 0, load: 0.2, isQuiet: true,
                recommendation: score > 0.1 ? "retrain" : "healthy"),
            partition: 3, offset: 77)
    }

    @Test func aPointKeepsWhatAChartNeeds() {
        let point = point(1_795_600_800_000, score: 0.1375, reason: .waitingForQuiet, isTrigger: true)
        #expect(MemoryLayout<HistoryPoint>.stride == 48)
        #expect(point.at == 1_795_600_800_000)
        #expect(point.reason == .waitingForQuiet)
        #expect(point.isTrigger && point.isQuiet && point.wantsTraining)
        #expect(point.offset == 77 && point.partition == 3)
        #expect(abs(point.score - 0.1375) < 1e-6)
    }

    @Test func keepsEveryDecisionOfAWeekAndTheWorstHoursBefore() {
        var model = ModelHistory(name: "m")
        let start: Milliseconds = 1_790_000_000_000 / .hour * .hour
        let steps = 40 * 288
        for step in 0..<steps {
            let at = start + Int64(step) * 5 * .minute
            // One decision an hour stands out; a trigger is in the middle of a stretch.
            let isTrigger = step == 1_000
            _ = model.add(
                point(
                    at, score: step % 12 == 7 ? 0.2 : 0.01, reason: isTrigger ? .driftQuiet : .noDrift,
                    isTrigger: isTrigger),
                version: "v", retention: 30 * .day)
        }
        let last = start + Int64(steps - 1) * 5 * .minute
        #expect(model.points(from: last - 7 * .day + 1, to: last).count == 7 * 288)
        #expect(model.count < 8 * 288 + 22 * 24 + 800)
        let old = model.points(from: last - 20 * .day, to: last - 15 * .day)
        #expect(old.count == 5 * 24 || old.count == 5 * 24 + 1)
        #expect(old.allSatisfy { $0.score > 0.1 })
        #expect(model.points(from: 0, to: last - 32 * .day).isEmpty)
        #expect(model.points(from: start + 1_000 * 5 * .minute, to: start + 1_000 * 5 * .minute).isEmpty)
    }

    @Test func repeatedDecisionsChangeNothing() {
        var model = ModelHistory(name: "m")
        let changed = [60_000, 60_000, 0].map { model.add(point($0), version: "a", retention: .day) }
        #expect(changed == [true, false, false])
        #expect(model.count == 1)
    }

    @Test func thinningKeepsPeaksAndTriggers() {
        let points = (0..<10_000).map {
            point(Int64($0) * 60_000, score: $0 == 5_003 ? 0.5 : 0.01, isTrigger: $0 == 7_777)
        }
        let shown = DashboardAPI.thinned(points, to: 500)
        #expect(shown.count <= 505)
        #expect(shown.contains { $0.score > 0.4 })
        #expect(shown.contains { $0.isTrigger })
    }

    @Test func statusesAndVerdictsMayComeBeforeTheirRequest() throws {
        var state = History.State()
        state.add(TrainingStatusRecord(requestID: "rt-1", status: .started), at: 20)
        state.add(TrainingStatusRecord(requestID: "rt-1", status: .succeeded, modelVersion: "v2"), at: 30)
        // Late, and out of order: what ended stays ended.
        state.add(TrainingStatusRecord(requestID: "rt-1", status: .failed), at: 40)
        let json = """
            {"data":{"request_id":"rt-1","attempt":1,"model":"m","requested_at_ms":10,"reason":{"code":"manual","text":"t"},\
            "priority":"normal","decision_id":"m@10"}}
            """
        let request = try JSONDecoder().decode(Enveloped<RequestEntry>.self, from: Data(json.utf8)).data
        state.add(request, modelsMax: 10)
        state.add(request, modelsMax: 10)
        let trainings = try #require(state.models["m"]?.trainings)
        #expect(trainings.count == 1)
        #expect(trainings[0].status == "succeeded")
        #expect(trainings[0].newVersion == "v2")
        #expect(trainings[0].succeededAt == 30)
    }

    @Test func tooManyModelsAreLeftOutAndCounted() {
        var state = History.State()
        for index in 0..<20 {
            _ = state.add(point(60_000), model: "m\(index)", version: nil, retention: .day, modelsMax: 5)
        }
        #expect(state.models.count == 5)
        #expect(state.reading.modelsLeftOut == 15)
    }

    @Test func csvIsQuotedAndNoFormula() {
        var table = Table(name: "t", columns: ["a", "at_ms"])
        table.rows = [[.text("=1+1"), .time(0)], [.text("x,\"y\"\n"), .none], [.text("-"), .none]]
        let text = String(decoding: table.csv, as: UTF8.self)
        #expect(text == "a,at\r\n'=1+1,1970-01-01T00:00:00.000Z\r\n\"x,\"\"y\"\"\n\",\r\n'-,\r\n")
    }

    @Test func tokensAreComparedWhole() {
        #expect(Gate.isEqual("abc", "abc"))
        for wrong in ["", "a", "ab", "abcd", "abx", "abcabc"] { #expect(!Gate.isEqual(wrong, "abc")) }
        #expect(!Gate.isEqual("", ""))
        for local in ["localhost", "127.0.0.1:80", "[::1]"] { #expect(Gate.isLocal(local)) }
        for foreign in ["", "a", "[::1]x", "127.0.0", "127.0.0.1.x", "127.0.0.1@x", "[::1", "128.0.0.1", "127.0.0.256"]
        {
            #expect(!Gate.isLocal(foreign), "\(foreign)")
        }
    }
}
