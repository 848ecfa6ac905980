import Testing

@testable import Retraining

/// The order of the checks: of any two that apply together the earlier one gives the reason, and the evidence holds
/// all of them. Design, section 6.
@Suite struct CheckOrderTests {
    /// What may apply at once; turned into a deliberation together, so that ledger and signal hold all of it.
    struct Situation: OptionSet, Sendable {
        let rawValue: Int
        static let paused = Situation(rawValue: 1 << 0)
        static let catchingUp = Situation(rawValue: 1 << 1)
        static let noPredictions = Situation(rawValue: 1 << 2)
        static let stalledInput = Situation(rawValue: 1 << 3)
        static let noBaseline = Situation(rawValue: 1 << 4)
        static let insufficientData = Situation(rawValue: 1 << 5)
        static let trainingInProgress = Situation(rawValue: 1 << 6)
        static let minimumInterval = Situation(rawValue: 1 << 7)
        static let backoff = Situation(rawValue: 1 << 8)
        static let forcedRefresh = Situation(rawValue: 1 << 9)
        static let weeklyLimit = Situation(rawValue: 1 << 10)
        static let noDrift = Situation(rawValue: 1 << 11)
        static let persistence = Situation(rawValue: 1 << 12)
        static let openRequestLimit = Situation(rawValue: 1 << 13)
        static let driftQuiet = Situation(rawValue: 1 << 14)
        static let waitingForQuiet = Situation(rawValue: 1 << 15)
        static let slaBreach = Situation(rawValue: 1 << 16)
        static let manual = Situation(rawValue: 1 << 17)
        static let verifying = Situation(rawValue: 1 << 18)
    }

    /// In the order of the design.
    private static let order: [(situation: Situation, reason: Reason)] = [
        (.paused, .paused), (.catchingUp, .catchingUp), (.noPredictions, .noPredictions),
        (.stalledInput, .stalledInput), (.noBaseline, .noBaseline), (.insufficientData, .insufficientData),
        (.trainingInProgress, .trainingInProgress), (.verifying, .verifying), (.minimumInterval, .minimumInterval),
        (.backoff, .backoff), (.forcedRefresh, .forcedRefresh), (.weeklyLimit, .weeklyLimit), (.noDrift, .noDrift),
        (.persistence, .persistence), (.openRequestLimit, .openRequestLimit), (.driftQuiet, .driftQuiet),
        (.waitingForQuiet, .waitingForQuiet), (.slaBreach, .slaBreach),
    ]

    /// Pairs that exclude each other: no drift cannot have lasted for some time or be a breach, a model that says
    /// nothing at all does not wait for actuals.
    private static let exclusive: [Situation] = [
        [.noPredictions, .stalledInput], [.noDrift, .persistence], [.noDrift, .slaBreach],
        // A refresh waits for a free place among the open requests.
        [.forcedRefresh, .openRequestLimit],
        // A refresh needs no score: a series that never gives one is refreshed all the same.
        [.insufficientData, .forcedRefresh],
        // What may trigger while a training is verified does, and the rest is not asked for: a test of its own.
        [.verifying, .forcedRefresh], [.verifying, .slaBreach], [.verifying, .driftQuiet],
        [.verifying, .waitingForQuiet],
    ]

    private static let now = monday + 12 * .hour

    private static func ledger(_ situation: Situation) -> TrainingLedger {
        var ledger = TrainingLedger()
        var number = 0
        func add(_ status: TrainingStatusRecord.Status?, hoursAgo: Double) {
            number += 1
            let time = now - Milliseconds(hoursAgo * 3_600_000)
            ledger.begin(
                requestID: "rt-\(number)", reason: .driftQuiet, at: time, deadline: time + .day, isObserved: false)
            guard let status else { return }
            _ = ledger.apply(TrainingStatusRecord(requestID: "rt-\(number)", status: status), at: time)
        }
        ledger.firstSeen = now - 40 * .day
        if situation.contains(.weeklyLimit) { for days in [6.0, 5, 4] { add(.succeeded, hoursAgo: days * 24) } }
        if situation.contains(.minimumInterval) { add(.succeeded, hoursAgo: 5) }
        if situation.contains(.backoff) { add(.failed, hoursAgo: 0.5) }
        if situation.contains(.trainingInProgress) { add(nil, hoursAgo: 0.25) }
        return ledger
    }

