import Kafka
import SimulatedLog
import Testing

/// Everything at once: if the log keeps its promises, a correct client copies each record exactly once whatever happens;
/// if it breaks one, that shows.
struct CopierTests {
    static let faults = FaultRates([
        .crash: 0.01, .freeze: 0.01, .retriableError: 0.02, .abortableError: 0.02, .fatalError: 0.003,
        .lostResponse: 0.02, .outage: 0.002, .rebalance: 0.01, .slowPartition: 0.01, .clockJump: 0.005,
        .partialFill: 0.5, .lateMarkers: 0.2, .delayedCommit: 0.2,
    ])

    private func run(
        seed: UInt64, faults: FaultRates = Self.faults, broken: Set<BrokenBroker> = [], isRecording: Bool = false
    ) -> (cluster: SimulatedCluster, faults: [Fault: Int]) {
        let trace = Trace(isRecording: isRecording)
        let cluster = SimulatedCluster(
            seed: seed, topics: [SimulatedTopic("in", partitions: 2), SimulatedTopic("out")], faults: faults,
            trace: trace)
        cluster.broken = broken
        var struck: [Fault: Int] = [:]
        cluster.onFault = { _, _, fault in struck[fault, default: 0] += 1 }
        var random = SeededGenerator(seed: seed ^ 0xC0FFEE)
        var restarts = 0
        var copiers: [Copier] = []
        for name in ["a", "b"] { copiers.append(Copier(cluster, name, restart: 0)) }
        func stepOne() {
            let index = random.number(in: 0...1)
            let copier = copiers[index]
            if copier.process.isBlocked {
                // A supervisor may take a stopped process for dead.
                if copier.process.isFrozen, random.chance(0.01) { replace(index) }
            } else if copier.process.isDead || copier.hasEnded {
                if random.chance(0.1) { replace(index) }
            } else {
                copier.step()
            }
            cluster.clock.advance(by: random.number(in: 0...200))
        }
        func replace(_ index: Int) {
            restarts += 1
            if !copiers[index].process.isFrozen { cluster.kill(copiers[index].process) }
            copiers[index] = Copier(cluster, index == 0 ? "a" : "b", restart: restarts)
            copiers[index].start()
        }
        cluster.whileBlocked = { process, until in
            while cluster.clock.now < until, !process.isDead { stepOne() }
        }
        for copier in copiers { copier.start() }
        for number in 0..<60 {
            cluster.append("\(number)", to: TopicPartition("in", Int32(number % 2)))
            for _ in 0..<10 { stepOne() }
        }
        cluster.heal()
        for _ in 0..<4_000 { stepOne() }
        return (cluster, struck)
    }

    @Test(arguments: 0..<150) func everyRecordIsCopiedOnce(seed: UInt64) {
        let cluster = run(seed: seed).cluster
        let copies = cluster.values(output).compactMap { Int($0) }
        #expect(copies.sorted() == Array(0..<60), "seed \(seed)")
    }

    @Test(arguments: BrokenBroker.allCases) func aBrokenPromiseShows(broken: BrokenBroker) {
        let seed = (0..<300 as Range<UInt64>).first { seed in
            let copies = run(seed: seed, broken: [broken]).cluster.values(output).compactMap { Int($0) }
            return copies.sorted() != Array(0..<60)
        }
        #expect(seed != nil)
    }

    /// The copier asks again when a commit times out, as librdkafka allows; then a delayed commit may hit the transaction
    /// after it. (Whoever cannot bear that must start a new producer.)
    @Test func aStaleCommitTearsATransaction() {
        // Stops give it the time to arrive in the middle of something.
        var faults = FaultRates([.lostResponse: 0.1, .delayedCommit: 1, .staleCommit: 1, .freeze: 0.05])
        let isTorn = { (seed: UInt64) in
            run(seed: seed, faults: faults).cluster.values(output).compactMap { Int($0) }.sorted() != Array(0..<60)
        }
        #expect((0..<100).contains(where: isTorn))
        faults[.staleCommit] = 0
        #expect(!(0..<25).contains(where: isTorn))
    }

    @Test func everyKindOfFaultStrikes() {
        var struck: [Fault: Int] = [:]
        for seed in 0..<20 as Range<UInt64> { struck.merge(run(seed: seed).faults) { $0 + $1 } }
        for fault in FaultRates.ofCalls { #expect(struck[fault] ?? 0 > 0, "\(fault)") }
    }

    @Test func theSameSeedIsTheSameRun() {
        let runs = (0..<2).map { _ in run(seed: 7, isRecording: true).cluster.trace }
        #expect(runs[0].digest == runs[1].digest && runs[0].count == runs[1].count)
        #expect(runs[0].count > 1_000)
        #expect(runs[0].text == runs[1].text)
        #expect(run(seed: 8, isRecording: true).cluster.trace.digest != runs[0].digest)
    }
}
