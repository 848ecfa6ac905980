internal import CLibrdkafka

extension KafkaError.Code {
    // Raised by librdkafka itself.

    /// A fatal error; ``Consumer/fatalError`` and ``Producer/fatalError`` tell which.
    public static let fatal = Self(RD_KAFKA_RESP_ERR__FATAL)
    /// Another producer took over the transactional id.
    public static let fenced = Self(RD_KAFKA_RESP_ERR__FENCED)
    public static let timedOut = Self(RD_KAFKA_RESP_ERR__TIMED_OUT)
    public static let timedOutInQueue = Self(RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE)
    /// The record was not acknowledged within `delivery.timeout.ms`.
    public static let messageTimedOut = Self(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
    public static let queueFull = Self(RD_KAFKA_RESP_ERR__QUEUE_FULL)
    public static let partitionEOF = Self(RD_KAFKA_RESP_ERR__PARTITION_EOF)
    public static let transport = Self(RD_KAFKA_RESP_ERR__TRANSPORT)
    public static let resolve = Self(RD_KAFKA_RESP_ERR__RESOLVE)
    public static let allBrokersDown = Self(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    public static let ssl = Self(RD_KAFKA_RESP_ERR__SSL)
    public static let authentication = Self(RD_KAFKA_RESP_ERR__AUTHENTICATION)
    public static let unknownTopic = Self(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
    public static let unknownPartition = Self(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
    public static let invalidArgument = Self(RD_KAFKA_RESP_ERR__INVALID_ARG)
    /// The call does not fit the state of the client, such as an abort after a successful commit.
    public static let invalidState = Self(RD_KAFKA_RESP_ERR__STATE)
    public static let conflict = Self(RD_KAFKA_RESP_ERR__CONFLICT)
    public static let noOffset = Self(RD_KAFKA_RESP_ERR__NO_OFFSET)
    public static let inProgress = Self(RD_KAFKA_RESP_ERR__IN_PROGRESS)
    public static let previousInProgress = Self(RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS)
    public static let waitingForCoordinator = Self(RD_KAFKA_RESP_ERR__WAIT_COORD)
    public static let partial = Self(RD_KAFKA_RESP_ERR__PARTIAL)
    public static let retry = Self(RD_KAFKA_RESP_ERR__RETRY)
    public static let purgedFromQueue = Self(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
    public static let purgedInFlight = Self(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
    public static let inconsistent = Self(RD_KAFKA_RESP_ERR__INCONSISTENT)
    public static let gaplessGuarantee = Self(RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE)
    public static let maxPollExceeded = Self(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
    public static let notConfigured = Self(RD_KAFKA_RESP_ERR__NOT_CONFIGURED)
    public static let assignmentLost = Self(RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST)
    /// There is no committed offset, or it is outside the log, and the configuration says to stop then.
    public static let autoOffsetReset = Self(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
    public static let unsupportedFeature = Self(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
    public static let systemResource = Self(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE)

    // Answered by brokers.

    public static let unknown = Self(RD_KAFKA_RESP_ERR_UNKNOWN)
    public static let none = Self(RD_KAFKA_RESP_ERR_NO_ERROR)
    public static let offsetOutOfRange = Self(RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
    public static let unknownTopicOrPartition = Self(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    public static let leaderNotAvailable = Self(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
    public static let notLeaderForPartition = Self(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION)
    public static let requestTimedOut = Self(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
    public static let messageTooLarge = Self(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    public static let offsetMetadataTooLarge = Self(RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE)
    public static let networkException = Self(RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION)
    public static let coordinatorLoadInProgress = Self(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS)
    public static let coordinatorNotAvailable = Self(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE)
    public static let notCoordinator = Self(RD_KAFKA_RESP_ERR_NOT_COORDINATOR)
    public static let notEnoughReplicas = Self(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS)
    public static let notEnoughReplicasAfterAppend = Self(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    public static let illegalGeneration = Self(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
    public static let unknownMemberID = Self(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
    public static let rebalanceInProgress = Self(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
    public static let topicAuthorizationFailed = Self(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    public static let groupAuthorizationFailed = Self(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
    public static let clusterAuthorizationFailed = Self(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
    public static let topicAlreadyExists = Self(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
    public static let invalidConfiguration = Self(RD_KAFKA_RESP_ERR_INVALID_CONFIG)
    public static let outOfOrderSequenceNumber = Self(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
    public static let invalidProducerEpoch = Self(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
    public static let invalidTransactionState = Self(RD_KAFKA_RESP_ERR_INVALID_TXN_STATE)
    public static let invalidProducerIDMapping = Self(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING)
    public static let concurrentTransactions = Self(RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS)
    public static let transactionCoordinatorFenced = Self(RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED)
    public static let transactionalIDAuthorizationFailed =
        Self(RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    public static let storageError = Self(RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR)
    public static let saslAuthenticationFailed = Self(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
    public static let unknownProducerID = Self(RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID)
    public static let fencedInstanceID = Self(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
    /// A transaction that wrote these offsets is still open; asking again later succeeds.
    public static let unstableOffsetCommit = Self(RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
    public static let throttlingQuotaExceeded = Self(RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED)
    public static let producerFenced = Self(RD_KAFKA_RESP_ERR_PRODUCER_FENCED)

    /// The name in the protocol or in librdkafka, such as `UNKNOWN_TOPIC_OR_PART` or `_TIMED_OUT`; bounded, so that it
    /// can label a metric.
    public var name: String {
        let name = rd_kafka_err2name(native).map { String(cString: $0) } ?? ""
        return name.isEmpty || name.hasPrefix("ERR_") ? "ERR_\(rawValue)" : name
    }

    init(_ native: rd_kafka_resp_err_t) {
        self.init(rawValue: Int32(native.rawValue))
    }

    var native: rd_kafka_resp_err_t {
        rd_kafka_resp_err_t(rawValue: rawValue)
    }
}

extension KafkaError {
    /// Errors that pass by themselves: the same call may succeed a moment later.
    static let transientCodes: Set<Code> = [
        .timedOut, .timedOutInQueue, .queueFull, .transport, .resolve, .allBrokersDown, .inProgress,
        .previousInProgress, .waitingForCoordinator, .retry, .leaderNotAvailable, .notLeaderForPartition,
        .requestTimedOut, .networkException, .coordinatorLoadInProgress, .coordinatorNotAvailable, .notCoordinator,
        .notEnoughReplicas, .notEnoughReplicasAfterAppend, .concurrentTransactions, .storageError,
        .unstableOffsetCommit, .throttlingQuotaExceeded, .rebalanceInProgress,
    ]

    /// Errors after which the client that met them cannot go on, whether or not librdkafka flags them.
    static let fatalCodes: Set<Code> = [
        .fatal, .fenced, .fencedInstanceID, .producerFenced, .invalidProducerEpoch, .outOfOrderSequenceNumber,
        .invalidProducerIDMapping, .transactionCoordinatorFenced, .gaplessGuarantee,
    ]
}
