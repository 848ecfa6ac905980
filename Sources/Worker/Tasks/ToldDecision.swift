import Retraining

/// What the last decision about a model said, as far as `decisions: changes` asks: the reason of a hold, and which
/// baseline it was held against. A freeze or a new baseline is told even where the reason stays.
struct ToldDecision: Equatable {
    var reason: Reason
    /// 0 for none.
    var baselineVersion: Int
    var isBaselineFrozen: Bool

    init(_ decision: Decision) {
        reason = decision.reason
        baselineVersion = decision.history.baselineVersion ?? 0
        isBaselineFrozen = decision.history.isBaselineFrozen
    }

    /// `no_drift 3 frozen`; states of older versions hold the reason alone.
    var text: String { "\(reason.rawValue) \(baselineVersion)\(isBaselineFrozen ? " frozen" : "")" }

    /// Nil for a reason that this version does not know.
    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard let first = words.first, let reason = Reason(rawValue: String(first)) else { return nil }
        self.reason = reason
        baselineVersion = words.count > 1 ? Int(words[1]) ?? 0 : 0
        isBaselineFrozen = words.last == "frozen"
    }
}
