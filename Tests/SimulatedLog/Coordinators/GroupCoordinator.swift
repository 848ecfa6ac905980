import Kafka

/// Lets consumers join groups and shares partitions out (eager rebalance, static membership as in KIP-345).
final class GroupCoordinator {
    private unowned let cluster: SimulatedCluster
    private var groups: [String: ConsumerGroup] = [:]
    private var joins = 0
    /// How long an empty group waits for more members, in milliseconds.
    private static let initialDelay: Int64 = 3_000

    init(_ cluster: SimulatedCluster) { self.cluster = cluster }

    deinit {
        // Members and consumers know each other.
        for member in groups.values.flatMap(\.members) { member.consumer.membership = nil }
    }

    func group(_ name: String) -> ConsumerGroup {
        if let group = groups[name] { return group }
        let group = ConsumerGroup(name)
        groups[name] = group
        return group
    }

    // MARK: Membership

    func join(_ consumer: SimulatedConsumer, topics: [String]) {
        let group = group(consumer.configuration.groupID)
        joins += 1
        let member = GroupMember("\(consumer.process.name)-\(joins)", of: consumer, topics: topics)
        consumer.membership = member
        let former = member.instanceID.flatMap { id in group.members.firstIndex { $0.instanceID == id } }
        if let former { return replace(former, by: member, in: group) }
        group.members.append(member)
        goOn(group)
    }

    private func goOn(_ group: ConsumerGroup) {
        if group.phase == .preparing { completeIfReady(group) } else { prepare(group) }
    }

    /// A static member came back, or there are two of the same name: the later one has it.
    private func replace(_ index: Int, by member: GroupMember, in group: ConsumerGroup) {
        let former = group.members[index]
        cluster.note("\(member.id) takes the place of \(former.id)")
        group.fenced.insert(former.id)
        group.members[index] = member
        if former.consumer !== member.consumer { former.consumer.wasFenced(former, isKnown: false) }
        guard group.phase == .stable, former.topics == member.topics else { return goOn(group) }
        member.hasJoined = false
        member.assignment = former.assignment
        member.consumer.wasGranted(member.assignment, generation: group.generation)
    }

    /// The consumer has given its partitions back and takes part in the rebalance.
    func rejoin(_ member: GroupMember) {
        let group = group(member.consumer.configuration.groupID)
        guard group.members.contains(where: { $0 === member }) else { return }
        member.hasJoined = true
        goOn(group)
    }

    func leave(_ member: GroupMember) {
        let group = group(member.consumer.configuration.groupID)
        guard let index = group.members.firstIndex(where: { $0 === member }) else { return }
        cluster.note("\(member.id) leaves")
        group.members.remove(at: index)
        goOn(group)
    }

    /// Nobody has heard of this process since this moment: its members' sessions end if that lasts.
    func watch(_ process: SimulatedProcess) {
        for group in groups.sorted(by: { $0.key < $1.key }).map(\.value) {
            for member in group.members where member.consumer.process === process {
                watch(member, after: member.sessionTimeout, silentSince: process.silentSince)
            }
        }
    }

    /// A static member was closed: its place is kept until its session ends.
    func watchClosed(_ member: GroupMember) {
        cluster.clock.schedule(after: member.sessionTimeout) { [unowned self] in
            let group = group(member.consumer.configuration.groupID)
            if group.members.contains(where: { $0 === member }) { expire(member) }
        }
    }

    private func watch(_ member: GroupMember, after delay: Int64, silentSince: Int64?) {
        let process = member.consumer.process
        cluster.clock.schedule(after: delay) { [unowned self] in
            guard process.silentSince == silentSince else { return }
            let group = group(member.consumer.configuration.groupID)
            guard group.members.contains(where: { $0 === member }) else { return }
            if let rest = cluster.outageLeft {
                return watch(member, after: rest + member.sessionTimeout, silentSince: silentSince)
            }
            expire(member)
        }
    }

    /// Takes a member out whose session has ended.
    ///
    /// - Parameter isKnown: whether its client is the one who says so.
    func expire(_ member: GroupMember, isKnown: Bool = false) {
        cluster.note("\(member.id) session ended")
        leave(member)
        member.consumer.wasExpelled(member, isKnown: isKnown)
    }

    // MARK: Rebalances

    /// Makes the group share its partitions out again; there must be members.
    func forceRebalance(_ random: inout SeededGenerator) {
        let stable = groups.sorted { $0.key < $1.key }.map(\.value).filter { $0.phase == .stable }
        guard !stable.isEmpty else { return }
        prepare(random.pick(stable))
    }

    /// The group of this member shares its partitions out again.
    func renew(_ member: GroupMember) {
        let group = group(member.consumer.configuration.groupID)
        if group.phase == .stable { prepare(group) }
    }

    private func prepare(_ group: ConsumerGroup) {
        let isFirst = group.phase == .empty
        group.phase = .preparing
        group.preparation += 1
        let preparation = group.preparation
        cluster.note("group \(group.name) prepares a rebalance")
        for member in group.members where !member.hasJoined { member.consumer.mustRevoke(member) }
        if isFirst {
            cluster.clock.schedule(after: cluster.number(in: 0...Self.initialDelay)) { [unowned self] in
                if group.preparation == preparation, group.phase == .preparing { settle(group, preparation) }
            }
            return
        }
        settle(group, preparation)
    }

    private func settle(_ group: ConsumerGroup, _ preparation: Int) {
        group.isSettled = true
        completeIfReady(group)
        guard group.phase == .preparing, group.preparation == preparation else { return }
        let deadline = group.members.map(\.rebalanceTimeout).max() ?? 0
        cluster.clock.schedule(after: deadline) { [unowned self] in
            guard group.preparation == preparation, group.phase == .preparing else { return }
            for member in group.members where !member.hasJoined { expire(member) }
        }
    }

    private func completeIfReady(_ group: ConsumerGroup) {
        guard group.isSettled, group.members.allSatisfy(\.hasJoined) else { return }
        group.isSettled = false
        group.generation += 1
        group.phase = group.members.isEmpty ? .empty : .stable
        let shares = RangeAssignor.assign(group.members, partitions: cluster.partitionCounts)
        cluster.note("group \(group.name) generation \(group.generation) \(group.members.map(\.id))")
        for member in group.members {
            member.hasJoined = false
            member.assignment = shares[member.id] ?? []
        }
        let generation = group.generation
        for member in group.members { member.consumer.wasGranted(member.assignment, generation: generation) }
    }
}
