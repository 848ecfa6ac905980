/// How a ``Consumer`` connects, which group it is in and what it may read.
public struct ConsumerConfiguration: Sendable {
    /// Which records a consumer sees.
    public enum Isolation: String, Sendable {
        /// Only those of committed transactions, up to the last stable offset.
        case readCommitted = "read_committed"
        /// All, those of open and aborted transactions too.
        case readUncommitted = "read_uncommitted"
    }

    /// Where to start when the group has no committed offset, or one that is outside the log.
    public enum OffsetReset: String, Sendable {
        /// Report ``KafkaError/Code/autoOffsetReset``: nothing is skipped silently.
        case error
        case earliest
        case latest
    }

    /// How records reach the application.
    public enum Delivery: Sendable {
        /// One ``PartitionQueue`` a partition: the application decides which partition to read next.
        case partitionQueues
        /// All partitions through ``Consumer/consumeBatch(into:timeoutMilliseconds:)``.
        case mergedQueue
    }

    /// `host:port`, comma-separated.
    public var bootstrapServers: String
    /// The consumer group. Needed by librdkafka also where offsets are assigned explicitly.
    public var groupID: String
    /// Makes the membership static: a restart within the session timeout causes no rebalance. Unique in the group.
    public var groupInstanceID: String?
    /// What brokers call this client in their logs and quotas.
    public var clientID = "driftgate"
    public var isolation = Isolation.readCommitted
    public var offsetReset = OffsetReset.error
    public var delivery = Delivery.partitionQueues
    /// How long the group waits for a member that went silent; longer than a broker's restart takes, or a static member
    /// is fenced for good.
    public var sessionTimeoutMilliseconds = 45_000
    /// How long ``Consumer/poll(timeoutMilliseconds:)`` may stay away before the group takes the partitions back.
    public var maxPollIntervalMilliseconds = 300_000
    /// How much is fetched ahead: a partition at most with partition queues, all together with merged delivery. So
    /// memory is bounded by this times the number of partitions.
    ///
    /// Once it is reached, fetching pauses for a second (librdkafka before 2.2 has no setting for that): it must hold
    /// 1.5 times what the busiest partition is read at in a second, or reading stalls. 65 536 suits live reading,
    /// 262 144 one partition that is read back at full speed.
    public var prefetchKilobytes = 65_536
    /// How many records are fetched ahead, with the same effect as ``prefetchKilobytes``.
    public var prefetchMessages = 1_000_000
    /// How often statistics arrive as ``ClientEvent/statistics(_:)``; 0 is never.
    public var statisticsIntervalMilliseconds = 0
    /// Passed on to librdkafka as it is; wins over the defaults. Keys that would break a guarantee are refused.
    public var additional: [String: String] = [:]

    public init(bootstrapServers: String, groupID: String) {
        self.bootstrapServers = bootstrapServers
        self.groupID = groupID
    }

    /// Checks all keys and values without connecting.
    ///
    /// - Throws: `_INVALID_ARG` that names the setting and says what to do.
    public func validate() throws(KafkaError) {
        _ = try nativeConfiguration()
    }

    func nativeConfiguration() throws(KafkaError) -> NativeConfiguration {
        try RefusedSettings.consumer.check(additional)
        let configuration = NativeConfiguration()
        try configuration.set(defaults)
        try configuration.set(additional)
        return configuration
    }

    private var defaults: [String: String] {
        var values = [
            "bootstrap.servers": bootstrapServers,
            "group.id": groupID,
            "client.id": clientID,
            "isolation.level": isolation.rawValue,
            "auto.offset.reset": offsetReset.rawValue,
            "session.timeout.ms": String(sessionTimeoutMilliseconds),
            "max.poll.interval.ms": String(max(maxPollIntervalMilliseconds, sessionTimeoutMilliseconds)),
            "statistics.interval.ms": String(statisticsIntervalMilliseconds),
            // Offsets are committed with the state that they belong to, never behind the application's back.
            "enable.auto.commit": "false",
            "enable.auto.offset.store": "false",
            "enable.partition.eof": "true",
            // Gives equal partition numbers of several topics to the same member. A group that mixes strategies
            // cannot form.
            "partition.assignment.strategy": "range",
            // The broker answers an idle fetch after this time; the default of 500 is what a quiet topic's latency is.
            "fetch.wait.max.ms": "10",
            "queued.min.messages": String(prefetchMessages),
            "queued.max.messages.kbytes": String(prefetchKilobytes),
            "socket.nagle.disable": "true",
            // Log lines come out of `poll` instead of being written to standard error by librdkafka's threads.
            "log.queue": "true",
        ]
        if let groupInstanceID { values["group.instance.id"] = groupInstanceID }
        return values
    }
}
