import SimulatedLog
import Testing

@testable import Worker

/// Interleavings that corrupt state where one rule is missing: production workers come through, and without the rule they
/// do not. The first two are those that did so on a real cluster.
struct InterleavingTests {
    static let all: [Interleaving] =
        [.diesInsideATransaction, .diesAfterACommit, .doesNotHearOfItsCommit, .asksTwiceForACommit].flatMap { kind in
            [3, 7].map { Interleaving(kind: kind, commits: $0) }
        }
        + stopped(.isStoppedAfterItSentItsOffsets, [4_000, 6_000, 30_000])
        + [Interleaving(kind: .isStoppedAfterItSentItsOffsets, commits: 3, stop: 9_000, transactionTimeout: 3_000)]
        + stopped(.isStoppedBeforeItSendsItsOffsets, [8_000])
        + stopped(.isStoppedWhileAnotherGoesOn, [12_000])

    private static func stopped(_ kind: Interleaving.Kind, _ stops: [Int64]) -> [Interleaving] {
        stops.flatMap { stop in [3, 7].map { Interleaving(kind: kind, commits: $0, stop: stop) } }
    }

    @Test(arguments: all) func nothingIsLostAndNothingIsDoubled(interleaving: Interleaving) {
        let run = interleaving.run()
        #expect(run.violations.isEmpty, "\(interleaving): \(run.violations.first ?? "")")
        #expect(run.hasHappened, "\(interleaving): it did not come to that")
    }

    /// A rule that is taken out, and the interleaving that then corrupts state.
    static let wrongRules: [(Set<Sabotage>, Interleaving.Kind)] = [
        ([.endOffsetReadCommitted], .diesInsideATransaction),
        ([.endOffsetBeforeCommittedOffsets], .isStoppedAfterItSentItsOffsets),
        ([.groupMetadataOfNonMember], .isStoppedBeforeItSendsItsOffsets),
        ([.ignoreCommittedToken], .isStoppedWhileAnotherGoesOn),
        ([.skipRewind], .diesAfterACommit),
        ([.keepStateAfterUnknownOutcome], .doesNotHearOfItsCommit),
        ([.keepProducerAfterRepeat], .asksTwiceForACommit),
    ]

    @Test(arguments: wrongRules) func withoutItsRuleItShows(sabotage: Set<Sabotage>, kind: Interleaving.Kind) {
        expectViolation("\(sabotage)", kind) { $0.options.sabotage = sabotage }
    }

    @Test(arguments: [
        (BrokenBroker.ignoresEpochs, Interleaving.Kind.isStoppedAfterItSentItsOffsets),
        (.ignoresGenerations, .isStoppedBeforeItSendsItsOffsets),
    ])
    func aBrokerThatBreaksItsPromiseShows(broken: BrokenBroker, kind: Interleaving.Kind) {
        expectViolation("\(broken)", kind) { $0.broken = [broken] }
    }

    /// The check that offsets and state belong together is the last of several protections: with the others in place it
    /// never finds anything. Without it, what it would have stopped is published.
    @Test func thePositionCheckStopsWhatOtherRulesLetThrough() {
        for interleaving in Self.all where interleaving.kind == .diesInsideATransaction {
            let alone = interleaving.run { $0.options.sabotage = [.skipPositionCheck] }
            #expect(alone.violations.isEmpty, "\(interleaving): \(alone.violations.first ?? "")")
            let stopped = interleaving.run { $0.options.sabotage = [.endOffsetReadCommitted] }
            #expect(
                stopped.violations.allSatisfy { $0.contains("does not belong to the offsets") },
                "\(interleaving): \(stopped.violations)")
        }
        let published = Self.all.filter { $0.kind == .diesInsideATransaction }.flatMap { interleaving in
            interleaving.run { $0.options.sabotage = [.skipPositionCheck, .endOffsetReadCommitted] }.violations
        }
        #expect(published.contains { !$0.contains("does not belong to the offsets") }, "\(published)")
    }

    private func expectViolation(_ name: String, _ kind: Interleaving.Kind, _ change: (inout Plan) -> Void) {
        for interleaving in Self.all where interleaving.kind == kind {
            if let violation = interleaving.run(change).violations.first {
                return print("\(name), \(interleaving): \(violation.prefix(200))")
            }
        }
        Issue.record("\(name) is not noticed when a worker \(kind.rawValue)")
    }
}
