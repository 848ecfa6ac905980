import Kafka

/// The topics of the demo's broker, under the names that the worker has by default.
enum Topics {
    static let predictions = "predictions"
    static let actuals = "actuals"
    static let load = "load"
    static let trainingStatus = "training-status"
    static let commands = "driftgate-commands"
    static let decisions = "retraining-decisions"
    static let requests = "training-requests"
    static let alerts = "retraining-alerts"
    static let state = "driftgate-state"
    static let deadLetters = "driftgate-dead-letters"

    /// The embedded broker keeps 5 MiB a partition, so what carries bulk gets several.
    static func create(on broker: EmbeddedBroker, bulkPartitions: Int) throws(KafkaError) {
        for name in [predictions, actuals, load, decisions, state] {
            try broker.createTopic(name, partitions: bulkPartitions)
        }
        for name in [trainingStatus, commands, requests, alerts, deadLetters] {
            try broker.createTopic(name, partitions: 1)
        }
    }
}
