/// The trial of a new version: whether the training helped.
///
/// A quarter of retrainings make a real model worse. From the new version's first prediction on, it is held against
/// the one that it replaced on the same forecasts; where the old one does not go on predicting, its loss of skill
/// against the shadow forecaster is compared with the old one's. Looked at from 24 h on, every 6 h; decided after 71 h,
/// while a trainer still keeps the old version.
struct Verification: Equatable {
    static let firstLook: Milliseconds = 24 * .hour
    static let step: Milliseconds = 6 * .hour
    static let end: Milliseconds = 71 * .hour
    /// Worse by this while it runs, or by the smaller one at its end, is regressed.
    static let regressedAbove = 1.10
    static let regressedAtEnd = 1.02
    /// Better by as much at its end is improved.
    static let improvedBelow = 0.98

    var newVersion: Int32
    var oldVersion: Int32
    var since: Milliseconds
    var requestID: String?
    /// G of the old version when it was replaced.
    var oldRatio: Double?
    /// Steps of age that have been looked at.
    var looks: Int64 = 0
    /// Whether the new version has been ahead so far.
    var isAhead = false
    /// Whether the first look found no forecast of the old version beside it. Told anew at every look.
    var isAlone = false

    /// A trial that ended before it was judged, since another version came to serve.
    struct Superseded {
        var trial: Verification
        var successor: Int32
        /// Of what had been compared by then; nil for nothing.
        var ratio: Double?
        var pairs: Int
    }

    enum Step: Equatable { case undecided, decided(Verdict.Outcome, ratio: Double, againstShadow: Bool) }

    /// One evaluation's look.
    mutating func look(now: Milliseconds, comparison: VersionComparison, newRatio: Double?) -> Step {
        let age = now - since
        let direct = comparison.ratio(now: now.flooredDivision(by: .hour))
        isAhead = direct.map { $0 < 1 } ?? false
        isAlone = direct == nil && age >= Self.firstLook
        let isEnd = age >= Self.end
        guard age >= Self.firstLook, isEnd || age / Self.step > looks else { return .undecided }
        looks = age / Self.step
        if let direct {
            if direct > (isEnd ? Self.regressedAtEnd : Self.regressedAbove) {
                return .decided(.regressed, ratio: direct, againstShadow: false)
            }
            guard isEnd else { return .undecided }
            return .decided(direct < Self.improvedBelow ? .improved : .neutral, ratio: direct, againstShadow: false)
        }
        guard isEnd else { return .undecided }
        guard let oldRatio, let newRatio, oldRatio > 0 else { return .decided(.neutral, ratio: 1, againstShadow: true) }
        let ratio = newRatio / oldRatio
        // Two ratios of different days are a coarser measure than the same forecasts side by side.
        let outcome: Verdict.Outcome =
            ratio > Self.regressedAbove ? .regressed : ratio < 1 / Self.regressedAbove ? .improved : .neutral
        return .decided(outcome, ratio: ratio, againstShadow: true)
    }
}
