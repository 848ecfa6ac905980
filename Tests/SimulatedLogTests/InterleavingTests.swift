import Kafka
import SimulatedLog
import Testing

/// The two interleavings that corrupted state on a real cluster: why a restore reads to the high watermark.
struct InterleavingTests {
    /// Worker 1 dies inside a transaction; worker 2 takes over, commits, and restarts. Its own committed state lies
    /// behind the open transaction, where a reader of committed records does not get.
    @Test func theLastStableOffsetHidesWhatWasCommittedBehindADeadWorkersTransaction() throws {
        let cluster = makeCluster()
        let first = cluster.process("1")
        let dead = try cluster.claim("one", of: first, timeout: 30_000)
        try dead.beginTransaction()
        try dead.write("of 1", to: stateLog, key: "position")
        try dead.flush(timeoutMilliseconds: 100)
        cluster.kill(first)
        let second = try Member(cluster, "2")
        settle(cluster, second)
        let producer = try cluster.claim("two", of: second.process)
        try producer.beginTransaction()
        try producer.write("of 2", to: stateLog, key: "position")
        try producer.sendOffsets(
            [TopicPartitionOffset(input, 5)], #require(second.metadata), timeoutMilliseconds: 100)
        try producer.commit()

        // The restart: the offsets are there at once, the state that belongs to them is not.
        let restored = cluster.reader()
        #expect(try restored.committed([input], timeoutMilliseconds: 100)[0].offset == Offset(5))
        let wrongEnd = try restored.watermarks(stateLog, timeoutMilliseconds: 100).high
        let rightEnd = try cluster.reader(.readUncommitted).watermarks(stateLog, timeoutMilliseconds: 100).high
        #expect(wrongEnd == 0 && rightEnd == 3)
        try start(restored, stateLog)
        #expect(try read(restored, stateLog) == ["end@0"])
        // Not to be waited for with the wrong end: it has come already. The right one comes with the timeout.
        cluster.clock.advance(by: 33_000)
        #expect(try read(restored, stateLog) == ["of 2", "end@4"])
    }

    /// Worker 1 is stopped after it sent its offsets. Nobody may trust the committed offsets before its transaction has
    /// ended: when it goes on in time, its commit counts.
    @Test(arguments: [5_000, 70_000] as [Int64])
    func aStoppedWorkersOffsetsAreUnstable(stop: Int64) throws {
        let cluster = makeCluster()
        let first = try Member(cluster, "1")
        settle(cluster, first)
        let zombie = try cluster.claim("one", of: first.process, timeout: 60_000)
        try zombie.beginTransaction()
        try zombie.write("of 1", to: stateLog, key: "position")
        try zombie.sendOffsets(
            [TopicPartitionOffset(input, 5)], #require(first.metadata), timeoutMilliseconds: 100)
        try zombie.flush(timeoutMilliseconds: 100)
        let second = try Member(cluster, "2")
        var answers: Set<String> = []
        cluster.whileBlocked = { _, until in
            while cluster.clock.now < until {
                cluster.clock.advance(by: 500)
                second.poll()
                let refused = failure { _ = try second.consumer.committed([input], timeoutMilliseconds: 0) }
                answers.insert(refused == nil ? "stable" : "unstable")
            }
        }
        cluster.freeze(first.process, milliseconds: stop)
        cluster.whileBlocked = nil
        let outcome = failure { try zombie.commit() }
        let committed = try second.consumer.committed([input], timeoutMilliseconds: 100)[0].offset
        if stop < 60_000 {
            #expect(answers == ["unstable"])
            #expect(outcome == nil && committed == Offset(5))
            #expect(cluster.values(stateLog) == ["of 1"])
        } else {
            #expect(answers == ["unstable", "stable"])
            #expect(outcome?.recovery == .recreateClient && committed == .unset)
            #expect(cluster.values(stateLog).isEmpty)
        }
    }
}