    private static func deliberation(_ situation: Situation) -> Deliberation {
        let drift = DriftConfiguration()
        var safeguards = SafeguardConfiguration()
        // Old enough in any company: the last training of any situation is 5 h old at least.
        safeguards.maximumAge = situation.contains(.forcedRefresh) ? 4 * .hour : 1000 * .day
        var deliberation = Deliberation(
            now: now, mode: .act, safeguards: safeguards, ledger: ledger(situation), quietRule: .absolute,
            load: LoadEvidence(
                score: 0.5, form: .cpuOnly, machines: 1, isQuiet: false, incident: false, profileHours: 0))
        let score = situation.contains(.noDrift) ? 0.05 : situation.contains(.slaBreach) ? 0.13 : 0.11
        deliberation.signal = .of(score, drift)
        deliberation.isPaused = situation.contains(.paused)
        deliberation.lag = situation.contains(.catchingUp) ? 16 * .minute : .minute
        deliberation.lastPrediction = now - (situation.contains(.noPredictions) ? 24 * .hour : .minute)
        deliberation.lastActual = now - (situation.contains(.stalledInput) ? 24 * .hour : .minute)
        deliberation.needsBaseline = true
        deliberation.baselineVersion = situation.contains(.noBaseline) ? nil : 1
        deliberation.hasEnoughData = !situation.contains(.insufficientData)
        if situation.contains(.persistence) {
            deliberation.persistence = 6 * .hour
            deliberation.severePersistence = 3 * .hour
            deliberation.evaluationsAbove = 12
            deliberation.signal?.aboveSince = now - .hour
        }
        deliberation.openRequests = situation.contains(.openRequestLimit) ? safeguards.maximumOpenRequests : 0
        deliberation.isVerifying = situation.contains(.verifying)
        deliberation.isQuietNow = situation.contains(.driftQuiet)
        if situation.contains(.waitingForQuiet) {
            deliberation.load.nextWindow = QuietWindow(from: now + 2 * .hour, to: now + 5 * .hour)
        }
        if situation.contains(.manual) { deliberation.manual = CommandRecord(kind: .request, model: "m") }
        return deliberation
    }

    @Test(arguments: order.indices)
    func `A check that applies alone decides`(index: Int) {
        let (situation, reason) = Self.order[index]
        #expect(Self.deliberation(situation).conclude().reason == reason)
    }

    @Test func `Where nothing applies there is no window`() {
        let conclusion = Self.deliberation([]).conclude()
        #expect(conclusion.reason == .noWindow)
        #expect(conclusion.outcome == .hold)
    }

