import Kafka
import Retraining
import Testing

@testable import Operations
@testable import Worker

/// Protects: what a worker may not write is found before it starts, with the command that grants it.
@Suite(.serialized) struct WriteCheckTests {
    private let broker: EmbeddedBroker
    private let topics: TopicOptions
    private let options: WorkerOptions

    init() throws {
        broker = try EmbeddedBroker()
        var topics = TopicOptions()
        topics.bootstrapServers = "broker:9092"
        topics.principal = "User:dg"
        for topic in topics.topicNames { try broker.createTopic(topic, partitions: 1) }
        self.topics = topics
        var options = WorkerOptions()
        options.kafka.bootstrapServers = broker.bootstrapServers
        options.kafka.groupID = "blue"
        self.options = options
    }

    private func findings(tryingTopics: Bool) -> [DoctorFinding] {
        WriteCheck(options: options, topics: topics).findings(tryingTopics: tryingTopics)
    }

    @Test func everythingIsAllowed() {
        #expect(findings(tryingTopics: false).map(\.severity) == [.good, .good])
        let found = findings(tryingTopics: true)
        #expect(found.map(\.severity) == Array(repeating: .good, count: 6), "\(found)")
        #expect(found.dropFirst().map(\.subject) == topics.outputs + [topics.names.state])
    }

    @Test func aTopicThatIsDenied() throws {
        // The first topic that is tried.
        broker.inject([.topicAuthorizationFailed], into: .addPartitionsToTransaction)
        let found = findings(tryingTopics: true)
        let denied = found.filter { $0.severity == .error }
        #expect(denied.map(\.subject) == [topics.names.decisions], "\(found)")
        #expect(
            denied.first?.remedy
                == "kafka-acls.sh --bootstrap-server broker:9092 --add --allow-principal 'User:dg' --operation Write "
                + "--operation Describe --topic 'retraining-decisions'", "\(denied)")
        // The others were tried all the same.
        #expect(found.count == 6)
    }

    @Test func transactionsThatAreDenied() {
        broker.inject([.transactionalIDAuthorizationFailed], into: .initProducerID)
        let found = findings(tryingTopics: true)
        #expect(found.map(\.severity) == [.error])
        #expect(found.first?.subject == "transactions")
        #expect(
            found.first?.remedy
                == "kafka-acls.sh --bootstrap-server broker:9092 --add --allow-principal 'User:dg' --operation Write "
                + "--operation Describe --transactional-id 'blue-' --resource-pattern-type prefixed")
    }

    @Test func withoutTransactionsNothingIsTried() {
        var options = options
        options.kafka.transactions = false
        let found = WriteCheck(options: options, topics: topics).findings(tryingTopics: true)
        #expect(found.map(\.severity) == [.good])
    }
}
