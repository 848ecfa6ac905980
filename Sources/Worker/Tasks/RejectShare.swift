import Contracts
import Kafka
import Retraining

/// What share of the recent records of one input was refused: over the last 1000 to 2000 of them.
struct RejectShare {
    static let block = 1000

    private var before = (records: 0, rejected: 0)
    private var now = (records: 0, rejected: 0)
    /// Whether an alert has been raised.
    var isAlerting = false

    mutating func note(isRejected: Bool) {
        if now.records == Self.block {
            before = now
            now = (0, 0)
        }
        now.records += 1
        if isRejected { now.rejected += 1 }
    }

    /// 0 to 1; nil before a whole block has been seen.
    var share: Double? {
        let records = before.records + now.records
        return records >= Self.block ? Double(before.rejected + now.rejected) / Double(records) : nil
    }
}

extension ActiveTask {
    /// Alerts where an input's rejects rise, and stops where hardly anything of an input can be used.
    func watchRejects() {
        for role in InputRole.allCases {
            guard let share = shares[role.rawValue].share else { continue }
            let percent = Int((100 * share).rounded())
            let topic = inputs.first { $0.role == role }?.partition.topic ?? role.topicWord
            if share > options.input.rejectShareStop {
                failure =
                    "\(percent) % of the last records of \(topic) were refused (\(rejects.summary)), more than "
                    + "limits.reject_share_stop allows: the topic, the producer or field_map is wrong"
            }
            let isAbove = share > options.input.rejectShareLimit
            if isAbove, !shares[role.rawValue].isAlerting {
                shares[role.rawValue].isAlerting = true
                alert(
                    .deadLettersRising, .warning, .raised,
                    "\(percent) % of the last records of \(topic) were refused: \(rejects.summary).")
            } else if share < options.input.rejectShareLimit / 2, shares[role.rawValue].isAlerting {
                shares[role.rawValue].isAlerting = false
                alert(.deadLettersRising, .info, .resolved, "Records of \(topic) are taken again.")
            }
        }
        if let text = misKeyed.news(at: environment.monotonicClock()) {
            alert(.misKeyedProducer, .critical, .raised, text)
        }
    }

    /// What the worker itself has to say, beside what the engine says.
    func alert(_ kind: Alert.Kind, _ severity: Alert.Severity, _ state: Alert.State, _ text: String) {
        let at = engine.streamTime ?? environment.wallClock()
        publish(.alert(Alert(kind: kind, severity: severity, state: state, at: at, text: text)))
        logger.warning("\(name)\(text)")
    }
}

extension InputRole {
    var topicWord: String {
        switch self {
        case .predictions: "predictions"
        case .actuals: "actuals"
        case .load: "load"
        case .trainingStatus: "training-status"
        case .commands: "driftgate-commands"
        }
    }
}
