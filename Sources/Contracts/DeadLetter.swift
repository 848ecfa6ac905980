/// The reason headers of a dead letter, under the names that Kafka Connect uses (`DeadLetterQueueReporter`), so that
/// tools made for Connect's dead letters read these as well.
///
/// A dead letter keeps key, value and headers of the original, byte for byte; these headers are added behind them.
public enum DeadLetter {
    public static let topicHeader = "__connect.errors.topic"
    public static let partitionHeader = "__connect.errors.partition"
    public static let offsetHeader = "__connect.errors.offset"
    public static let applicationHeader = "__connect.errors.connector.name"
    public static let taskHeader = "__connect.errors.task.id"
    public static let stageHeader = "__connect.errors.stage"
    public static let classHeader = "__connect.errors.class.name"
    /// Holds the reason code, which is bounded.
    public static let reasonHeader = "__connect.errors.exception.class.name"
    /// Holds the detail for a person.
    public static let messageHeader = "__connect.errors.exception.message"

    /// - Parameters:
    ///   - topic, partition, offset: where the original stands.
    ///   - task: number of the task that read it.
    public static func headers(
        for rejection: Rejection, topic: String, partition: Int32, offset: Int64, applicationID: String, task: Int = 0
    ) -> [EventHeader] {
        [
            EventHeader(topicHeader, topic),
            EventHeader(partitionHeader, String(partition)),
            EventHeader(offsetHeader, String(offset)),
            EventHeader(applicationHeader, applicationID),
            EventHeader(taskHeader, String(task)),
            EventHeader(stageHeader, "VALUE_CONVERTER"),
            EventHeader(classHeader, "driftgate.RecordDecoder"),
            EventHeader(reasonHeader, rejection.reason.rawValue),
            EventHeader(messageHeader, rejection.detail),
        ]
    }
}
