import Retraining

/// What was measured, at the end of the simulated story.
struct Summary {
    let story: Story
    let ledger: AccuracyLedger
    let comparison: ScheduleComparison
    let fixed: [ScheduleComparison.Result]
    let decisions: Int

    private var timeline: Timeline { story.timeline }

    var lines: [String] {
        [""] + figures + [""] + Format.table(rows) + [
            "High load: above the 75th percentile of the 14 days before. Errors: mean |predicted − actual| / actual."
        ]
    }

    /// How the worker's own run compares.
    var measured: ScheduleComparison.Result {
        ScheduleComparison.Result(
            name: "driftgate", trainings: Double(story.trainings.count),
            meanError: ledger.meanError(from: timeline.servedFrom, to: timeline.end) ?? .nan,
            meanErrorAfterChange: ledger.meanError(from: timeline.changeAt, to: timeline.end) ?? .nan,
            trainingsInHighLoad: Double(story.trainings.count { comparison.isHighLoad(at: $0.requestedAt) }))
    }

    private var figures: [String] {
        var lines = ["\(decisions) decisions, \(story.trainings.count) trainings"]
        for training in story.trainings {
            lines.append(
                "  requested \(timeline.label(training.requestedAt)) (\(training.reason)), load "
                    + "\(Format.load(training.load)), version \(training.version ?? "none")")
        }
        lines.append("change of workload       \(timeline.label(timeline.changeAt))")
        lines.append("drift seen after         \(span(from: timeline.changeAt, to: story.driftSeenAt))")
        let asked = story.trainings.first { $0.requestedAt >= timeline.changeAt }?.requestedAt
        lines.append("wait for quiet           \(span(from: story.waitingSince ?? asked, to: asked))")
        lines.append("change to request        \(span(from: timeline.changeAt, to: asked))")
        let before = percent(timeline.servedFrom, timeline.changeAt)
        if let deployed = story.trainings.first(where: { $0.requestedAt >= timeline.changeAt })?.succeededAt {
            lines.append(
                "accuracy                 \(before) before the change, "
                    + "\(percent(timeline.changeAt, deployed)) from there "
                    + "to the training, \(percent(deployed, timeline.end)) after it")
        } else {
            lines.append(
                "accuracy                 \(before) before the change, "
                    + "\(percent(timeline.changeAt, timeline.end)) after it: "
                    + "nothing was trained")
        }
        return lines
    }

    private var rows: [[String]] {
        [["policy", "trainings", "mean error", "after the change", "in high load"]]
            + ([measured] + fixed).map { result in
                [
                    result.name, Format.count(result.trainings), Format.percent(result.meanError),
                    Format.percent(result.meanErrorAfterChange), Format.count(result.trainingsInHighLoad),
                ]
            }
    }

    private func percent(_ from: Milliseconds, _ to: Milliseconds) -> String {
        Format.percent(ledger.accuracy(from: from, to: to))
    }

    private func span(from: Milliseconds?, to: Milliseconds?) -> String {
        guard let from, let to else { return "–" }
        return Format.duration(max(0, to - from))
    }
}
