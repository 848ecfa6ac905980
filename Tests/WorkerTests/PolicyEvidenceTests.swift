import Contracts
import Foundation
import Retraining
import Testing

@testable import driftgate

/// Protects: whoever has a published decision, and nothing else, can redo the arithmetic of both its scores.
@Suite struct PolicyEvidenceTests {
    private struct Evidence: Decodable {
        struct Reason: Decodable { var code: String }
        struct Check: Decodable {
            var check: String
            var limit: Double?
        }
        struct Signal: Decodable {
            struct Errors: Decodable {
                var measure: String
                var mape: Double?
            }
            struct Metric: Decodable {
                var ks_statistic: Double?
                var mean_shift: Double?
                var seasonal_ks_statistic: Double?
                var seasonal_mean_shift: Double?
                var ks_floor: Double?
                var mean_shift_floor: Double?
            }
            var score: Double
            var weighted_score: Double
            var plain_score: Double
            var weights: [String: Double]
            var terms: [String: Double]
            var plain_terms: [String: Double]
            var floors: [String: Double?]
            var errors: Errors
            var metrics: [Metric]
        }
        var outcome: String
        var reason: Reason
        var checks: [Check]
        var signal: Signal?
    }

    /// Four weeks of two metrics, one with a day cycle; then the level moves, the model is lost, and is trained.
    private func decisions() throws -> [Evidence] {
        var configuration = EngineConfiguration()
        configuration.quiet.pool = QuietConfiguration.poolOfModel
        configuration.drift.checkInterval = .hour
        configuration.safeguards.maximumTriggerLag = nil
        var written: [[UInt8]] = []
        var session = PolicySession(configuration: configuration, printsPlans: false) {
            written.append(EventEncoder.data(of: .decision($0)))
        }
        let start = 1_736_121_600
        func time(_ hour: Int) -> String {
            Date(timeIntervalSince1970: Double(start + hour * 3600)).formatted(.iso8601)
        }
        func level(_ metric: String, _ hour: Int) -> Double {
            let ripple = Double(hour * 7919 % 101) / 101
            return (metric == "cpu_pct" ? (8..<18).contains(hour % 24) ? 60 : 20 : 45) + 6 * ripple
        }
        var version = "a"
        for hour in 0..<30 * 24 {
            let isLate = hour >= 22 * 24
            for metric in ["cpu_pct", "mem_pct"] {
                let value = level(metric, hour) * (isLate ? 1.3 : 1)
                let isStale = isLate && version == "a"
                let forecast =
                    isStale ? 130 : level(metric, hour + 1) * (isLate ? 1.3 : 1) + Double(hour * 104_729 % 13) / 6 - 1
                _ = session.take(
                    #"{"type":"actual","ts":"\#(time(hour))","entity":"m","metric":"\#(metric)","value":\#(value)}"#)
                _ = session.take(
                    #"{"type":"prediction","ts":"\#(time(hour))","target_ts":"\#(time(hour + 1))","entity":"m","#
                        + #""metric":"\#(metric)","horizon_h":1,"value":\#(forecast),"model":"\#(version)"}"#)
            }
            _ = session.take(
                #"{"type":"load","ts":"\#(time(hour))","entity":"m","values":{"cpu_pct":\#(level("cpu_pct", hour))}}"#)
            let reply = session.take(#"{"type":"tick","ts":"\#(time(hour))"}"#)
            if reply?.contains("retrain") == true, version == "a" {
                version = "b"
                _ = session.take(#"{"type":"model_deployed","ts":"\#(time(hour + 1))","entity":"m","model":"b"}"#)
            }
        }
        return try written.map { try JSONDecoder().decode(Evidence.self, from: Data($0)) }
    }

    private func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }

    private func weighted(_ terms: [String: Double], _ weights: [String: Double]) -> Double {
        weights.reduce(0) { $0 + $1.value * terms[$1.key]! }
    }

    private func near(_ left: Double, _ right: Double) -> Bool { abs(left - right) <= 1e-9 * max(1, abs(right)) }

    @Test func theArithmeticCanBeRedone() throws {
        let decisions = try decisions()
        var seen: Set<String> = []
        for decision in decisions {
            guard let signal = decision.signal else { continue }
            let floors = signal.floors.mapValues { $0 ?? .nan }
            let threshold = try #require(decision.checks.first { $0.check == "no_drift" }?.limit)

            // Plain: the source's formula.
            let plain = signal.plain_terms
            #expect(near(plain["prediction_error"]!, signal.errors.mape ?? 0))
            #expect(near(plain["distribution_shift"]!, mean(signal.metrics.compactMap(\.ks_statistic))))
            #expect(near(plain["feature_drift"]!, signal.metrics.compactMap(\.mean_shift).max() ?? 0))
            #expect(near(signal.plain_score, weighted(plain, signal.weights)))

            // Calibrated: each term above its own floor.
            var loss = 0.0
            if let limit = signal.floors["skill_limit"]!, let ratio = signal.floors["skill_ratio"]! {
                loss = max(loss, ratio / limit - 1)
                seen.insert("slow")
            }
            if let limit = signal.floors["fast_skill_limit"]!, let ratio = signal.floors["fast_skill_ratio"]! {
                loss = max(loss, floors["fast_skill_gain"]! * (ratio / limit - 1))
                seen.insert("fast")
            }
            #expect(near(signal.terms["prediction_error"]!, min(1, max(0, loss))))
            let known = signal.metrics.filter { $0.ks_floor != nil && $0.ks_statistic != nil }
            let shifts = known.map { metric in
                max(0, (metric.seasonal_ks_statistic ?? metric.ks_statistic!) - metric.ks_floor!)
                    / (1 - metric.ks_floor!)
            }
            #expect(near(signal.terms["distribution_shift"]!, mean(shifts)))
            let moves = known.map { metric in
                let beyond = max(0, (metric.seasonal_mean_shift ?? metric.mean_shift!) - metric.mean_shift_floor!)
                return beyond / (1 + beyond)
            }
            #expect(near(signal.terms["feature_drift"]!, moves.max() ?? 0))
            #expect(near(signal.terms["anomaly_rate"]!, max(0, plain["anomaly_rate"]! - floors["anomaly_rate"]!)))
            #expect(near(signal.weighted_score, weighted(signal.terms, signal.weights)))
            let isIntact = signal.weights["prediction_error"]! * signal.terms["prediction_error"]! < 0.7 * threshold
            #expect(near(signal.score, isIntact ? min(signal.weighted_score, threshold) : signal.weighted_score))

            if signal.score < signal.weighted_score { seen.insert("capped") }
            if signal.metrics.contains(where: { $0.seasonal_ks_statistic != nil }) { seen.insert("seasonal") }
            if signal.terms["anomaly_rate"]! > 0 { seen.insert("anomalies") }
            if signal.terms["feature_drift"]! > 0 { seen.insert("shift") }
        }
        // The stream must have shown each part, or nothing was redone.
        #expect(seen.isSuperset(of: ["slow", "fast", "seasonal", "anomalies", "shift"]))
        #expect(decisions.contains { $0.outcome == "trigger" && $0.reason.code == "drift_quiet" })
    }
}
