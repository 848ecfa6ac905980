import Kafka
import Logging
import Retraining
import SimulatedLog

@testable import Worker

/// A place where a worker runs under a supervisor that starts it again.
final class WorkerSlot {
    let name: String
    private let simulation: Simulation
    private(set) var process: SimulatedProcess
    private(set) var worker: Worker?
    private var hasStarted = false
    private var starts = 0
    /// The supervisor waits until then.
    private var restartAt: Int64 = 0
    /// Another process has taken this place, and this one is not started again.
    var isAbandoned = false

    init(_ name: String, _ simulation: Simulation) {
        self.name = name
        self.simulation = simulation
        process = simulation.cluster.process("\(name).0")
        process = nextProcess()
    }

    private func nextProcess() -> SimulatedProcess {
        starts += 1
        return simulation.cluster.process("\(name).\(starts)")
    }

    /// Whether it can be given a turn.
    var isRunnable: Bool { !process.isBlocked && !(isAbandoned && worker == nil) }

    /// One turn of the worker, or of its supervisor.
    func step() {
        guard isRunnable else { return }
        guard let worker else { return startIfDue() }
        do {
            if hasStarted {
                if let ending = try worker.step() { end(worker, ending) }
            } else {
                hasStarted = true
                try worker.start()
            }
        } catch {
            fail(worker, error)
        }
        if process.isDead { self.worker = nil }
    }

    private func startIfDue() {
        guard simulation.cluster.clock.now >= restartAt else { return }
        if process.isDead { process = nextProcess() }
        hasStarted = false
        do {
            worker = try Worker(
                options: simulation.options(of: name), environment: environment(process), logger: simulation.logger)
        } catch {
            simulation.report("a worker could not be made: \(error)")
        }
    }

    private func environment(_ process: SimulatedProcess) -> WorkerEnvironment {
        let cluster = simulation.cluster
        let world: World = simulation.world
        return WorkerEnvironment(
            makeConsumer: { configuration throws(KafkaError) in cluster.consumer(configuration, of: process) },
            makeProducer: { configuration throws(KafkaError) in cluster.producer(configuration, of: process) },
            wallClock: { world.wallClock }, monotonicClock: { cluster.monotonicTime(of: process) },
            identity: process.name, pause: { cluster.block(process, milliseconds: Int64($0)) })
    }

    private func end(_ worker: Worker, _ ending: Worker.Ending) {
        simulation.note("\(process.name) ends: \(ending)")
        leave(worker)
    }

    private func fail(_ worker: Worker, _ error: any Error) {
        guard !process.isDead else { return }
        simulation.note("\(process.name) fails: \(error)")
        // Offsets and state were committed together: that they do not fit must never be seen.
        if error is RestoreError { simulation.report("\(process.name): \(error)") }
        leave(worker)
    }

    private func leave(_ worker: Worker) {
        worker.close()
        simulation.cluster.kill(process)
        self.worker = nil
        restartAt = simulation.cluster.clock.now + simulation.schedule.number(in: 100...4_000)
    }

    /// `kill -9` from outside.
    func kill() {
        simulation.cluster.kill(process)
        guard !process.isBlocked else { return }
        worker = nil
        restartAt = simulation.cluster.clock.now + simulation.schedule.number(in: 0...4_000)
    }

    /// A clean stop, as for a new version.
    func requestStop() { worker?.requestStop() }
}
