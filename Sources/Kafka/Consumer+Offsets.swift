internal import CLibrdkafka

extension Consumer {
    /// Commits these offsets (those of the next records to read) for the group, and waits for the answer.
    ///
    /// Blocks the thread for as long as the coordinator takes to answer, at most `socket.timeout.ms`.
    public func commit(_ offsets: [TopicPartitionOffset]) throws(KafkaError) {
        let client = try client("commit offsets")
        guard !offsets.isEmpty else { return }
        let list = try TopicPartitionList(offsets)
        let outcome = CommitOutcome()
        let result = list.use { list in
            rd_kafka_commit_queue(
                client, list, nil,
                { _, code, offsets, opaque in
                    guard let opaque else { return }
                    Unmanaged<CommitOutcome>.fromOpaque(opaque).takeUnretainedValue().note(code, offsets)
                }, Unmanaged.passUnretained(outcome).toOpaque())
        }
        if let failure = withExtendedLifetime(outcome, { outcome.failure }) { throw failure }
        try KafkaError.check(result, "commit offsets")
    }

    /// Commits these offsets without waiting; a failure comes as an event out of ``poll(timeoutMilliseconds:)``.
    public func commitAsync(_ offsets: [TopicPartitionOffset]) throws(KafkaError) {
        let client = try client("commit offsets")
        guard !offsets.isEmpty else { return }
        let list = try TopicPartitionList(offsets)
        try KafkaError.check(list.use { rd_kafka_commit(client, $0, 1) }, "commit offsets")
    }

    /// What the group committed, with the metadata stored along; ``Offset/unset`` where nothing was.
    ///
    /// - Throws: with read-committed isolation `UNSTABLE_OFFSET_COMMIT` (or a timeout) while a transaction that writes
    ///   these offsets is open: ask again.
    public func committed(
        _ partitions: [TopicPartition], timeoutMilliseconds: Int
    ) throws(KafkaError) -> [TopicPartitionOffset] {
        let client = try client("read committed offsets")
        guard !partitions.isEmpty else { return [] }
        let list = TopicPartitionList(partitions)
        let result = list.use { rd_kafka_committed(client, $0, Int32(milliseconds: timeoutMilliseconds)) }
        try KafkaError.check(result, "read committed offsets")
        return try list.checkedElements("read committed offsets")
    }

    /// The offset after the last record that was handed out in a batch, whether or not the caller has looked at it;
    /// ``Offset/unset`` where none was.
    public func position(_ partitions: [TopicPartition]) throws(KafkaError) -> [TopicPartitionOffset] {
        let client = try client("read positions")
        let list = TopicPartitionList(partitions)
        try KafkaError.check(list.use { rd_kafka_position(client, $0) }, "read positions")
        return try list.checkedElements("read positions")
    }

    /// Asks the partition's leader for the bounds of the log.
    public func watermarks(
        _ partition: TopicPartition, timeoutMilliseconds: Int
    ) throws(KafkaError) -> Watermarks {
        let client = try client("read watermarks")
        var watermarks = Watermarks(low: 0, high: 0)
        let result = rd_kafka_query_watermark_offsets(
            client, partition.topic, partition.partition, &watermarks.low, &watermarks.high,
            Int32(milliseconds: timeoutMilliseconds))
        try KafkaError.check(
            result, "read watermarks", topic: partition.topic, partition: partition.partition)
        return watermarks
    }

    /// The first offset of each partition whose record is not older than the given time in milliseconds;
    /// ``Offset/end`` where all are older.
    public func offsets(
        at times: [TopicPartition: Int64], timeoutMilliseconds: Int
    ) throws(KafkaError) -> [TopicPartitionOffset] {
        let client = try client("find offsets by time")
        guard !times.isEmpty else { return [] }
        // librdkafka takes the times in the place of the offsets, and replaces them.
        let list = try TopicPartitionList(
            times.sorted { $0.key < $1.key }.map { TopicPartitionOffset($0.key, $0.value) })
        let result = list.use { rd_kafka_offsets_for_times(client, $0, Int32(milliseconds: timeoutMilliseconds)) }
        try KafkaError.check(result, "find offsets by time")
        return try list.checkedElements("find offsets by time")
    }

    /// Who this member is in the current generation, for ``Producer/sendOffsets(_:_:timeoutMilliseconds:)``.
    ///
    /// Take it in ``RebalanceHandler/assigned``.
    public func groupMetadata() throws(KafkaError) -> GroupMetadata {
        guard let native = rd_kafka_consumer_group_metadata(try client("read the group metadata")) else {
            throw KafkaError(code: .notConfigured, operation: "read the group metadata")
        }
        return GroupMetadata(owning: native)
    }

    /// Asks the brokers about one topic, or about all.
    public func metadata(topic: String?, timeoutMilliseconds: Int) throws(KafkaError) -> Metadata {
        try Metadata(client: try client("read metadata"), topic: topic, timeoutMilliseconds: timeoutMilliseconds)
    }
}

/// What a commit came to, with the error of the first partition that failed.
private final class CommitOutcome {
    var failure: KafkaError?

    func note(_ code: rd_kafka_resp_err_t, _ offsets: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) {
        do {
            if let offsets { try TopicPartitionList.checkElements(offsets, "commit offsets") }
            try KafkaError.check(code, "commit offsets")
        } catch {
            failure = error
        }
    }
}
