internal import CLibrdkafka

/// Transactions of a producer with a ``ProducerConfiguration/transactionalID``.
///
/// Every function throws an error whose ``KafkaError/recovery`` says what to do. A timeout is retriable: the same call
/// again with the same arguments goes on waiting. When that is not wanted any more the outcome is unknown, and only a
/// new producer (and restoring from the log) is safe.
extension Producer {
    /// Claims the transactional id: fences older producers with it and finishes what they left open. Once, first.
    ///
    /// - Throws: retriable while the coordinator cannot be reached or an old transaction is being finished.
    public func initTransactions(timeoutMilliseconds: Int) throws(KafkaError) {
        try KafkaError.check(
            rd_kafka_init_transactions(try client("initialise transactions"), Int32(milliseconds: timeoutMilliseconds)),
            "initialise transactions")
    }

    /// Starts a transaction; everything produced from now on belongs to it.
    public func beginTransaction() throws(KafkaError) {
        try KafkaError.check(
            rd_kafka_begin_transaction(try client("begin a transaction")), "begin a transaction")
    }

    /// Makes the consumer's offsets part of the transaction.
    ///
    /// - Parameters:
    ///   - offsets: those of the next records to read.
    ///   - group: taken when the partitions were assigned.
    /// - Throws: `ILLEGAL_GENERATION`, `UNKNOWN_MEMBER_ID`, `REBALANCE_IN_PROGRESS` require an abort: the group has
    ///   moved on. `FENCED` and `INVALID_PRODUCER_EPOCH` are fatal.
    public func sendOffsets(
        _ offsets: [TopicPartitionOffset], _ group: GroupMetadata, timeoutMilliseconds: Int
    ) throws(KafkaError) {
        let client = try client("send offsets to the transaction")
        let list = try TopicPartitionList(offsets)
        let result = withExtendedLifetime(group) {
            list.use {
                rd_kafka_send_offsets_to_transaction(
                    client, $0, group.native, Int32(milliseconds: timeoutMilliseconds))
            }
        }
        try KafkaError.check(result, "send offsets to the transaction")
    }

    /// Flushes and commits. If any record of the transaction failed, this throws an error that requires an abort.
    public func commitTransaction(timeoutMilliseconds: Int) throws(KafkaError) {
        try KafkaError.check(
            rd_kafka_commit_transaction(try client("commit the transaction"), Int32(milliseconds: timeoutMilliseconds)),
            "commit the transaction")
    }

    /// Throws the transaction away; its undelivered records are counted as ``DeliveryCounts/purged``.
    ///
    /// - Throws: `_STATE` without any flag when there is nothing to abort, such as after a commit that succeeded.
    public func abortTransaction(timeoutMilliseconds: Int) throws(KafkaError) {
        try KafkaError.check(
            rd_kafka_abort_transaction(try client("abort the transaction"), Int32(milliseconds: timeoutMilliseconds)),
            "abort the transaction")
    }
}
