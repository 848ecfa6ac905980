public import Kafka

/// A consumer of a ``SimulatedCluster``.
public final class SimulatedConsumer: ConsumerClient {
    let configuration: ConsumerConfiguration
    let process: SimulatedProcess
    unowned let cluster: SimulatedCluster

    // MARK: Group

    var handler = RebalanceHandler()
    /// This consumer's place in the group; nil while it has none.
    var membership: GroupMember?
    /// What the client's library knows of the generation; it learns of a new one before the application does.
    private(set) var generation: Int32 = -1
    public private(set) var isAssignmentLost = false
    public private(set) var fatalError: KafkaError?
    private var topics: [String] = []
    private var granted: [TopicPartition]?
    private var rebalances: [Rebalance] = []
    private var isServing = false
    private var lastPoll: Int64
    private var isClosed = false
    private var inbox: [KafkaError] = []

    private enum Rebalance {
        case granted([TopicPartition])
        /// To be given back, or already gone.
        case taken(isLost: Bool, GroupMember)
    }

    // MARK: Records

    private(set) var readers: [TopicPartition: PartitionReader] = [:]
    private var records: [TopicPartition: SimulatedRecords] = [:]

    init(_ configuration: ConsumerConfiguration, of process: SimulatedProcess, in cluster: SimulatedCluster) {
        self.configuration = configuration
        self.process = process
        self.cluster = cluster
        lastPoll = cluster.clock.now
    }

    public func subscribe(_ topics: [String], rebalance: RebalanceHandler) throws(KafkaError) {
        try call(.subscribe, "subscribe") { () throws(KafkaError) in
            handler = rebalance
            self.topics = topics
            lastPoll = cluster.clock.now
            // A member that subscribes again makes its group share out anew.
            if let membership { return cluster.groups.renew(membership) }
            watchPolls()
            cluster.groups.join(self, topics: topics)
        }
    }

    public func assign(_ partitions: [TopicPartitionOffset]) throws(KafkaError) {
        try call(.assign, "assign partitions") { () throws(KafkaError) in
            for partition in partitions where cluster.log(partition.partition) == nil {
                throw KafkaError(
                    code: .unknownPartition, operation: "assign partitions", topic: partition.topic,
                    partition: partition.partition.partition)
            }
            read(partitions)
        }
    }

    public func unassign() throws(KafkaError) {
        try call(.assign, "unassign partitions") { read([]) }
    }

    private func read(_ partitions: [TopicPartitionOffset]) {
        readers = [:]
        for partition in partitions {
            readers[partition.partition] = PartitionReader(partition.partition, from: partition.offset, for: self)
        }
    }

    public func records(of partition: TopicPartition) throws(KafkaError) -> any PartitionRecords {
        guard cluster.log(partition) != nil else {
            throw KafkaError(
                code: .unknownPartition, operation: "open the queue of a partition", topic: partition.topic,
                partition: partition.partition)
        }
        if let known = records[partition] { return known }
        let new = SimulatedRecords(partition, of: self)
        records[partition] = new
        return new
    }

    public func attach(_ waker: Waker) {}

    // MARK: Events

    public func poll(timeoutMilliseconds: Int) -> ClientEvent {
        precondition(!isServing, "a rebalance handler must not poll")
        do {
            return try call(.poll, "poll") { () throws(KafkaError) in
                lastPoll = cluster.clock.now
                if let fatalError, !inbox.isEmpty {
                    inbox = []
                    return .error(fatalError)
                }
                serveOneRebalance()
                return inbox.isEmpty ? .none : .error(inbox.removeFirst())
            }
        } catch {
            return .none
        }
    }

    private func serveOneRebalance() {
        guard !rebalances.isEmpty, fatalError == nil else { return }
        isServing = true
        defer { isServing = false }
        switch rebalances.removeFirst() {
        case .granted(let partitions): serveGrant(partitions)
        case .taken(let isLost, let member):
            if let partitions = granted {
                cluster.note("\(process.name) \(isLost ? "lost" : "gives back") \(partitions)")
                // Whether they are lost can turn out only now.
                (isLost || isAssignmentLost ? handler.lost : handler.revoked)(self, partitions)
            }
            guard !process.isDead, !isClosed else { return }
            granted = nil
            isAssignmentLost = false
            read([])
            if membership === member {
                cluster.groups.rejoin(member)
            } else if membership == nil, fatalError == nil, !topics.isEmpty {
                cluster.groups.join(self, topics: topics)
            }
        }
    }

    private func serveGrant(_ partitions: [TopicPartition]) {
        cluster.note("\(process.name) is granted \(partitions), generation \(generation)")
        granted = partitions
        let start = handler.assigned(self, partitions)
        guard !process.isDead, !isClosed else { return }
        switch start {
        case .committed: read(partitions.map { TopicPartitionOffset($0, .stored) })
        case .at(let offsets): read(offsets)
        case .nothingYet: read([])
        }
    }

    // MARK: What the coordinator says

    func wasGranted(_ partitions: [TopicPartition], generation: Int32) {
        self.generation = generation
        rebalances.append(.granted(partitions))
    }

    func mustRevoke(_ member: GroupMember) {
        // A grant that the application has not seen is replaced silently.
        rebalances.removeAll { if case .granted = $0 { true } else { false } }
        rebalances.append(.taken(isLost: false, member))
    }

    /// The group goes on without this member.
    func wasExpelled(_ member: GroupMember, isKnown: Bool) {
        // Until its next heartbeat it does not know, and goes on.
        guard isKnown else {
            return cluster.hearLater(process) { [weak self] in self?.wasExpelled(member, isKnown: true) }
        }
        guard membership === member else { return }
        membership = nil
        generation = -1
        isAssignmentLost = granted != nil
        rebalances = [.taken(isLost: true, member)]
    }

