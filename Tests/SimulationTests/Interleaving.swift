import Kafka
import SimulatedLog

@testable import Worker

/// What befalls production workers at one named moment, and nothing else: a schedule that breaks whoever restores, or
/// publishes, by a rule that is almost right.
struct Interleaving: CustomStringConvertible, Sendable {
    enum Kind: String, CaseIterable, Sendable {
        /// Worker 1 dies inside a transaction that has reached the state topic; worker 2 takes over, commits twice behind
        /// it, and starts again.
        case diesInsideATransaction
        /// Worker 1 is stopped after it sent its offsets and before anything else was sent; worker 2 takes over; worker
        /// 1 goes on. The markers of a transaction arrive at different times.
        case isStoppedAfterItSentItsOffsets
        /// Worker 1 is stopped after it began a transaction; worker 2 takes over and commits; worker 1 goes on.
        case isStoppedBeforeItSendsItsOffsets
        /// Worker 1 is stopped for long; worker 2 takes over, commits twice and dies; worker 1 goes on, and is granted the
        /// partitions again.
        case isStoppedWhileAnotherGoesOn
        /// A worker dies after a commit and starts again.
        case diesAfterACommit
        /// A commit takes effect, and the worker cannot tell.
        case doesNotHearOfItsCommit
        /// A commit is asked for twice; the first request arrives when the worker has sent the offsets of its next
        /// transaction, and it dies.
        case asksTwiceForACommit
    }

    var kind: Kind
    /// At its first call of that kind after so many commits.
    var commits: Int
    /// For how long it is stopped, in milliseconds.
    var stop: Int64 = 0
    var transactionTimeout = 20_000

    var description: String {
        "\(kind.rawValue) after \(commits) commits" + (stop == 0 ? "" : ", for \(stop) ms")
    }

    /// - Parameter change: what is taken out.
    /// - Returns: what was violated, and whether all of it happened.
    func run(_ change: (inout Plan) -> Void = { _ in }) -> (violations: [String], hasHappened: Bool) {
        var plan = Plan.hostile(seed: 1)
        plan.faults = .none
        plan.restartRate = 0
        plan.isStatic = false
        plan.partitions = 1
        plan.workers = kind.isOfOneWorker ? 1 : 2
        plan.options.worker.scale = .single
        plan.options.worker.checkpointInterval = 1_000
        plan.options.worker.snapshotInterval = 10 * .hour
        plan.options.worker.collectedBytesMax = 512 << 20
        plan.options.kafka.transactionTimeoutMilliseconds = transactionTimeout
        plan.options.kafka.sessionTimeoutMilliseconds = 3_000
        change(&plan)
        let simulation = Simulation(plan)
        let schedule = Schedule(self, simulation, TopicPartition(plan.options.topics.state, 0))
        simulation.cluster.afterCall = { process, call in schedule.note(call, of: process) }
        return (simulation.run(), schedule.hasHappened)
    }
}

extension Interleaving.Kind {
    var isOfOneWorker: Bool {
        [.diesAfterACommit, .doesNotHearOfItsCommit, .asksTwiceForACommit].contains(self)
    }
}

/// Watches the calls of all workers, and acts at the named moment.
private final class Schedule {
    private let interleaving: Interleaving
    private unowned let simulation: Simulation
    private var cluster: SimulatedCluster { simulation.cluster }
    private let state: TopicPartition
    private var victim: SimulatedProcess?
    private var victimsCommits = 0
    private var second: SimulatedProcess?
    private var secondsCommits = 0

    init(_ interleaving: Interleaving, _ simulation: Simulation, _ state: TopicPartition) {
        self.interleaving = interleaving
        self.simulation = simulation
        self.state = state
    }

    var hasHappened: Bool {
        // Who is stopped for less may be back before another has taken over.
        let isTakenOver = interleaving.stop == 0 || interleaving.stop >= 8_000
        return victim != nil && (interleaving.kind.isOfOneWorker || secondsCommits > 0 || !isTakenOver)
    }

    func note(_ call: ClientCall, of process: SimulatedProcess) {
        guard victim != nil else { return awaitMoment(call, process) }
        guard process !== victim, call == .commitTransaction, second == nil || second === process else { return }
        second = process
        secondsCommits += 1
        guard secondsCommits == 2 else { return }
        switch interleaving.kind {
        case .diesInsideATransaction: cluster.kill(process)
        case .isStoppedWhileAnotherGoesOn:
            simulation.slots.first { $0.process === process }?.isAbandoned = true
            cluster.kill(process)
        default: break
        }
    }

    private func awaitMoment(_ call: ClientCall, _ process: SimulatedProcess) {
        if call == .commitTransaction { victimsCommits += 1 }
        guard victimsCommits >= interleaving.commits else { return }
        // What is sent in the background from here on is part of the schedule.
        switch interleaving.kind {
        case .diesInsideATransaction:
            cluster.sendRate = 1
            let isOpen = cluster.watermarks(of: state, .readCommitted).high < cluster.watermarks(of: state).high
            if call == .produce, isOpen { strike(process) { cluster.kill(process) } }
        case .isStoppedAfterItSentItsOffsets:
            cluster.sendRate = 0
            cluster.faults[.lateMarkers] = 1
            if call == .sendOffsets { strike(process, freeze) }
        case .isStoppedBeforeItSendsItsOffsets:
            cluster.sendRate = 0
            if call == .beginTransaction { strike(process, freeze) }
        case .isStoppedWhileAnotherGoesOn:
            if call == .commitTransaction { strike(process, freeze) }
        case .doesNotHearOfItsCommit:
            if call == .sendOffsets { strike(process) { cluster.nextLostCommit = .tookEffect } }
        case .asksTwiceForACommit:
            cluster.sendRate = 0
            guard call == .sendOffsets else { break }
            guard let straggler = cluster.straggler else {
                cluster.nextLostCommit = .straggles
                break
            }
            strike(process) {
                straggler()
                cluster.kill(process)
            }
        case .diesAfterACommit:
            if call == .commitTransaction { strike(process) { cluster.kill(process) } }
        }

        func freeze() { cluster.freeze(process, milliseconds: interleaving.stop) }
    }

    private func strike(_ process: SimulatedProcess, _ act: () -> Void) {
        victim = process
        act()
    }
}
