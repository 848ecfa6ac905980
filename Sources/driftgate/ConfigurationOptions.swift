import ArgumentParser
import Foundation
import Operations
import Worker

/// Where the configuration comes from: the same for every command.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .long, help: "The YAML file.")
    var config: String?

    @Option(
        name: .customLong("set"), help: "A setting that overrides file and environment, such as kafka.group_id=blue.")
    var overrides: [String] = []

    /// Reads and checks everything, now or later, on whatever thread.
    var reader: @Sendable () throws(ConfigurationErrors) -> Configuration {
        let (config, overrides) = (config, overrides)
        return { () throws(ConfigurationErrors) in
            try Configuration.load(
                file: config, environment: ProcessInfo.processInfo.environment, overrides: overrides)
        }
    }

    /// Reads and checks everything; prints what is wrong and ends with status 2.
    func load() throws -> Configuration {
        do throws(ConfigurationErrors) { return try reader() } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode(2)
        }
    }
}

extension Configuration {
    /// What of it the worker needs.
    func workerOptions() throws -> WorkerOptions {
        var options = WorkerOptions()
        options.engine = engine
        options.kafka.bootstrapServers = kafka.bootstrapServers.joined(separator: ",")
        options.kafka.clientID = kafka.clientID
        options.kafka.groupID = kafka.groupID
        options.kafka.groupInstanceID = kafka.groupInstanceID
        options.kafka.sessionTimeoutMilliseconds = Int(kafka.sessionTimeoutMilliseconds)
        options.kafka.transactions = kafka.transactions
        options.kafka.transactionTimeoutMilliseconds = Int(kafka.transactionTimeoutMilliseconds)
        options.kafka.properties = try kafka.connectionProperties()
        options.topics = topics
        options.input = input
        options.fields = contracts
        options.output = output
        options.worker = worker
        options.settings = settingsText
        options.readSettings = { text in
            try Configuration.load(yaml: Array(text.utf8), name: "the state's configuration").engine
        }
        return options
    }
}