    /// Somebody else has the instance id.
    func wasFenced(_ member: GroupMember, isKnown: Bool) {
        guard isKnown else {
            return cluster.hearLater(process) { [weak self] in self?.wasFenced(member, isKnown: true) }
        }
        guard membership === member else { return }
        membership = nil
        isAssignmentLost = granted != nil
        let error = KafkaError(code: .fencedInstanceID, operation: "stay in the group", isFatal: true)
        fatalError = error
        inbox.append(error)
    }

    /// Leaves the group where the application has not polled for too long.
    private func watchPolls() {
        let limit = Int64(configuration.maxPollIntervalMilliseconds)
        cluster.clock.schedule(after: max(1, lastPoll + limit - cluster.clock.now)) { [weak self] in
            guard let self, !isClosed, !process.isDead, fatalError == nil else { return }
            // A stopped process does not notice the time.
            if !process.isFrozen, cluster.clock.now - lastPoll >= limit, let membership {
                inbox.append(KafkaError(code: .maxPollExceeded, operation: "stay in the group"))
                cluster.groups.expire(membership, isKnown: true)
                lastPoll = cluster.clock.now
            }
            watchPolls()
        }
    }

    // MARK: Offsets

    public func commit(_ offsets: [TopicPartitionOffset]) throws(KafkaError) {
        try call(.commit, "commit offsets", timeout: 60_000) { () throws(KafkaError) in
            let group = cluster.groups.group(configuration.groupID)
            do throws(Refusal) {
                try group.check(
                    member: membership?.id ?? "", generation: membership == nil ? -1 : generation,
                    isTransactional: false)
            } catch {
                throw KafkaError(code: error.code, operation: "commit offsets")
            }
            group.commit(offsets)
        }
    }

    public func committed(
        _ partitions: [TopicPartition], timeoutMilliseconds: Int
    ) throws(KafkaError) -> [TopicPartitionOffset] {
        try call(.committed, "read committed offsets", timeout: timeoutMilliseconds) { () throws(KafkaError) in
            let group = cluster.groups.group(configuration.groupID)
            if configuration.isolation == .readCommitted {
                // librdkafka asks again by itself until the time is over.
                let isStable: Void? = try? cluster.wait(
                    process, "read committed offsets", timeout: timeoutMilliseconds
                ) { !partitions.contains(where: group.isUnstable) }
                try cluster.checkAlive(process, "read committed offsets")
                if isStable == nil {
                    let code = cluster.random.pick([KafkaError.Code.unstableOffsetCommit, .timedOut])
                    throw KafkaError(code: code, operation: "read committed offsets")
                }
            }
            return partitions.map { partition in
                guard let committed = group.committed[partition] else {
                    return TopicPartitionOffset(partition, .unset)
                }
                return TopicPartitionOffset(partition, committed.offset, metadata: committed.metadata)
            }
        }
    }

    public func watermarks(
        _ partition: TopicPartition, timeoutMilliseconds: Int
    ) throws(KafkaError) -> Watermarks {
        try call(.watermarks, "read watermarks", timeout: timeoutMilliseconds) { () throws(KafkaError) in
            guard let log = cluster.log(partition) else {
                throw KafkaError(
                    code: .unknownPartition, operation: "read watermarks", topic: partition.topic,
                    partition: partition.partition)
            }
            return Watermarks(low: log.start, high: log.end(for: configuration.isolation))
        }
    }

    public func offsets(
        at times: [TopicPartition: Int64], timeoutMilliseconds: Int
    ) throws(KafkaError) -> [TopicPartitionOffset] {
        try call(.offsetsForTimes, "find offsets by time", timeout: timeoutMilliseconds) { () throws(KafkaError) in
            times.sorted { $0.key < $1.key }.map { partition, time in
                let found = cluster.log(partition)?.offset(at: time, configuration.isolation)
                return TopicPartitionOffset(partition, found.map { Offset($0) } ?? .end)
            }
        }
    }

    public func groupMetadata() throws(KafkaError) -> GroupMetadata {
        try cluster.checkAlive(process, "read the group metadata")
        return GroupMetadata(
            GroupMetadata.Member(group: configuration.groupID, generation: generation, id: membership?.id ?? ""))
    }

    public func metadata(topic: String?, timeoutMilliseconds: Int) throws(KafkaError) -> Metadata {
        try call(.metadata, "read metadata", timeout: timeoutMilliseconds) { cluster.metadata(topic: topic) }
    }

    // MARK: Closing

    public func close() throws(KafkaError) {
        guard !isClosed else { return }
        try call(.closeConsumer, "close the consumer") { () throws(KafkaError) in
            if let granted, fatalError == nil {
                isServing = true
                (isAssignmentLost ? handler.lost : handler.revoked)(self, granted)
                isServing = false
            }
            guard !process.isDead else { return }
            isClosed = true
            read([])
            // A static member keeps its place until its session ends.
            guard let membership else { return }
            self.membership = nil
            if membership.instanceID == nil {
                cluster.groups.leave(membership)
            } else {
                cluster.groups.watchClosed(membership)
            }
        }
    }

    private func call<Answer>(
        _ call: ClientCall, _ operation: String, timeout: Int = 0, _ effect: () throws(KafkaError) -> Answer
    ) throws(KafkaError) -> Answer {
        if isClosed {
            throw KafkaError(code: .invalidState, message: "the client is closed", operation: operation)
        }
        return try cluster.call(call, of: process, operation: operation, timeout: timeout, effect)
    }
}

extension SimulatedCluster {
    func metadata(topic: String?) -> Metadata {
        Metadata(topics: partitionCounts.filter { topic == nil || $0.key == topic }.mapValues(Int.init))
    }
}
