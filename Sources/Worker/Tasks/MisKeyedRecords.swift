import Contracts
import Kafka
import Retraining

/// Records that came on another partition than their model belongs to: another task would decide about the same model.
struct MisKeyedRecords {
    private(set) var total: UInt64 = 0
    private var reported: UInt64 = 0
    private var lastReport: Milliseconds?
    private var topic = ""

    mutating func note(_ topic: String) {
        total += 1
        self.topic = topic
    }

    /// What to say about new ones, at most once an hour.
    mutating func news(at now: Milliseconds) -> String? {
        guard total > reported, lastReport.map({ now - $0 >= .hour }) ?? true else { return nil }
        reported = total
        lastReport = now
        return """
            \(total) records of \(topic) came on a partition that their model does not belong to, and were refused. Key \
            them by the model's name with the Java clients' partitioner: `partitioner=murmur2_random` in librdkafka and \
            what is built on it (confluent-kafka, kcat -X); Java's own default is right
            """
    }
}

extension ActiveTask {
    /// Whether a prediction or actual names a model that another task decides about.
    func isMisKeyed(_ record: DecodedRecord, _ partitions: Int) -> Bool {
        let model: BorrowedText
        switch record {
        case .prediction(let record): model = record.model
        case .actual(let record): model = record.model
        default: return false
        }
        // Without a model there is nothing to hold against: such a record serves the models of its own partition.
        guard let base = model.base, model.count > 0 else { return false }
        return Partitioner.murmur2(UnsafeRawBufferPointer(start: base, count: model.count), partitions) != number
    }

    func misKeyedRejection(_ input: InputPartition, _ partitions: Int) -> Rejection {
        Rejection(
            .misKeyed, field: "model",
            detail: """
                Partition \(number) of \(partitions) is not that of the record's model. Key records by the model's name \
                with murmur2: partitioner=murmur2_random in librdkafka; Java's default is right.
                """)
    }
}
