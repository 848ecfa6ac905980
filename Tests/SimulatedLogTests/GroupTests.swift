import Kafka
import SimulatedLog
import Testing

struct GroupTests {
    private let all = [TopicPartition("in", 0), TopicPartition("in", 1)]

    @Test func membersShareEqualNumbersOfSeveralTopics() throws {
        let cluster = makeCluster(inputs: 3)
        let members = try ["a", "b"].map { try Member(cluster, $0, topics: ["in", "more"]) }
        settle(cluster, members[0], members[1])
        #expect(members[0].owned == ["in", "more"].flatMap { [TopicPartition($0, 0), TopicPartition($0, 1)] })
        #expect(members[1].owned == [TopicPartition("in", 2), TopicPartition("more", 2)])
    }

    @Test func aNewMemberTakesItsShareOnlyAfterTheOthersGaveTheirsBack() throws {
        let cluster = makeCluster()
        let first = try Member(cluster, "a")
        settle(cluster, first)
        #expect(first.owned == all)
        let second = try Member(cluster, "b")
        settle(cluster, second)
        // The first one does not poll.
        #expect(second.owned.isEmpty && first.owned == all)
        settle(cluster, first, second)
        #expect(first.owned == [all[0]] && second.owned == [all[1]])
        #expect(first.revocations == 1 && first.losses == 0)
        try second.consumer.close()
        settle(cluster, first)
        #expect(first.owned == all)
    }

    @Test func aDeadMembersPartitionsGoToTheOthersAfterItsSession() throws {
        let cluster = makeCluster()
        let first = try Member(cluster, "a")
        let second = try Member(cluster, "b")
        settle(cluster, first, second)
        cluster.kill(first.process)
        settle(cluster, second, seconds: 40)
        #expect(second.owned == [all[1]])
        settle(cluster, second, seconds: 20)
        #expect(second.owned == all)
    }

    @Test func aStoppedMemberLosesItsPartitionsAndLearnsOfItLater() throws {
        let cluster = makeCluster()
        let first = try Member(cluster, "a")
        let second = try Member(cluster, "b")
        settle(cluster, first, second)
        let old = try #require(first.metadata?.made)
        cluster.whileBlocked = { _, until in
            while cluster.clock.now < until {
                second.poll()
                cluster.clock.advance(by: 100)
            }
        }
        cluster.freeze(first.process, milliseconds: 60_000)
        #expect(second.owned == all)
        // It goes on in the belief to own what it owned.
        #expect(!first.consumer.isAssignmentLost && first.owned.count == 1)
        #expect(try first.consumer.groupMetadata().made == old)
        cluster.clock.advance(by: 3_000)
        #expect(first.consumer.isAssignmentLost)
        settle(cluster, first, second)
        #expect(first.losses == 1)
        #expect(first.owned.count == 1 && second.owned.count == 1)
    }

    @Test func aShortStopChangesNothing() throws {
        let cluster = makeCluster()
        let member = try Member(cluster, "a")
        settle(cluster, member)
        cluster.freeze(member.process, milliseconds: 44_000)
        settle(cluster, member, seconds: 60)
        #expect(member.grants == 1 && member.losses == 0)
    }

    @Test func whoDoesNotPollLosesItsPartitions() throws {
        let cluster = makeCluster()
        let member = try Member(cluster, "a")
        settle(cluster, member)
        cluster.clock.advance(by: 299_000)
        #expect(!member.consumer.isAssignmentLost)
        cluster.clock.advance(by: 2_000)
        #expect(member.consumer.isAssignmentLost)
        guard case .error(let error) = member.consumer.poll(timeoutMilliseconds: 0) else {
            Issue.record("no error")
            return
        }
        #expect(error.code == .maxPollExceeded && !error.isFatal)
        settle(cluster, member)
        #expect(member.losses == 1 && member.grants == 2)
    }

    @Test func aStaticMemberComesBackWithoutARebalance() throws {
        let cluster = makeCluster()
        let first = try Member(cluster, "a", instance: "one")
        let second = try Member(cluster, "b", instance: "two")
        settle(cluster, first, second)
        let generation = cluster.generation(group)
        let owned = first.owned
        let old = try #require(first.metadata)
        cluster.kill(first.process)
        let again = try Member(cluster, "a2", instance: "one")
        settle(cluster, again, second)
        #expect(again.owned == owned && cluster.generation(group) == generation)
        #expect(second.revocations == 0)
        // What the one before it held is worth nothing any more, although the generation is the same.
        let producer = try cluster.claim("x", of: cluster.process("x"))
        try producer.beginTransaction()
        let refused = failure {
            try producer.sendOffsets([TopicPartitionOffset(input, 1)], old, timeoutMilliseconds: 100)
        }
        #expect(refused?.code == .fencedInstanceID && refused?.recovery == .abortTransaction)
    }

    @Test func twoMembersOfTheSameNameCannotBothLive() throws {
        let cluster = makeCluster()
        let first = try Member(cluster, "a", instance: "one")
        settle(cluster, first)
        let second = try Member(cluster, "b", instance: "one")
        settle(cluster, first, second)
        #expect(first.consumer.fatalError?.code == .fencedInstanceID)
        #expect(second.owned == all && second.consumer.fatalError == nil)
    }

    @Test func aRebalanceThatAMemberIgnoresGoesOnWithoutIt() throws {
        let cluster = makeCluster()
        let first = try Member(cluster, "a")
        settle(cluster, first)
        let second = try Member(cluster, "b")
        settle(cluster, second, seconds: 320)
        #expect(second.owned == all)
        settle(cluster, first, second)
        #expect(first.losses == 1 && first.owned.count == 1)
    }

    @Test func partitionsThatWereNotGrantedCanBeRead() throws {
        let cluster = makeCluster()
        cluster.append("other", to: TopicPartition("more", 1))
        let process = cluster.process("a")
        let consumer = cluster.reader(of: process)
        let other = TopicPartitionOffset(TopicPartition("more", 1), 0)
        try consumer.subscribe(["in"], rebalance: RebalanceHandler(assigned: { _, _ in .at([other]) }))
        for _ in 0..<100 {
            cluster.clock.advance(by: 100)
            _ = consumer.poll(timeoutMilliseconds: 0)
        }
        #expect(try read(consumer, other.partition) == ["other", "end@1"])
        cluster.forceRebalance()
        _ = consumer.poll(timeoutMilliseconds: 0)
        #expect(try read(consumer, other.partition) == [])
    }
}
