import Kafka
import SimulatedLog
import Testing

@testable import Worker

/// The two interleavings that corrupted state on a real cluster, with production workers: nothing but what is named
/// happens, at every checkpoint in turn.
struct InterleavingTests {
    /// Worker 1 dies inside a transaction; worker 2 takes over, commits, restarts, and must not restore only to the last
    /// stable offset.
    @Test(arguments: [ClientCall.sendOffsets, .produce], 1...4)
    func aWorkerDiesInsideATransactionAndAnotherTakesOver(call: ClientCall, number: Int) {
        run(number, "dies at \(call.rawValue) number \(number)", call) { cluster, process in cluster.kill(process) }
    }

    /// The same with a worker that is stopped after it sent its offsets, and goes on when another has taken over.
    @Test(arguments: [7_000, 15_000, 30_000] as [Int64], 1...4)
    func aWorkerIsStoppedAfterItSentItsOffsets(stop: Int64, number: Int) {
        run(number, "is stopped for \(stop) ms after offsets number \(number)", .sendOffsets) { cluster, process in
            cluster.freeze(process, milliseconds: stop)
        }
    }

    private func run(
        _ number: Int, _ name: String, _ call: ClientCall,
        _ befall: @escaping (SimulatedCluster, SimulatedProcess) -> Void
    ) {
        var plan = Plan.hostile(seed: 1)
        plan.faults = .none
        plan.restartRate = 0
        plan.isStatic = false
        plan.options.worker.scale = .single
        plan.options.kafka.transactionTimeoutMilliseconds = 20_000
        plan.options.kafka.sessionTimeoutMilliseconds = 3_000
        let simulation = Simulation(plan)
        var calls = 0
        var victim: SimulatedProcess?
        var second: SimulatedProcess?
        var commits = 0
        simulation.cluster.afterCall = { [unowned simulation] process, made in
            let cluster = simulation.cluster
            if victim == nil {
                guard made == call else { return }
                calls += 1
                guard calls == 4 * number else { return }
                victim = process
                befall(cluster, process)
            } else if process !== victim, made == .commitTransaction, second == nil || process === second {
                second = process
                // Worker 2 has committed behind the open transaction, and starts again.
                commits += 1
                if commits == 2 { cluster.kill(process) }
            }
        }
        let violations = simulation.run()
        #expect(violations.isEmpty, "\(name): \(violations.first ?? "")")
        #expect(commits >= 1, "\(name): worker 2 never took over")
    }
}
