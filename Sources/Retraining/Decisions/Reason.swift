/// Why a decision came out as it did. Bounded: safe as a label of a metric.
public enum Reason: String, Sendable, CaseIterable {
    // Before the checks: nothing can be decided.
    case paused
    case catchingUp = "catching_up"
    case noPredictions = "no_predictions"
    case stalledInput = "stalled_input"
    case noBaseline = "no_baseline"
    case insufficientData = "insufficient_data"
    // Holds, in the order of the checks.
    case trainingInProgress = "training_in_progress"
    case verifying
    case minimumInterval = "min_interval"
    case backoff
    case weeklyLimit = "weekly_limit"
    case noDrift = "no_drift"
    /// The score is above the threshold, but not for long enough yet.
    case persistence
    case waitingForQuiet = "waiting_for_quiet"
    case noWindow = "no_window"
    case openRequestLimit = "open_request_limit"
    // Triggers.
    case forcedRefresh = "forced_refresh"
    case driftQuiet = "drift_quiet"
    case slaBreach = "sla_breach"
    case quietDeadline = "quiet_deadline"
    case manual

    /// Triggers that may start a training in high load; each is reported apart.
    public var mayHitHighLoad: Bool {
        switch self {
        case .forcedRefresh, .slaBreach, .quietDeadline, .manual: true
        default: false
        }
    }
}
