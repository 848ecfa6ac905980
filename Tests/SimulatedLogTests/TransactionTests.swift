import Kafka
import SimulatedLog
import Testing

struct TransactionTests {
    @Test func aLaterProducerFencesTheEarlierOneAndAbortsWhatItLeftOpen() throws {
        let cluster = makeCluster()
        let old = try cluster.claim("a", of: cluster.process("old"))
        try old.beginTransaction()
        try old.write("zombie")
        try old.flush(timeoutMilliseconds: 100)
        let new = try cluster.claim("a", of: cluster.process("new"))
        let refused = failure { try old.commit() }
        #expect(refused?.code == .fenced && refused?.recovery == .recreateClient)
        #expect(failure { try old.abortTransaction(timeoutMilliseconds: 100) }?.isFatal == true)
        try new.transact("good")
        #expect(cluster.values(output) == ["good"])
    }

    @Test func withoutEpochsAZombieGetsThrough() throws {
        let cluster = makeCluster()
        cluster.broken = [.ignoresEpochs]
        let old = try cluster.claim("a", of: cluster.process("old"))
        try old.beginTransaction()
        _ = try cluster.claim("a", of: cluster.process("new"))
        try old.write("zombie")
        try old.commit()
        #expect(cluster.values(output) == ["zombie"])
    }

    @Test func brokersAbortWhatTakesTooLong() throws {
        let cluster = makeCluster()
        let producer = try cluster.claim("a", of: cluster.process("a"), timeout: 5_000)
        try producer.beginTransaction()
        try producer.write("late")
        try producer.flush(timeoutMilliseconds: 100)
        #expect(cluster.openTransactions == 1)
        cluster.clock.advance(by: 8_000)
        #expect(cluster.openTransactions == 0)
        #expect(failure { try producer.commit() }?.recovery == .recreateClient)
        #expect(cluster.values(output).isEmpty)
    }

    @Test func callsThatDoNotFitTheStateAreRefusedWithoutAFlag() throws {
        let cluster = makeCluster()
        let producer = try cluster.claim("a", of: cluster.process("a"))
        try producer.transact("x")
        let refused = [
            failure { try producer.abortTransaction(timeoutMilliseconds: 100) },
            failure { try producer.write("outside") }, failure { try producer.commit() },
        ]
        for error in refused {
            #expect(error?.code == .invalidState)
            #expect(error?.isFatal == false && error?.requiresAbort == false && error?.isRetriable == false)
        }
    }

    @Test func recordsThatAreTooLargeRequireAnAbort() throws {
        let cluster = makeCluster()
        let producer = try cluster.claim("a", of: cluster.process("a"))
        try producer.beginTransaction()
        try producer.write(String(repeating: "x", count: 2_000_000))
        let refused = failure { try producer.commit() }
        #expect(refused?.code == .messageTooLarge && refused?.recovery == .abortTransaction)
        try producer.abortTransaction(timeoutMilliseconds: 100)
        try producer.transact("small")
        #expect(cluster.values(output) == ["small"])
    }

