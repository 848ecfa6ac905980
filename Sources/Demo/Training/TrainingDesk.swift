import Foundation
import Kafka
import Retraining

/// A trainer at its topics: takes requests, has them trained, and says how it went.
final class TrainingDesk {
    /// What a training produced.
    struct Trained {
        var version: String
        var metrics: [String: Double]
    }

    /// What happened, for whoever tells the story.
    enum Step {
        case rejected(RequestEvent, [String])
        case repeated(RequestEvent)
        case accepted(RequestEvent)
        case started(RequestEvent)
        case succeeded(RequestEvent, Trained)
        case failed(RequestEvent, String)
    }

    private let consumer: Consumer
    private let publisher: RecordPublisher
    private let batch = MessageBatch(capacity: 64)
    private var book: RequestBook

    /// The requests that were answered, whatever the answer.
    var answered: Set<String> { book.answered }

    init(bootstrapServers: String, models: Set<String>, publisher: RecordPublisher) throws(KafkaError) {
        var configuration = ConsumerConfiguration(
            bootstrapServers: bootstrapServers, groupID: "driftgate-demo-trainer")
        configuration.clientID = "driftgate-demo-trainer"
        configuration.offsetReset = .earliest
        configuration.delivery = .mergedQueue
        consumer = try Consumer(configuration)
        self.publisher = publisher
        book = RequestBook(models: models)
        try consumer.subscribe([Topics.requests])
    }

    /// Serves the requests that have come. Trains on this thread: the caller's stream stands still meanwhile.
    ///
    /// - Parameters:
    ///   - now: stream time.
    ///   - train: does the training; `progress` takes 0 to 1 and says so on the topic.
    ///   - tell: hears every step.
    func serve(
        now: Milliseconds, train: (RequestEvent, _ progress: (Double) throws -> Void) throws -> Trained,
        tell: (Step) -> Void
    ) throws {
        if case .error(let failure) = consumer.poll(timeoutMilliseconds: 0), failure.isFatal { throw failure }
        var requests: [RequestEvent] = []
        var handled: [TopicPartitionOffset] = []
        _ = try consumer.consumeBatch(into: batch, timeoutMilliseconds: 0)
        for message in batch where message.isRecord {
            handled.append(
                TopicPartitionOffset(TopicPartition(message.topicName, message.partition), message.offset + 1))
            if case .request(let request)? = try? WorkerEvent(Data(message.value)) { requests.append(request) }
        }
        batch.clear()
        for request in requests { try serve(request, now: now, train: train, tell: tell) }
        // Only what has been answered is committed: a trainer that dies in between is asked again.
        if let last = handled.last { try consumer.commit([last]) }
    }

    func close() {
        batch.clear()
        try? consumer.close()
    }

    private func serve(
        _ request: RequestEvent, now: Milliseconds,
        train: (RequestEvent, _ progress: (Double) throws -> Void) throws -> Trained, tell: (Step) -> Void
    ) throws {
        let id = request.requestID
        switch book.receive(request, at: now) {
        case .repeatLast(let status):
            try publisher.trainingStatus(status, timestamp: now)
            tell(.repeated(request))
        case .reject(let faults):
            try say(TrainingStatusRecord(requestID: id, status: .rejected, at: now, errors: faults), now)
            tell(.rejected(request, faults))
        case .train:
            try say(TrainingStatusRecord(requestID: id, status: .accepted, at: now, runID: "run-\(id)"), now)
            tell(.accepted(request))
            try say(TrainingStatusRecord(requestID: id, status: .started, at: now, runID: "run-\(id)"), now)
            tell(.started(request))
            do {
                let trained = try train(request) { share in
                    try self.say(
                        TrainingStatusRecord(requestID: id, status: .progress, at: now, progress: share), now)
                }
                try say(
                    TrainingStatusRecord(
                        requestID: id, status: .succeeded, at: now, modelVersion: trained.version, progress: 1,
                        metrics: trained.metrics), now)
                tell(.succeeded(request, trained))
            } catch let error as Forecaster.TrainingError {
                try say(
                    TrainingStatusRecord(requestID: id, status: .failed, at: now, errors: [error.description]), now)
                tell(.failed(request, error.description))
            }
        }
    }

    private func say(_ status: TrainingStatusRecord, _ now: Milliseconds) throws(KafkaError) {
        book.said(status)
        try publisher.trainingStatus(status, timestamp: now)
    }
}
