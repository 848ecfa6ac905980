import Kafka
import Retraining

extension TrainingRequest {
    /// Moves what begins before the log does, and says that the stretch is not complete then.
    ///
    /// The engine names offsets that it has read at some time; retention may have removed records since.
    ///
    /// - Parameter start: the first offset that a partition still holds; nil where the brokers do not say.
    mutating func hold(againstStart start: (TopicPartition) -> Int64?) {
        for index in offsets.indices {
            let range = offsets[index]
            guard let first = start(TopicPartition(range.topic, range.partition)), first > range.from else { continue }
            offsets[index].from = min(first, range.to)
            offsetsComplete = false
        }
    }
}
