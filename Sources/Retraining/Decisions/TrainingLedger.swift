/// The trainings of one model: what was asked, what is open, how it ended, and what that means for the next one.
///
/// States: requested → accepted → started → succeeded | failed | cancelled | rejected | expired. The last five are
/// terminal and stick; repeated and disordered statuses change nothing.
struct TrainingLedger: Sendable, Equatable {
    enum State: String, Sendable {
        case requested, accepted, started
        case succeeded, failed, cancelled, rejected, expired
        /// Decided in observe mode: nobody was asked.
        case observed

        var isOpen: Bool { self == .requested || self == .accepted || self == .started }
    }

    struct Training: Sendable, Equatable {
        var requestID: String
        var reason: Reason
        var requestedAt: Milliseconds
        var deadline: Milliseconds
        var state: State = .requested
        var attempt = 1
        var sentAt: Milliseconds
        /// Whether the trainer ever said that it began.
        var hasStarted = false
        var endedAt: Milliseconds?
        var modelVersion: String?
        /// Set once a prediction of the new version was seen, or the absence was reported.
        var deploymentSettled = false
    }

    /// How a status changed things.
    enum Change: Equatable {
        case accepted, started, succeeded, failed, cancelled, rejected
        /// Known request, nothing new: a duplicate, disorder, or a status after the end.
        case none
        /// No request of this id.
        case unknown
    }

    var trainings: [Training] = []
    var failuresInARow = 0
    var lastFailure: Milliseconds?
    /// The first prediction seen: stands in for the last training while none is known.
    var firstSeen: Milliseconds?

    /// Kept so long after its end that the rolling week and every late status find it.
    private static let memory: Milliseconds = 40 * .day

    var open: Training? { trainings.last(where: { $0.state.isOpen }) }

    /// When the model was last trained, and whether that is only assumed.
    var lastTraining: (at: Milliseconds, isAssumed: Bool)? {
        let done = trainings.last { $0.state == .succeeded || $0.state == .observed }
        if let done { return (done.endedAt ?? done.requestedAt, false) }
        return firstSeen.map { ($0, true) }
    }

    /// The last request that counts for the minimum interval: open and succeeded ones, from request time.
    var lastCounting: Training? {
        trainings.last { $0.state.isOpen || $0.state == .succeeded || $0.state == .observed }
    }

    /// Trainings that count against the weekly limit, oldest first: all but the rejected and those cancelled before
    /// they started. A failed one has cost GPU time.
    func counting(after time: Milliseconds) -> [Training] {
        trainings.filter { training in
            guard training.requestedAt > time else { return false }
            switch training.state {
            case .rejected: return false
            case .cancelled: return training.hasStarted
            default: return true
            }
        }
    }

    /// Until when failures hold the next training back; nil without failures.
    func backoffUntil(_ safeguards: SafeguardConfiguration) -> Milliseconds? {
        guard let lastFailure, failuresInARow > 0 else { return nil }
        var wait = safeguards.firstBackoff
        for _ in 1..<max(1, min(failuresInARow, 32)) where wait < safeguards.longestBackoff { wait *= 2 }
        return lastFailure + min(wait, safeguards.longestBackoff)
    }

    mutating func begin(
        requestID: String, reason: Reason, at now: Milliseconds, deadline: Milliseconds, isObserved: Bool
    ) {
        var training = Training(
            requestID: requestID, reason: reason, requestedAt: now, deadline: deadline, sentAt: now)
        if isObserved {
            training.state = .observed
            training.endedAt = now
            training.deploymentSettled = true
        }
        trainings.append(training)
        trainings.removeAll { !$0.state.isOpen && ($0.endedAt ?? $0.requestedAt) < now - Self.memory }
    }

    mutating func apply(_ status: TrainingStatusRecord, at time: Milliseconds) -> Change {
        guard let index = trainings.lastIndex(where: { $0.requestID == status.requestID }) else { return .unknown }
        guard trainings[index].state.isOpen else { return .none }
        switch status.status {
        case .accepted:
            guard trainings[index].state == .requested else { return .none }
            trainings[index].state = .accepted
            return .accepted
        case .started, .progress:
            guard trainings[index].state != .started else { return .none }
            trainings[index].state = .started
            trainings[index].hasStarted = true
            return .started
        case .succeeded:
            trainings[index].modelVersion = status.modelVersion
            end(index, .succeeded, at: time)
            return .succeeded
        case .failed:
            end(index, .failed, at: time)
            return .failed
        case .cancelled:
            end(index, .cancelled, at: time)
            return .cancelled
        case .rejected:
            end(index, .rejected, at: time)
            return .rejected
        }
    }

    mutating func cancelOpen(at time: Milliseconds) -> Training? {
        guard let index = trainings.lastIndex(where: { $0.state.isOpen }) else { return nil }
        end(index, .cancelled, at: time)
        return trainings[index]
    }

    mutating func expireOpen(at time: Milliseconds) -> Training? {
        guard let index = trainings.lastIndex(where: { $0.state.isOpen && $0.deadline <= time }) else { return nil }
        end(index, .expired, at: time)
        return trainings[index]
    }

    /// Treats an open request as trained: for installations whose trainers do not answer.
    mutating func assumeTrained(at time: Milliseconds) -> Training? {
        guard let index = trainings.lastIndex(where: { $0.state.isOpen }) else { return nil }
        trainings[index].hasStarted = true
        end(index, .succeeded, at: time)
        return trainings[index]
    }

    /// Counts one more sending of the open request.
    mutating func resend(at time: Milliseconds) -> Training? {
        guard let index = trainings.lastIndex(where: { $0.state == .requested }) else { return nil }
        trainings[index].attempt += 1
        trainings[index].sentAt = time
        return trainings[index]
    }

    mutating func settleDeployment(of requestID: String) {
        guard let index = trainings.lastIndex(where: { $0.requestID == requestID }) else { return }
        trainings[index].deploymentSettled = true
    }

    private mutating func end(_ index: Int, _ state: State, at time: Milliseconds) {
        trainings[index].state = state
        trainings[index].endedAt = time
        switch state {
        case .succeeded:
            failuresInARow = 0
            lastFailure = nil
        // A refusal or a cancellation holds the next one off as well, or it would be asked for at once again.
        case .failed, .expired, .rejected, .cancelled:
            failuresInARow += 1
            lastFailure = time
        default: break
        }
    }
}
