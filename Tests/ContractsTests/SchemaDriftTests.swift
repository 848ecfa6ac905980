import Foundation
import Retraining
import Testing

@testable import Contracts

/// Protects: what Swift writes and reads, and what the schemas in `contracts` say, cannot part unnoticed.
@Suite struct SchemaDriftTests {
    private typealias Object = [String: Any]

    private func schema(_ name: String) throws -> Object {
        let bytes = try #require(Files.read("\(name).schema.json"))
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? Object)
    }

    // MARK: What is written

    /// Every key that is written is described and required, and every key that is described is written.
    @Test(arguments: SampleEffects.all.indices)
    func written(_ index: Int) throws {
        let (name, effect) = SampleEffects.all[index]
        let event = EventEncoder(applicationID: "driftgate").encode(effect)
        let written = try #require(try JSONSerialization.jsonObject(with: Data(event.value)) as? Object)
        compare(written, try schema(event.kind.rawValue), at: name)
    }

    private func compare(_ value: Any, _ schema: Object, at path: String) {
        if let choices = schema["anyOf"] as? [Object] {
            let isNull = value is NSNull
            let fitting = choices.first { ($0["type"] as? String == "null") == isNull }
            #expect(fitting != nil, "\(path): no choice fits")
            if let fitting, !isNull { compare(value, fitting, at: path) }
            return
        }
        if let object = value as? Object {
            guard let properties = schema["properties"] as? [String: Object] else {
                guard let entries = schema["additionalProperties"] as? Object else {
                    Issue.record("\(path): the schema describes no object")
                    return
                }
                for (key, entry) in object { compare(entry, entries, at: "\(path).\(key)") }
                return
            }
            let required = Set(schema["required"] as? [String] ?? [])
            #expect(required.isSubset(of: object.keys), "\(path) lacks \(required.subtracting(object.keys))")
            #expect(Set(object.keys).isSubset(of: properties.keys), "\(path): \(object.keys) are not all described")
            // Attributes of an event may be absent; in its data every key is always there.
            if path.contains(".") { #expect(required == Set(properties.keys), "\(path): what is required") }
            for (key, entry) in object {
                if let inner = properties[key] { compare(entry, inner, at: "\(path).\(key)") }
            }
        } else if let list = value as? [Any], let items = schema["items"] as? Object {
            for entry in list { compare(entry, items, at: "\(path)[]") }
        }
    }

    // MARK: Words

    @Test("every word that Swift knows is in the schemas, and no other")
    func words() throws {
        let reasons = Reason.allCases.map(\.rawValue)
        try expect(reasons, "decision", "data", "reason", "code")
        try expect(reasons, "request", "data", "reason", "code")
        try expect(reasons, "decision", "data", "checks", "check")
        try expect(Check.Answer.allCases.map(\.rawValue), "decision", "data", "checks", "answer")
        try expect(Decision.Outcome.allCases.map(\.rawValue), "decision", "data", "outcome")
        for name in ["decision", "request"] { try expect(Priority.allCases.map(\.rawValue), name, "data", "priority") }
        try expect(
            DriftSignal.Recommendation.allCases.map(\.rawValue), "decision", "data", "signal", "recommendation")
        try expect(DriftConfiguration.Scoring.allCases.map(\.rawValue), "decision", "data", "signal", "scoring")
        try expect(LoadEvidence.Form.allCases.map(\.rawValue), "decision", "data", "load", "form")
        try expect(Baseline.Origin.allCases.map(\.rawValue), "decision", "data", "history", "baseline_origin")
        try expect(Alert.Kind.allCases.map(\.rawValue), "alert", "data", "kind")
        try expect(Alert.Severity.allCases.map(\.rawValue), "alert", "data", "severity")
        try expect(Alert.State.allCases.map(\.rawValue), "alert", "data", "state")
        try expect(Verdict.Outcome.allCases.map(\.rawValue), "verdict", "data", "outcome")
        try expect(TrainingStatusRecord.Status.allCases.map(\.rawValue), "training-status", "status")
        try expect(CommandRecord.Kind.allCases.map(\.rawValue), "command", "command")
    }

    private func expect(_ words: [String], _ name: String, _ path: String...) throws {
        var schema = try schema(name)
        for step in path {
            if let items = schema["items"] as? Object { schema = items }
            if let choices = schema["anyOf"] as? [Object] {
                schema = try #require(choices.first { $0["properties"] != nil })
            }
            schema = try #require((schema["properties"] as? [String: Object])?[step], "\(name) has no \(step)")
        }
        let known = try #require(schema["enum"] as? [Any]).compactMap { $0 as? String }
        #expect(Set(known) == Set(words), "\(name) \(path.joined(separator: "."))")
    }

    // MARK: What is read

    @Test("every field that is looked for in an input is described, and no other", arguments: RecordRole.allCases)
    func read(_ role: RecordRole) throws {
        let names: [RecordRole: String] = [
            .prediction: "prediction", .actual: "actual", .load: "load", .trainingStatus: "training-status",
            .command: "command",
        ]
        let name = try #require(names[role])
        let described = try #require(try schema(name)["properties"] as? Object)
        // `metric` and `value` stand for `values` only where pointers name them.
        let looked = FieldMap.fieldNames(of: role).filter { $0 != "metric" && $0 != "value" }
        #expect(Set(described.keys) == Set(looked))
    }

    // MARK: What Swift holds

    /// A property that is added and neither written nor described fails here: write it, describe it, then name it.
    @Test("every stored property of what is published is accounted for")
    func properties() {
        expect(
            SampleEffects.decision,
            "model modelVersion evaluatedAt outcome reason text confidence priority waitUntil requestID checks signal load "
                + "history cut")
        expect(SampleEffects.decision.checks[0], "reason answer value limit unit")
        expect(
            SampleEffects.signal,
            "score scoring weightedScore weights recommendation confidence terms plain plainScore floors errors metrics "
                + "pairs actuals predictions aboveSince")
        expect(SampleEffects.signal.weights, "predictionError distributionShift featureDrift anomalyRate")
        expect(SampleEffects.signal.terms, "predictionError distributionShift featureDrift anomalyRate")
        expect(
            SampleEffects.signal.floors!,
            "skillRatio skillReference skillLimit fastRatio fastReference fastLimit fastGain distributionShift "
                + "featureDrift anomalyRate")
        expect(SampleEffects.signal.errors, "measure mape wape smape mase skippedPairs")
        expect(
            SampleEffects.signal.metrics[0],
            "metric statistic pValue isDrifted meanShift seasonalStatistic seasonalMeanShift statisticFloor "
                + "meanShiftFloor error samples")
        expect(
            SampleEffects.decision.load,
            "score form meanCPUPercent ratePerSecond rateP95 machines isQuiet incident blackout nextWindow "
                + "plannedWindow hourScore lowLimit highLimit profileHours")
        expect(SampleEffects.decision.load.nextWindow!, "from to expectedLoad")
        expect(
            SampleEffects.decision.history,
            "lastTraining isAssumed trainingsInWeek openRequestID baselineVersion baselineOrigin baselineCapturedAt "
                + "isBaselineFrozen")
        expect(SampleEffects.decision.cut, "positions wallClock configuration")
        expect(SampleEffects.decision.cut.positions[0], "topic partition nextOffset")
        expect(
            SampleEffects.request,
            "requestID attempt model modelVersion requestedAt mode epochs trainingFrom trainingTo offsets "
                + "offsetsComplete keepShadow driftOnset reason text priority confidence signal decisionID deadline "
                + "replyTopic")
        expect(SampleEffects.request.offsets[0], "topic partition from to")
        expect(SampleEffects.alert, "kind severity state model requestID at text")
        expect(
            SampleEffects.verdict,
            "model requestID newVersion oldVersion outcome ratio againstShadowForecaster pairs at recommendsRollback "
                + "text")
    }

    private func expect(_ value: Any, _ labels: String) {
        let held = Set(Mirror(reflecting: value).children.compactMap(\.label))
        #expect(held == Set(labels.split(separator: " ").map(String.init)), "\(type(of: value))")
    }
}
