import ArgumentParser
import Retraining

/// A constant of the policy and the factor that a sensitivity run multiplies it by.
struct PolicyConstant: ExpressibleByArgument {
    private typealias Change = @Sendable (inout EngineConfiguration, Double) -> Void

    private static let changes: [String: Change] = [
        "slow_hours": { $0.drift.skill.slowHours = scaled($0.drift.skill.slowHours, $1) },
        "fast_hours": { $0.drift.skill.fastHours = scaled($0.drift.skill.fastHours, $1) },
        "least_reference": { $0.drift.skill.leastReference *= $1 },
        "fast_gain": { $0.drift.skill.fastGain *= $1 },
        "backoff": { $0.drift.skill.backoff *= $1 },
        "backoff_hours": { $0.drift.skill.backoffHours *= $1 },
        "reference_hours": { $0.drift.skill.referenceHours = scaled($0.drift.skill.referenceHours, $1) },
        "good_share": { $0.drift.skill.goodShare *= $1 },
        "trial_fill": { $0.drift.skill.trialFill = Int((Double($0.drift.skill.trialFill) * $1).rounded()) },
        "trust_hours": { $0.drift.skill.trustHours *= $1 },
        "error_limit": { $0.drift.skill.errorLimit *= $1 },
        "persistence": { $0.drift.persistence = scaled($0.drift.persistence, $1) },
        "severe_persistence": { $0.drift.severePersistence = scaled($0.drift.severePersistence, $1) },
        "severe_excess": {
            let critical = $0.drift.criticalThreshold
            $0.safeguards.breachThreshold = critical + ($0.safeguards.breachThreshold - critical) * $1
        },
        "low_quantile": { $0.quiet.lowQuantile *= $1 },
        "quiet_deadline": { $0.quiet.deadline = scaled($0.quiet.deadline, $1) },
    ]

    static var names: String { changes.keys.sorted().joined(separator: ", ") }

    private let name: String
    private let factor: Double

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, Self.changes[String(parts[0])] != nil, let factor = Double(parts[1]), factor > 0 else {
            return nil
        }
        name = String(parts[0])
        self.factor = factor
    }

    func apply(to configuration: inout EngineConfiguration) { Self.changes[name]!(&configuration, factor) }

    private static func scaled(_ value: Int64, _ factor: Double) -> Int64 { Int64((Double(value) * factor).rounded()) }
}
