import ArgumentParser
import Foundation
import Operations

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How a running worker and its models are.",
        discussion: """
            Asks the worker at http.address. Models that need a person come first.

            driftgate status --config driftgate.yaml
            driftgate status --model tft-prod          # one model in full, with the reason for its last decision
            driftgate status --json | jq '.models[] | select(.sla_breached)'

            Exit status: 0 with a status, 1 without one, 2 for a wrong configuration.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Base address of the worker, such as http://127.0.0.1:8080; else http.address.")
    var address: String?

    @Option(help: "Only this model, in full.")
    var model: String?

    @Flag(help: "As JSON, one object.")
    var json = false

    @Flag(help: "Again every two seconds, until Ctrl-C.")
    var watch = false

    @Flag(help: "Only whether it is alive, for health checks of containers: prints nothing.")
    var alive = false

    func run() throws {
        let configuration = try options.load()
        repeat {
            do throws(StatusError) {
                let client = try StatusClient(configuration, address: address)
                if alive { try client.checkAlive() } else { show(try client.fetch()) }
            } catch {
                FileHandle.standardError.write(Data("driftgate status: \(error)\n".utf8))
                if !watch { throw ExitCode(1) }
            }
            if watch { Thread.sleep(forTimeInterval: 2) }
        } while watch
    }

    private func show(_ status: StatusReport) {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        if json {
            print(String(decoding: status.json(), as: UTF8.self))
        } else {
            let text = StatusText.render(status, model: model)
            if watch && isTerminal {
                print(Screen.frame(text), terminator: "")
            } else {
                print(text, terminator: watch ? "\n" : "")
            }
        }
        fflush(nil)
    }
}
