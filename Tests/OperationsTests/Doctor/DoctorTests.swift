import Foundation
import Kafka
import Retraining
import Testing

@testable import Operations
@testable import Worker

/// Protects that a finding is right, and names the command that mends it.
@Suite struct DoctorTests {
    private let options: TopicOptions = {
        var options = TopicOptions()
        options.bootstrapServers = "broker:9092"
        return options
    }()

    private func state(next: Int64 = 100, from: Int64 = 40) -> TaskState {
        TaskState(
            task: 0, checkpoint: 7, owner: "driftgate-a", group: "driftgate", applicationID: "driftgate",
            evaluations: 3, bytes: 12_345,
            inputs: [.init(partition: TopicPartition("predictions", 1), next: next, replayFrom: from)])
    }

    private func findings(_ state: TaskState?, low: Int64 = 0, high: Int64 = 120) -> [DoctorFinding] {
        RestoreCheck.findings(
            state, [TopicPartition("predictions", 1): (low, high)], options, group: "driftgate",
            applicationID: "driftgate")
    }

    @Test func aRestartThatFindsEverything() throws {
        let found = findings(state())
        #expect(found.map(\.severity) == [.good])
        #expect(
            found[0].text
                == "checkpoint 7 by driftgate-a; a restart reads 12 kB of state and 60 records again, and does 3 "
                + "evaluations again; 20 records are still to come")
    }

    @Test func recordsThatARestartNeedsAreGone() {
        let found = findings(state(), low: 50)
        #expect(found[0].severity == .error)
        #expect(found[0].text.contains("10 records are gone"))
        #expect(
            found[0].remedy
                == "kafka-configs.sh --bootstrap-server broker:9092 --alter --entity-type topics --entity-name "
                + "predictions --add-config retention.ms=3110400000")
    }

    @Test func aTopicThatWasMadeAnew() {
        #expect(findings(state(), high: 12)[0].text.contains("made anew"))
    }

    @Test func anotherInstallationsState() {
        var other = state()
        other.group = "blue"
        #expect(findings(other).map(\.severity) == [.error])
        #expect(findings(nil).map(\.severity) == [.good])
    }

    @Test func clocksOfProducers() {
        func severity(_ ahead: Milliseconds) -> DoctorFinding.Severity {
            MachineCheck.newest("t", at: 1_000_000 + ahead, now: 1_000_000, farFuture: 600_000).severity
        }
        #expect(severity(-86_400_000) == .good)
        #expect(severity(4_000) == .good)
        #expect(severity(60_000) == .warning)
        #expect(severity(700_000) == .error)
        #expect(MachineCheck.clock("no").remedy == "timedatectl set-ntp true")
        #expect(MachineCheck.clock("yes").severity == .good)
    }

    @Test func secretsAreThereAndNotForEverybody() throws {
        let folder = try TemporaryDirectory()
        try folder.write("secret\n", to: "token")
        var configuration = Configuration()
        configuration.http.tokenFile = folder.path + "/token"
        chmod(folder.path + "/token", 0o600)
        #expect(MachineCheck.secrets(configuration).map(\.severity) == [.good])
        chmod(folder.path + "/token", 0o644)
        #expect(MachineCheck.secrets(configuration).map(\.severity) == [.warning])
        configuration.http.tokenFile = folder.path + "/none"
        #expect(MachineCheck.secrets(configuration).map(\.severity) == [.error])
        #expect(MachineCheck.secrets(Configuration()).isEmpty)
    }

    @Test func aFolderThatIsNotThereYet() throws {
        let folder = try TemporaryDirectory()
        var configuration = Configuration()
        configuration.output.logDirectory = folder.path + "/a/b/c"
        #expect(MachineCheck.disk(configuration).first.map { $0.severity != .error } == true)
        configuration.output.logDirectory = nil
        #expect(MachineCheck.disk(configuration).isEmpty)
    }

    @Test func accessRightsAreWhatIsNeeded() {
        let plan = AccessPlan(options, groupID: "blue", principal: "User:dg", trainer: "User:tr")
        #expect(
            plan.commands.contains(
                "kafka-acls.sh --bootstrap-server broker:9092 --add --allow-principal 'User:dg' --operation Write "
                    + "--operation Describe --transactional-id 'blue-' --resource-pattern-type prefixed"))
        let writes = plan.commands.filter { $0.contains("'User:dg'") && $0.contains("Write") }.joined()
        for input in ["predictions", "actuals", "load", "training-status", "driftgate-commands"] {
            #expect(!writes.contains("--topic '\(input)'"), "a worker writes no \(input)")
        }
        #expect(!plan.commands.contains { $0.contains("All") || $0.contains("'*'") })
        #expect(plan.commands.filter { $0.contains("'User:tr'") }.count == 3)
    }
}
