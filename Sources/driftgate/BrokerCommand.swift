import ArgumentParser
import Foundation
import Kafka

struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "Run the embedded broker with driftgate's topics, to try trainers on.",
        discussion: """
            Prints its address and stays until SIGTERM or SIGINT. It keeps 5 MiB a partition, persists nothing and only \
            keeps books of transactions: set kafka.transactions=false for the worker.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Partitions of predictions, actuals, load, decisions and state.")
    var partitions = 4

    func validate() throws {
        guard (1...64).contains(partitions) else { throw ValidationError("--partitions takes a number from 1 to 64") }
    }

    func run() throws {
        let topics = try options.load().topics
        // Before the broker's threads are made, so that the signals are left to this one.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let broker = try EmbeddedBroker()
        for topic in [topics.predictions, topics.actuals, topics.load, topics.decisions, topics.state] {
            try broker.createTopic(topic, partitions: partitions)
        }
        for topic in [topics.trainingStatus, topics.commands, topics.requests, topics.alerts, topics.deadLetters] {
            try broker.createTopic(topic, partitions: 1)
        }
        FileHandle.standardOutput.write(Data("\(broker.bootstrapServers)\n".utf8))
        var received: Int32 = 0
        withExtendedLifetime(broker) { _ = sigwait(&signals, &received) }
    }
}