    @Test func offsetsOfATransactionAreCommittedWithIt() throws {
        let cluster = makeCluster()
        let member = try Member(cluster, "a")
        settle(cluster, member)
        let metadata = try #require(member.metadata)
        let producer = try cluster.claim("a", of: member.process, timeout: 60_000)
        try producer.beginTransaction()
        try producer.sendOffsets([TopicPartitionOffset(input, 7, metadata: "note")], metadata, timeoutMilliseconds: 100)
        #expect(cluster.committed(group, input) == nil)
        let strict = cluster.reader()
        let refused = failure { _ = try strict.committed([input], timeoutMilliseconds: 500) }
        #expect(refused?.recovery == .retry)
        #expect(refused?.code == .unstableOffsetCommit || refused?.code == .timedOut)
        let other = TopicPartition("in", 1)
        #expect(try strict.committed([other], timeoutMilliseconds: 100)[0].offset == .unset)
        let lenient = cluster.reader(.readUncommitted)
        #expect(try lenient.committed([input], timeoutMilliseconds: 100)[0].offset == .unset)
        try producer.commit()
        #expect(
            try strict.committed([input], timeoutMilliseconds: 100) == [
                TopicPartitionOffset(input, 7, metadata: "note")
            ])
        try producer.beginTransaction()
        try producer.sendOffsets([TopicPartitionOffset(input, 9)], metadata, timeoutMilliseconds: 100)
        try producer.abortTransaction(timeoutMilliseconds: 100)
        #expect(cluster.committed(group, input) == 7)
    }

    @Test func offsetsOfMembersOfOtherGenerationsRequireAnAbort() throws {
        let cluster = makeCluster()
        let member = try Member(cluster, "a")
        settle(cluster, member)
        let old = try #require(member.metadata)
        let second = try Member(cluster, "b")
        settle(cluster, member, second)
        let producer = try cluster.claim("a", of: member.process)
        func send(_ metadata: GroupMetadata) throws -> KafkaError? {
            try producer.beginTransaction()
            defer { try? producer.abortTransaction(timeoutMilliseconds: 100) }
            return failure {
                try producer.sendOffsets([TopicPartitionOffset(input, 1)], metadata, timeoutMilliseconds: 100)
            }
        }
        let refused = try send(old)
        #expect(refused?.code == .illegalGeneration && refused?.recovery == .abortTransaction)
        #expect(try send(#require(member.metadata)) == nil)
        let stranger = GroupMetadata(.init(group: group, generation: cluster.generation(group), id: "x"))
        #expect(try send(stranger)?.code == .unknownMemberID)
        // The trap: who never joined is not fenced.
        let outsider = try cluster.reader().groupMetadata()
        #expect(outsider.made?.generation == -1)
        #expect(try send(outsider) == nil)
        cluster.broken = [.ignoresGenerations]
        #expect(try send(old) == nil)
    }

    @Test func aCommitWhoseAnswerWasLostHasHappenedOrHasNot() throws {
        var outcomes: Set<String> = []
        for seed in 0..<40 as Range<UInt64> {
            let cluster = makeCluster(seed: seed)
            let producer = try cluster.claim("a", of: cluster.process("a"))
            try producer.beginTransaction()
            try producer.write("x")
            cluster.faults = FaultRates([.lostResponse: 1])
            let lost = try #require(failure { try producer.commit() })
            cluster.faults = .none
            #expect(lost.code == .timedOut || lost.code == .inconsistent)
            #expect(lost.recovery == (lost.code == .timedOut ? .retry : .recreateClient))
            let hasHappened = cluster.values(output) == ["x"]
            outcomes.insert("\(lost.code.name) \(hasHappened)")
            if cluster.openTransactions == 1 || hasHappened {
                try producer.commit()
                #expect(cluster.values(output) == ["x"])
            } else {
                #expect(failure { try producer.commit() }?.isFatal == true)
            }
        }
        #expect(outcomes.count == 4)
    }

    /// What brokers do without KIP-890.
    @Test func aCommitThatArrivesLateHitsTheNextTransactionUnlessTheIdWasClaimedAnew() throws {
        for isClaimedAnew in [false, true] {
            let cluster = makeCluster()
            let producer = try cluster.claim("a", of: cluster.process("a"), timeout: 60_000)
            try producer.beginTransaction()
            try producer.write("first")
            cluster.faults = FaultRates([.lostResponse: 1, .delayedCommit: 1])
            _ = failure { try producer.commitTransaction(timeoutMilliseconds: 0) }
            cluster.faults = FaultRates([.staleCommit: 1])
            var next = producer
            if isClaimedAnew {
                next = try cluster.claim("a", of: cluster.process("b"), timeout: 60_000)
            } else {
                try producer.commit()
            }
            try next.beginTransaction()
            try next.write("second")
            try next.flush(timeoutMilliseconds: 100)
            cluster.clock.advance(by: 31_000)
            #expect(cluster.values(output) == (isClaimedAnew ? [] : ["first", "second"]))
            #expect(cluster.openTransactions == (isClaimedAnew ? 1 : 0))
        }
    }

    @Test func markersMayReachThePartitionsOneAfterTheOther() throws {
        let cluster = makeCluster(faults: FaultRates([.lateMarkers: 1]))
        let producer = try cluster.claim("a", of: cluster.process("a"))
        try producer.beginTransaction()
        try producer.write("x", to: output)
        try producer.write("y", to: stateLog, key: "k")
        try producer.commit()
        var seen: Set<[Int]> = []
        for _ in 0..<1000 {
            seen.insert([cluster.values(output).count, cluster.values(stateLog).count])
            cluster.clock.advance(by: 1)
        }
        #expect(seen.contains([0, 0]) && seen.contains([1, 1]) && seen.count == 3)
        // The next transaction waits inside for the end of the last one.
        try producer.transact("z")
        try producer.transact("u")
        cluster.clock.advance(by: 1_000)
        #expect(cluster.values(output) == ["x", "z", "u"])
    }
}
