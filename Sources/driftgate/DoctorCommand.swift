import ArgumentParser
import Foundation
import Operations
import Retraining

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at everything that a worker needs; say for each finding what mends it.",
        discussion: """
            Brokers, topics and their settings, what the group may do, clocks, disk, secrets, and whether a restart \
            would find what it has to read again. Joins no group, and changes nothing: whether topics may be written is \
            tried with --write only, by a record each in a transaction that is aborted.

            driftgate doctor --config driftgate.yaml
            driftgate doctor --config driftgate.yaml --write      # after granting access
            driftgate doctor --config driftgate.yaml --notify     # also sends a test notification by every channel

            Exit status: 0 without errors (warnings may be there), 1 with errors, 2 for a wrong configuration.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Only warnings and errors.")
    var quiet = false

    @Flag(help: "Send a test notification by every channel that is configured.")
    var notify = false

    @Flag(help: "Try to write to each output, in a transaction that is aborted.")
    var write = false

    func run() throws {
        let configuration = try options.load()
        var (errors, warnings) = (0, 0)
        func report(_ finding: DoctorFinding) {
            if finding.severity == .error { errors += 1 }
            if finding.severity == .warning { warnings += 1 }
            if !quiet || finding.severity != .good { print(finding) }
        }
        report(DoctorFinding(.good, "configuration", "valid, hash \(configuration.fingerprint)"))
        do {
            let workerOptions = try configuration.workerOptions()
            Doctor(configuration, workerOptions, file: options.config, tryWriting: write, report: report)
                .examine()
        } catch {
            report(DoctorFinding(.error, "secrets", "\(error)"))
        }
        if notify { Notifications.test(configuration).forEach(report) }
        print("\(errors) errors, \(warnings) warnings")
        if errors > 0 { throw ExitCode(1) }
    }
}