    @Test func `Of any two the earlier one decides`() {
        for (position, earlier) in Self.order.enumerated() {
            for later in Self.order[(position + 1)...] {
                let both = earlier.situation.union(later.situation)
                guard !Self.exclusive.contains(both) else { continue }
                let conclusion = Self.deliberation(both).conclude()
                #expect(
                    conclusion.reason == earlier.reason,
                    "\(earlier.reason.rawValue) and \(later.reason.rawValue) gave \(conclusion.reason.rawValue)")
                // The evidence shows that the later one would have decided as well.
                let check = conclusion.checks.first { $0.reason == later.reason }
                #expect(
                    check?.answer == .hold || check?.answer == .trigger,
                    "\(later.reason.rawValue) is not in the evidence beside \(earlier.reason.rawValue)")
            }
        }
    }

    @Test func `Every check is in the evidence, in the order of asking, once`() {
        for (situation, _) in Self.order {
            let reasons = Self.deliberation(situation).conclude().checks.map(\.reason)
            let expected = Self.order.map(\.reason) + [.noWindow]
            #expect(reasons.filter { expected.contains($0) } == expected)
            #expect(Set(reasons).count == reasons.count)
        }
    }

    @Test func `All together: the first of all decides`() {
        let everything = Self.order.map(\.situation).reduce(Situation()) { $0.union($1) }
        #expect(Self.deliberation(everything).conclude().reason == .paused)
    }

    @Test func `A manual request comes after pause and open request, and before all else`() {
        for (situation, reason) in Self.order {
            let expected = [.paused, .trainingInProgress].contains(reason) ? reason : .manual
            #expect(Self.deliberation(situation.union(.manual)).conclude().reason == expected)
        }
    }

    @Test func `While a training is verified only a forced refresh and a breach trigger`() {
        func reason(_ situation: Situation) -> Reason {
            Self.deliberation(situation.union(.verifying)).conclude().reason
        }
        #expect(reason(.driftQuiet) == .verifying)
        #expect(reason(.waitingForQuiet) == .verifying)
        #expect(reason([]) == .verifying)
        #expect(reason(.slaBreach) == .slaBreach)
        #expect(reason(.forcedRefresh) == .forcedRefresh)
        #expect(reason(.manual) == .manual)
        for held in [Situation.noDrift, .minimumInterval, .backoff, .weeklyLimit, .persistence, .openRequestLimit] {
            #expect(reason(held) == .verifying)
            guard held != .noDrift else { continue }
            #expect(reason(held.union(.slaBreach)) == .verifying, "what holds a breach back holds it back now")
        }
        #expect(reason([.backoff, .forcedRefresh]) == .verifying)
        #expect(reason(.trainingInProgress) == .trainingInProgress)
    }

    @Test func `The end of the wait for quiet does not end the trial of a version`() {
        func conclusion(isVerifying: Bool) -> Deliberation.Conclusion {
            var deliberation = Self.deliberation([])
            deliberation.quietRule = .adaptive
            deliberation.wantedSince = Self.now - 3 * .day
            deliberation.isVerifying = isVerifying
            return deliberation.conclude()
        }
        #expect(conclusion(isVerifying: false).reason == .quietDeadline)
        #expect(conclusion(isVerifying: true).reason == .verifying)
    }

    @Test func `Safeguard holds have confidence 0, drift holds the signal's, no drift 1 - score`() {
        for (situation, reason) in Self.order {
            let conclusion = Self.deliberation(situation).conclude()
            switch reason {
            case .forcedRefresh: #expect(conclusion.confidence == 1)
            case .noDrift: #expect(close(conclusion.confidence, 0.95))
            case .slaBreach: #expect(close(conclusion.confidence, 0.13 / 0.15))
            case .persistence, .openRequestLimit, .driftQuiet, .waitingForQuiet:
                #expect(close(conclusion.confidence, 0.11 / 0.15))
            default: #expect(conclusion.confidence == 0, "\(reason.rawValue)")
            }
        }
    }

    @Test func `Triggers and priorities`() {
        for (situation, reason) in Self.order {
            let conclusion = Self.deliberation(situation).conclude()
            let triggers: [Reason: Priority] = [
                .forcedRefresh: .high, .driftQuiet: .normal, .slaBreach: .critical,
            ]
            #expect((conclusion.outcome == .trigger) == (triggers[reason] != nil))
            #expect(conclusion.priority == triggers[reason] ?? .normal)
        }
    }

    @Test func `What waits says until when`() {
        func waitUntil(_ situation: Situation) -> Milliseconds? { Self.deliberation(situation).conclude().waitUntil }
        #expect(waitUntil(.minimumInterval) == Self.now + .hour)
        #expect(waitUntil(.backoff) == Self.now + 30 * .minute)
        #expect(waitUntil(.weeklyLimit) == Self.now + .day)
        #expect(waitUntil(.waitingForQuiet) == Self.now + 2 * .hour)
        #expect(waitUntil(.persistence) == Self.now + 5 * .hour)
        #expect(waitUntil(.noDrift) == nil)
        #expect(waitUntil([]) == nil)
    }

    @Test func `Reasons that may hit high load are these four`() {
        let hit = Reason.allCases.filter(\.mayHitHighLoad)
        #expect(Set(hit) == [.quietDeadline, .slaBreach, .forcedRefresh, .manual])
    }
}
